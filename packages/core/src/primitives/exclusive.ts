import { lockNames, type Space } from "../keys/names.js";
import { createToken } from "../keys/token.js";
import { scripts } from "../lua/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import { again, type Command } from "../redis/command.js";
import {
  type Asked,
  type Claim,
  type Leftover,
  type LinePlace,
  REACH,
  type Released,
  type TimeLeft,
  type Verdict,
} from "./primitive.js";
import {
  readFlag,
  readLeftover,
  readPlace,
  readReleased,
  readTaken,
  readTimeLeft,
  readVerdict,
  wholeNumber,
} from "./replies.js";

/** Who asks for a lock, and for how long. */
export interface ClaimFacts {
  /** As the caller gave them, each once. */
  readonly keys: readonly string[];
  readonly ttl: number;
  readonly token: string;
  /** The caller chose the token, so other calls may have the same. */
  readonly ownToken: boolean;
  readonly metadata: string;
}

/** How many names {@link lockNames} gives for each key: first the lock, its grant and its fence. */
const NAMES = 5;

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

  timeLeft(fencingToken: number): Command<TimeLeft> {
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

function readGrant(reply: Reply): Extract<Asked, { kind: "granted" }> | undefined {
  const fencingToken = wholeNumber(reply, 1);
  return fencingToken === undefined ? undefined : { kind: "granted", fencingToken };
}

function readTried(reply: Reply): Asked | typeof again | undefined {
  return readGrant(reply) ?? (reply === "again" ? again : readTaken(reply));
}

function readInLine(reply: Reply): Asked | typeof again | undefined {
  return readGrant(reply) ?? (reply === "again" ? again : readPlace(reply));
}

function readEchoed(reply: Reply): Asked | typeof again | undefined {
  const [fence, flag] = listOf(reply, 2) ?? [];
  const granted = readGrant(fence ?? null);
  const echoed = readFlag(flag);
  if (granted && echoed !== undefined) return { ...granted, echoed };
  return readInLine(reply);
}
