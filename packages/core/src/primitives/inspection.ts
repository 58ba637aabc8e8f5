import type { Holder } from "../errors.js";
import { lockNames, sharedNames, type Space } from "../keys/names.js";
import { createToken } from "../keys/token.js";
import { scripts } from "../lua/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import type { Command } from "../redis/command.js";
import { ExclusiveClaim } from "./exclusive.js";
import type { Leftover, LockMode, Sharing } from "./primitive.js";
import { readFlag, readLock, wholeNumber } from "./replies.js";

/** Who has a lock, and who waits for it. */
export interface Inspection {
  /** Whoever has it, of several the one whose lease ends first; `undefined` when nobody has it. */
  readonly holder: Holder | undefined;
  /** All who have it, at most a hundred, in the order in which their leases end. */
  readonly holders: readonly HolderInfo[];
  /** How many have it: more than one if it is shared or counted. */
  readonly held: number;
  /** How many permits are out: 1 for each who shares the lock without a limit, 0 for one who has it alone. */
  readonly permits: number;
  /** How many stand in line. */
  readonly waiters: number;
  /** The first hundred of them, in the order in which they will be served. */
  readonly line: readonly WaiterInfo[];
}

/** One who has a lock. */
export interface HolderInfo extends Holder {
  /** How it holds the lock: alone, shared or counted. */
  readonly mode: LockMode;
  /** How many permits it has; 1 for a lock that is not counted. */
  readonly permits: number;
  /** Its own limit of permits, if it has one. */
  readonly limit: number | undefined;
}

/** One who stands in line for a lock. */
export interface WaiterInfo {
  /** 1 for the next to be served. */
  readonly position: number;
  /** What the waiter said of itself; "" if nothing. */
  readonly metadata: string;
  /** Milliseconds since it came, by the server's clock. */
  readonly waited: number;
  /** How it would share the lock; undefined if it waits to have it alone. */
  readonly sharing?: Sharing;
}

/** How many holders and waiters an inspection tells of. */
const SHOWN = 100;

export function inspectCommand(key: string, space: Space): Command<Inspection> {
  const args = [String(SHOWN)];
  return { script: scripts.inspect, keys: sharedNames(key, space), args, read: readInspection };
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

function readForced(reply: Reply): Forced | undefined {
  const [owned, unserved] = (listOf(reply, 2) ?? []).map(readFlag);
  return owned === undefined || unserved === undefined ? undefined : { owned, unserved };
}

function readInspection(reply: Reply): Inspection | undefined {
  if (typeof reply !== "object" || reply === null) return undefined;
  const [left = null, fence = null, said = null, count, ...told] = reply;
  const found =
    typeof said === "object" && said
      ? readSharing(left, fence, said)
      : readAlone(left, fence, said);
  const waiters = wholeNumber(count);
  const line = readLine(told);
  if (!found || !line || waiters === undefined || line.length > Math.min(waiters, SHOWN)) {
    return undefined;
  }
  return { ...found, waiters, line };
}

type Held = Pick<Inspection, "holder" | "holders" | "held" | "permits">;

/** A lock that somebody has alone, or nobody. */
function readAlone(left: Reply, fence: Reply, metadata: Reply): Held | undefined {
  const lock = readLock(left, fence, metadata);
  if (!lock) return undefined;
  const { holder } = lock;
  if (!holder) return { holder, holders: [], held: 0, permits: 0 };
  const info: HolderInfo = { ...holder, mode: "exclusive", permits: 1, limit: undefined };
  return { holder, holders: [info], held: 1, permits: 0 };
}

function readSharing(left: Reply, fence: Reply, told: readonly Reply[]): Held | undefined {
  const fencingToken = wholeNumber(fence, 1);
  const [held, permits] = [wholeNumber(told[0]), wholeNumber(told[1])];
  if (wholeNumber(left) === undefined || fencingToken === undefined) return undefined;
  if (held === undefined || permits === undefined) return undefined;
  const holders: HolderInfo[] = [];
  for (let i = 2; i < told.length; i += 4) {
    const shares = readShares(told[i], told[i + 1]);
    const [metadata, remaining] = [told[i + 2], wholeNumber(told[i + 3])];
    if (!shares || typeof metadata !== "string" || remaining === undefined) return undefined;
    holders.push({ metadata, fencingToken, remaining, ...shares });
  }
  if (holders.length > Math.min(held, SHOWN)) return undefined;
  const [{ metadata, remaining } = { metadata: undefined, remaining: Number(left) }] = holders;
  return { holder: { metadata, fencingToken, remaining }, holders, held, permits };
}

function readShares(
  permitsTold: Reply | undefined,
  limitTold: Reply | undefined,
): Sharing | undefined {
  const [permits, limit] = [wholeNumber(permitsTold, 1), wholeNumber(limitTold)];
  if (permits === undefined || limit === undefined) return undefined;
  if (limit === 0) return { mode: "shared", permits, limit: undefined };
  return { mode: "counted", permits, limit };
}

/** For each waiter its metadata, how long it waited, and, if it would share the lock, how. */
function readLine(told: readonly Reply[]): WaiterInfo[] | undefined {
  const line: WaiterInfo[] = [];
  for (let i = 0; i < told.length; i += 2) {
    const [metadata, waited, next] = [told[i], wholeNumber(told[i + 1]), told[i + 2]];
    if (typeof metadata !== "string" || waited === undefined) return undefined;
    const waiter = { position: line.length + 1, metadata, waited };
    if (typeof next !== "object") {
      line.push(waiter);
      continue;
    }
    const [permits, limit] = listOf(next, 2) ?? [];
    const sharing = readShares(permits, limit);
    if (!sharing) return undefined;
    line.push({ ...waiter, sharing });
    i++;
  }
  return line;
}
