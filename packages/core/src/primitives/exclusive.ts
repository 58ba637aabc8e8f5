import type { Holder } from "../errors.js";
import { lockNames, type Space } from "../keys/names.js";
import { createToken } from "../keys/token.js";
import { scripts } from "../lua/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import { again, type Command } from "../redis/commands.js";
import type { Asked, Claim, Leftover, LinePlace, Reach, Released, Verdict } from "./primitive.js";
import { textOrNull, wholeNumber } from "./replies.js";

/** Who asks for a lock, and for how long. */
export interface ClaimFacts {
  readonly keys: readonly string[];
  readonly ttl: number;
  readonly token: string;
  /** The caller chose the token, so other calls may have the same. */
  readonly ownToken: boolean;
  readonly metadata: string;
}

/** How many names {@link lockNames} gives for each key: first the lock, its grant and its fence. */
const NAMES = 5;

/** How a waiter's reach is written in its record. */
const REACH: Readonly<Record<Reach, string>> = { none: "0", counted: "1", uncounted: "2" };

/** The exclusive lock: one holder at a time. The one file that knows what its scripts take and reply. */
export class ExclusiveClaim implements Claim {
  readonly keys: readonly string[];
  readonly names: readonly string[];
  readonly ttl: number;
  readonly token: string;
  readonly metadata: string;
  readonly #value: string;
  /** Tells this call from others with the same token; "" where the token is this call's alone. */
  readonly #call: string;
  /** All names of each lock, in the order that the scripts take them. */
  readonly #names: readonly string[];
  readonly #memory: string;

  constructor({ keys, ttl, token, ownToken, metadata }: ClaimFacts, space: Space) {
    this.keys = keys;
    this.ttl = ttl;
    this.token = token;
    this.metadata = metadata;
    this.#value = token + metadata;
    this.#call = ownToken ? createToken() : "";
    const [first = "", ...others] = keys;
    const names = lockNames(first, space);
    for (const key of others) names.push(...lockNames(key, space));
    this.#names = names;
    this.names = keys.map((key) => space.namespace + key);
    this.#memory = String(space.rememberFence);
  }

  obtain(): Command<Asked> {
    return {
      script: scripts.obtain,
      many: scripts.obtainMany,
      keys: this.#names,
      args: this.#asking(),
      read: readTried,
    };
  }

