/** One lock with all who have it and its line, for programs. */
import type { Inspection, LockMode } from "@redislock/ioredis";

import { type LockInfo, lockInfo } from "./lock-info.js";

interface Claim {
  readonly metadata: string | null;
  readonly mode: LockMode;
  readonly permits: number;
  readonly limit: number | null;
}

interface HolderDetail extends Claim {
  /** Milliseconds until its lease ends; null for one that does not. */
  readonly remaining: number | null;
}

interface WaiterDetail extends Claim {
  readonly position: number;
  readonly waited: number;
}

/** A hundred of each at most. */
export interface LockDetail extends LockInfo {
  readonly holders: readonly HolderDetail[];
  readonly line: readonly WaiterDetail[];
}

export function lockDetail(
  key: string,
  inspection: Inspection,
  now: number | undefined,
): LockDetail {
  return {
    ...lockInfo(key, inspection, now),
    holders: inspection.holders.map(({ metadata, mode, permits, limit, remaining }) => ({
      metadata: metadata ?? null,
      mode,
      permits,
      limit: limit ?? null,
      remaining: remaining === Infinity ? null : remaining,
    })),
    line: inspection.line.map(({ position, metadata, waited, sharing }) => ({
      position,
      metadata,
      waited,
      mode: sharing?.mode ?? "exclusive",
      permits: sharing?.permits ?? 1,
      limit: sharing?.limit ?? null,
    })),
  };
}
