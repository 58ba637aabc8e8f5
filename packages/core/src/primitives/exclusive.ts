import type { Holder } from "../errors.js";
import { lockNames, type Space } from "../keys/names.js";
import { createToken } from "../keys/token.js";
import { scripts } from "../lua/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import type { Command } from "../redis/commands.js";
import type { Asked, Claim, Leftover, LinePlace, Reach, Verdict } from "./primitive.js";
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

/** How many names {@link lockNames} gives for each key; the first two are the lock and its fence. */
const NAMES = 4;

/** How a waiter's reach is written in its record. */
const REACH: Readonly<Record<Reach, string>> = { none: "0", counted: "1", uncounted: "2" };

/** The exclusive lock: one holder at a time. The one file that knows what its scripts take and reply. */
export class ExclusiveClaim implements Claim {
  readonly keys: readonly string[];
  readonly ttl: number;
  readonly token: string;
  readonly metadata: string;
  readonly #value: string;
  /** Tells this call from others with the same token; "" where the token is this call's alone. */
  readonly #call: string;
  /** Of each key, in the order that the scripts take them. */
  readonly #names: readonly string[];

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

  standInLine({ id, ticket = "", patience, reach, lease, proof }: LinePlace): Command<Asked> {
    const place = [id, ticket, String(patience), REACH[reach], String(lease), proof];
    return {
      script: scripts.obtain,
      many: scripts.obtainMany,
      keys: this.#names,
      args: [...this.#asking(), ...place],
      read: readInLine,
    };
  }

  leave(id: string = ""): Command<Leftover> {
    const args = [this.#value, id, this.#call];
    return { script: scripts.leave, keys: this.#names, args, read: readLeftover };
  }

  release(fencingToken: number): Command<Verdict> {
    return {
      script: scripts.release,
      many: scripts.releaseMany,
      keys: this.#names,
      args: this.#holding(fencingToken),
      read: readVerdict,
    };
  }

  refresh(fencingToken: number, ttl: number, cut: boolean): Command<Verdict> {
    return {
      script: scripts.refresh,
      many: scripts.refreshMany,
      keys: this.#locksAndFences(),
      args: [...this.#holding(fencingToken), String(ttl), cut ? "1" : "0"],
      read: readVerdict,
    };
  }

  timeLeft(fencingToken: number): Command<number | Exclude<Verdict, "ours">> {
    return {
      script: scripts.ttl,
      keys: this.#locksAndFences(),
      args: this.#holding(fencingToken),
      read: readTimeLeft,
    };
  }

  #asking(): string[] {
    return [this.#value, String(this.ttl), String(this.token.length), this.#call];
  }

  /** What proves that a lock is ours: the value, and for own tokens which grant of it. */
  #holding(fencingToken: number): string[] {
    return [this.#value, this.#call === "" ? "" : String(fencingToken)];
  }

  #locksAndFences(): string[] {
    return this.#names.filter((_, index) => index % NAMES < 2);
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

/** Takes the lock away from whoever has it; the reply says whether anybody had. */
export function forceReleaseCommand(key: string, space: Space): Command<boolean> {
  return { script: scripts.forceRelease, keys: lockNames(key, space), args: [], read: readFlag };
}

function readFlag(reply: Reply | undefined): boolean | undefined {
  return reply === "1" ? true : reply === "0" ? false : undefined;
}

function readVerdict(reply: Reply): Verdict | undefined {
  return reply === "1" ? "ours" : reply === "0" ? "deleted" : reply === "-1" ? "taken" : undefined;
}

function readTimeLeft(reply: Reply): number | Exclude<Verdict, "ours"> | undefined {
  if (reply === "taken" || reply === "deleted") return reply;
  return reply === "none" ? Infinity : wholeNumber(reply);
}

function readGrant(reply: Reply): Asked | undefined {
  const fencingToken = wholeNumber(reply, 1);
  return fencingToken === undefined ? undefined : { kind: "granted", fencingToken };
}

function readTried(reply: Reply): Asked | undefined {
  const granted = readGrant(reply);
  if (granted) return granted;
  const [left, fence, metadata] = listOf(reply, 3) ?? [];
  const lock = readLock(left, fence, metadata);
  return lock && { kind: "taken", holder: lock.holder };
}

function readInLine(reply: Reply): Asked | undefined {
  const granted = readGrant(reply);
  if (granted) return granted;
  const [left, place, ticket] = listOf(reply, 3) ?? [];
  const lock = readLock(left, null, null);
  const position = wholeNumber(place, 1);
  if (!lock || position === undefined || wholeNumber(ticket) === undefined) return undefined;
  return { kind: "taken", holder: lock.holder, place: { position, ticket: String(ticket) } };
}

function readLeftover(reply: Reply): Leftover | undefined {
  const [left, fence, metadata, place, flag] = listOf(reply, 5) ?? [];
  const lock = readLock(left, fence, metadata);
  const [position, owned] = [wholeNumber(place), readFlag(flag)];
  if (!lock || position === undefined || owned === undefined) return undefined;
  return { holder: lock.holder, position: position || undefined, owned };
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