  standInLine(place: LinePlace): Command<Asked> {
    const { id, ticket = "", patience, reach, lease, proof, echo } = place;
    const standing = [id, ticket, String(patience), REACH[reach], String(lease), proof];
    return {
      script: scripts.obtain,
      many: scripts.obtainMany,
      keys: this.#names,
      args: [...this.#asking(), ...standing, echo ? "1" : ""],
      read: echo ? readEchoed : readInLine,
    };
  }

  leave(id: string = ""): Command<Leftover> {
    const args = [this.#value, id, this.#call];
    return { script: scripts.leave, keys: this.#names, args, read: readLeftover };
  }

  release(fencingToken: number): Command<Released> {
    return {
      script: scripts.release,
      many: scripts.releaseMany,
      keys: this.#names,
      args: this.#holding(fencingToken),
      read: readReleased,
    };
  }

  refresh(fencingToken: number, ttl: number, order: number): Command<Verdict> {
    const args = [...this.#holding(fencingToken), String(ttl), this.#memory];
    if (order === 0) {
      const { refresh, refreshMany } = scripts;
      return { script: refresh, many: refreshMany, keys: this.#first(3), args, read: readVerdict };
    }
    return {
      script: scripts.shorten,
      many: scripts.shortenMany,
      keys: this.#names,
      args: [...args, String(order)],
      read: readVerdict,
    };
  }

  timeLeft(fencingToken: number): Command<number | Exclude<Verdict, "ours">> {
    return {
      script: scripts.ttl,
      keys: this.#first(2),
      args: this.#holding(fencingToken),
      read: readTimeLeft,
    };
  }

  #asking(): string[] {
    return [this.#value, String(this.ttl), String(this.token.length), this.#call, this.#memory];
  }

  /** What proves that a lock is ours: the value, and for own tokens which grant of it. */
  #holding(fencingToken: number): string[] {
    return [this.#value, this.#call === "" ? "" : String(fencingToken)];
  }

  /** The first names of each lock. */
  #first(count: number): string[] {
    return this.#names.filter((_, index) => index % NAMES < count);
  }
}

/** Who has a lock, and who waits for it. */
export interface Inspection {
  /** `undefined` when nobody has it. */
  readonly holder: Holder | undefined;
  /** How many stand in line. */
  readonly waiters: number;
  /** The first hundred of them, in the order in which they will be served. */
  readonly line: readonly WaiterInfo[];
}

export interface WaiterInfo {
  /** 1 for the next to be served. */
  readonly position: number;
  /** What the waiter said of itself; "" if nothing. */
  readonly metadata: string;
  /** Milliseconds since it came, by the server's clock. */
  readonly waited: number;
}

/** How many waiters an inspection tells of. */
const LINE_SHOWN = 100;

export function inspectCommand(key: string, space: Space): Command<Inspection> {
  const args = [String(LINE_SHOWN)];
  return { script: scripts.inspect, keys: lockNames(key, space), args, read: readInspection };
}

/** What a forced release found. */
export interface Forced {
  /** Somebody had the lock. */
  readonly owned: boolean;
  /** As of {@link Leftover}: once more, to serve the line. */
  readonly unserved: boolean;
}

/** Takes the lock away from whoever has it. */
export function forceReleaseCommand(key: string, space: Space): Command<Forced> {
  return { script: scripts.forceRelease, keys: lockNames(key, space), args: [], read: readForced };
}

/** Gives a free lock to the line, where that was too long to be served in one go. */
export function serveCommand(key: string, space: Space): Command<Leftover> {
  const token = createToken();
  const facts = { keys: [key], ttl: 0, token, ownToken: false, metadata: "" };
  return new ExclusiveClaim(facts, space).leave();
}

function readFlag(reply: Reply | undefined): boolean | undefined {
  return reply === "1" ? true : reply === "0" ? false : undefined;
}

function readVerdict(reply: Reply): Verdict | undefined {
  return reply === "1" ? "ours" : reply === "0" ? "deleted" : reply === "-1" ? "taken" : undefined;
}

function readReleased(reply: Reply): Released | undefined {
  return reply === "more" ? "unserved" : readVerdict(reply);
}

function readForced(reply: Reply): Forced | undefined {
  const [owned, unserved] = (listOf(reply, 2) ?? []).map(readFlag);
  return owned === undefined || unserved === undefined ? undefined : { owned, unserved };
}

function readTimeLeft(reply: Reply): number | Exclude<Verdict, "ours"> | undefined {
  if (reply === "taken" || reply === "deleted") return reply;
  return reply === "none" ? Infinity : wholeNumber(reply);
}

function readGrant(reply: Reply): Extract<Asked, { kind: "granted" }> | undefined {
  const fencingToken = wholeNumber(reply, 1);
  return fencingToken === undefined ? undefined : { kind: "granted", fencingToken };
}

function readTried(reply: Reply): Asked | typeof again | undefined {
  const granted = readGrant(reply);
  if (granted || reply === "again") return granted ?? again;
  const [left, fence, metadata] = listOf(reply, 3) ?? [];
  const lock = readLock(left, fence, metadata);
  return lock && { kind: "taken", holder: lock.holder };
}

function readInLine(reply: Reply): Asked | typeof again | undefined {
  const granted = readGrant(reply);
  if (granted || reply === "again") return granted ?? again;
  const [left, place, ticket, flag] = listOf(reply, 4) ?? [];
  const lock = readLock(left, null, null);
  const [position, echoed] = [wholeNumber(place, 1), readFlag(flag)];
  if (!lock || position === undefined || wholeNumber(ticket) === undefined) return undefined;
  if (echoed === undefined) return undefined;
  const { holder } = lock;
  return { kind: "taken", holder, place: { position, ticket: String(ticket), echoed } };
}

function readEchoed(reply: Reply): Asked | typeof again | undefined {
  const [fence, flag] = listOf(reply, 2) ?? [];
  const granted = readGrant(fence ?? null);
  const echoed = readFlag(flag);
  if (granted && echoed !== undefined) return { ...granted, echoed };
  return readInLine(reply);
}

function readLeftover(reply: Reply): Leftover | undefined {
  const [left, fence, metadata, place, flag, more] = listOf(reply, 6) ?? [];
  const lock = readLock(left, fence, metadata);
  const [position, owned, unserved] = [wholeNumber(place), readFlag(flag), readFlag(more)];
  if (!lock || position === undefined || owned === undefined) return undefined;
  if (unserved === undefined) return undefined;
  return { holder: lock.holder, position: position || undefined, owned, unserved };
}

function readInspection(reply: Reply): Inspection | undefined {
  if (typeof reply !== "object" || reply === null || reply.length % 2 !== 0) return undefined;
  const [left, fence, metadata, count, ...told] = reply;
  const lock = readLock(left, fence, metadata);
  const waiters = wholeNumber(count);
  if (!lock || waiters === undefined || told.length / 2 > Math.min(waiters, LINE_SHOWN)) {
    return undefined;
  }
  const line: WaiterInfo[] = [];
  for (let i = 0; i < told.length; i += 2) {
    const [said, waited] = [told[i], wholeNumber(told[i + 1])];
    if (typeof said !== "string" || waited === undefined) return undefined;
    line.push({ position: i / 2 + 1, metadata: said, waited });
  }
  return { holder: lock.holder, waiters, line };
}

/** What scripts tell of a lock: milliseconds left or nil for none, fencing token, metadata. */
function readLock(
  left: Reply | undefined,
  fence: Reply | undefined,
  metadata: Reply | undefined,
): { readonly holder: Holder | undefined } | undefined {
  if (left === null) return fence === null && metadata === null ? { holder: undefined } : undefined;
  const remaining = wholeNumber(left, -1);
  const fencingToken = fence === null ? null : wholeNumber(fence, 1);
  const said = textOrNull(metadata);
  if (remaining === undefined || fencingToken === undefined || said === undefined) return undefined;
  return {
    holder: {
      metadata: said ?? undefined,
      fencingToken: fencingToken ?? undefined,
      remaining: remaining === -1 ? Infinity : remaining,
    },
  };
}
