/** What the page is told. Moments are milliseconds by one clock, which each message gives as `now`. */
import type { Change } from "../locks/changes.js";
import type { Listing } from "../locks/listing.js";
import type { LockDetail } from "../locks/lock-detail.js";
import type { LockInfo } from "../locks/lock-info.js";

/** One lock of the list: what changes only because time passes is told as a moment. */
export interface Row extends Omit<LockInfo, "age" | "remaining" | "waited" | "readAt"> {
  readonly since: number | null;
  readonly ends: number | null;
  /** Since when the first in line waits. */
  readonly waitingSince: number | null;
}

/** A lock that was granted, passed on or freed. */
export interface Grant {
  readonly at: number;
  readonly change: Change["change"];
  readonly key: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly fencingToken: number | null;
}

export interface Summary extends Omit<Listing, "locks"> {
  /** Why there is no listing at all. */
  readonly failure: string | null;
}

export interface Start {
  readonly type: "start";
  /** Which Redis it is. */
  readonly where: string;
  readonly prefix: string;
  readonly namespace: string;
  readonly readOnly: boolean;
}

/** All rows, in several of these. */
export interface Rows {
  readonly type: "rows";
  readonly first: boolean;
  readonly rows: readonly Row[];
}

export interface Look {
  readonly type: "look";
  readonly now: number;
  readonly summary: Summary;
  /** Rows that are new or changed. */
  readonly rows?: readonly Row[];
  /** Leases that were renewed, which changes nothing else. */
  readonly renewed?: readonly (readonly [key: string, ends: number])[];
  readonly gone?: readonly string[];
  readonly grants?: readonly Grant[];
}

export type Message = Start | Rows | Look;

/** The answer to who opens a lock. */
export interface Opened {
  readonly now: number;
  readonly lock: LockDetail;
  /** Those that were seen, the last first. */
  readonly grants: readonly Grant[];
}

/** The answer to who releases one. */
export interface Released {
  readonly released: boolean;
  readonly outcome: string;
}

export interface Problem {
  readonly problem: string;
}
