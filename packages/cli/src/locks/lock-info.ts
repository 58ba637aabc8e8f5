/** One lock, as a listing tells of it. */
import type { Inspection } from "@redislock/ioredis";

/**
 * `other`: taken by none of this protocol's, as by a plain SET; `free`: nobody has it, and it is kept for
 * the first in line.
 */
type LockKind = "exclusive" | "shared" | "counted" | "other" | "free";

export interface LockInfo {
  readonly key: string;
  readonly kind: LockKind;
  /** What the holder says of itself, of several the one whose lease ends first. */
  readonly metadata: string | null;
  readonly fencingToken: number | null;
  /** Milliseconds since it was granted; since the first of those who share it was let in. */
  readonly age: number | null;
  /** Milliseconds until it ends by itself; null for one that does not, or that is free. */
  readonly remaining: number | null;
  readonly held: number;
  readonly permits: number;
  readonly limit: number | null;
  readonly waiters: number;
  /** Milliseconds that the first in line has waited; null if nobody waits. */
  readonly waited: number | null;
  /** When all this was so, by this machine's clock: a listing of many locks takes a while. */
  readonly readAt: number;
}

/** @param serverNow - ms by the server's clock; undefined if it does not tell. */
export function lockInfo(
  key: string,
  inspection: Inspection,
  serverNow: number | undefined,
): LockInfo {
  const { holder, holders, held, permits, waiters, line } = inspection;
  const fencingToken = holder?.fencingToken ?? null;
  const remaining = holder?.remaining ?? Infinity;
  return {
    key,
    kind: kindOf(inspection),
    metadata: holder?.metadata ?? null,
    fencingToken,
    age: ageOf(fencingToken, serverNow),
    remaining: remaining === Infinity ? null : remaining,
    held,
    permits,
    limit: holders.reduce<number | null>(
      (most, { limit }) => (limit === undefined ? most : Math.max(most ?? 0, limit)),
      null,
    ),
    waiters,
    waited: line[0]?.waited ?? null,
    readAt: Date.now(),
  };
}

/** A fencing token is the time of its grant in microseconds, or, rarely, a little more. */
export function ageOf(fencingToken: number | null, serverNow: number | undefined): number | null {
  if (fencingToken === null || serverNow === undefined) return null;
  return Math.max(0, Math.floor(serverNow - fencingToken / 1_000));
}

function kindOf({ holder, holders }: Inspection): LockKind {
  if (!holder) return "free";
  if (holder.fencingToken === undefined) return "other";
  if (holders.some(({ mode }) => mode === "counted")) return "counted";
  return holders[0]?.mode ?? "shared";
}
