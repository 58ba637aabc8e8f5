import { sharedNames, type Space } from "../keys/names.js";
import { createToken } from "../keys/token.js";
import { scripts } from "../lua/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import { again, type Command } from "../redis/command.js";
import type { ClaimFacts } from "./exclusive.js";
import {
  type Asked,
  type Claim,
  type Leftover,
  type LinePlace,
  REACH,
  type Released,
  type Sharing,
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

/**
 * The shared lock: any number of holders at a time, or so many as their permits allow, but none who has
 * the lock alone. The one file that knows what its scripts take and reply.
 */
export class SharedClaim implements Claim {
  readonly keys: readonly string[];
  readonly names: readonly string[];
  readonly ttl: number;
  readonly token: string;
  readonly metadata: string;
  readonly sharing: Sharing;
  readonly #value: string;
  /** Tells this call from others with the same token; "" where the token is this call's alone. */
  readonly #call: string;
  /** All names of the lock, in the order that the scripts take them. */
  readonly #names: readonly string[];
  readonly #memory: string;

  /** @param facts - Of one key. */
  constructor(facts: ClaimFacts, sharing: Sharing, space: Space) {
    const { keys, ttl, token, ownToken, metadata } = facts;
    const [key = ""] = keys;
    const { permits, limit = 0 } = sharing;
    this.keys = keys;
    this.ttl = ttl;
    this.token = token;
    this.metadata = metadata;
    this.sharing = sharing;
    this.#value = `${permits}/${limit}/${token.length} ${token}${metadata}`;
    this.#call = ownToken ? createToken() : "";
    this.#names = sharedNames(key, space);
    this.names = [space.namespace + key];
    this.#memory = String(space.rememberFence);
  }

  obtain(): Command<Asked> {
    const { obtainShared: script, obtainSharedMany: many } = scripts;
    return { script, many, keys: this.#names, args: this.#asking(), read: readTried };
  }

  standInLine(place: LinePlace): Command<Asked> {
    const { id, ticket = "", patience, reach, lease, proof, echo } = place;
    const { obtainShared: script, obtainSharedMany: many } = scripts;
    const standing = [id, ticket, String(patience), REACH[reach], String(lease), proof];
    const args = [...this.#asking(), ...standing, echo ? "1" : ""];
    return { script, many, keys: this.#names, args, read: echo ? readEchoed : readInLine };
  }

  leave(id: string = ""): Command<Leftover> {
    const args = [this.#value, id, this.#call];
    return { script: scripts.leaveShared, keys: this.#names, args, read: readLeftover };
  }

  release(fencingToken: number, seat?: number): Command<Released> {
    const { releaseShared: script, releaseSharedMany: many } = scripts;
    const args = this.#holding(fencingToken, seat);
    return { script, many, keys: this.#names, args, read: readReleased };
  }

  refresh(fencingToken: number, ttl: number, order: number, seat?: number): Command<Verdict> {
    const { refreshShared: script, refreshSharedMany: many } = scripts;
    const args = [...this.#holding(fencingToken, seat), String(ttl), this.#memory, String(order)];
    return { script, many, keys: this.#names, args, read: readVerdict };
  }

  timeLeft(fencingToken: number, seat?: number): Command<TimeLeft> {
    const args = this.#holding(fencingToken, seat);
    return { script: scripts.ttlShared, keys: this.#names, args, read: readTimeLeft };
  }

  #asking(): string[] {
    return [this.#value, String(this.ttl), String(this.token.length), this.#call, this.#memory];
  }

  /** What proves that a lock is ours: the claim, and for own tokens which grant of it. */
  #holding(fencingToken: number, seat: number | undefined): string[] {
    return [this.#value, this.#call === "" ? "" : `${fencingToken} ${seat}`];
  }
}

function readGrant(
  fence: Reply | undefined,
  seat: Reply | undefined,
): Extract<Asked, { kind: "granted" }> | undefined {
  const [fencingToken, number] = [wholeNumber(fence, 1), wholeNumber(seat)];
  if (fencingToken === undefined || number === undefined) return undefined;
  return { kind: "granted", fencingToken, seat: number };
}

function readTried(reply: Reply): Asked | typeof again | undefined {
  if (reply === "again") return again;
  const [fence, seat] = listOf(reply, 2) ?? [];
  return readGrant(fence, seat) ?? readTaken(reply);
}

function readInLine(reply: Reply): Asked | typeof again | undefined {
  if (reply === "again") return again;
  const [fence, seat] = listOf(reply, 2) ?? [];
  return readGrant(fence, seat) ?? readPlace(reply);
}

function readEchoed(reply: Reply): Asked | typeof again | undefined {
  const [fence, seat, flag] = listOf(reply, 3) ?? [];
  const granted = readGrant(fence, seat);
  const echoed = readFlag(flag);
  if (granted && echoed !== undefined) return { ...granted, echoed };
  return readInLine(reply);
}
