/** A waiter as data: how often it checks in, and what it asks to be granted while it does not. */
import type { Reach } from "../primitives/primitive.js";

/** How often a waiter checks in at least, in milliseconds, by whom messages reach. */
const CHECK_IN: Readonly<Record<Reach, number>> = {
  none: 1_000,
  counted: 15_000,
  // If it is dead nobody sees it, so it shows that it lives.
  uncounted: 2_000,
};

/** By how much a grant to an uncounted waiter outlasts its patience: if it is dead, nobody waits for more. */
const UNCOUNTED_LEASE = 1_000;
/** How often the first in line asks when no message reaches it; those behind it as much less often. */
const UNREACHED_PAUSE = 50;
/** How long after the holder's lease the first in line asks, and each behind it after the one before. */
const STAGGER = 10;
/** Where that ends, and how far those behind are spread: all before them may have died with the holder. */
const MOST_STAGGERED = 10;
const SPREAD = 100;

/** The longest that a waiter of this reach keeps silent, its patience, and the lease it is granted then. */
export interface Terms {
  readonly checkIn: number;
  readonly patience: number;
  readonly lease: number;
}

export function termsOf(reach: Reach, ttl: number): Terms {
  const checkIn = Math.min(ttl / 2, CHECK_IN[reach]);
  const patience = Math.ceil(2 * checkIn);
  const lease = reach === "uncounted" ? Math.min(ttl, patience + UNCOUNTED_LEASE) : ttl;
  return { checkIn, patience, lease };
}

/** The longest that any waiter's place outlives its last command, in milliseconds. */
export const LONGEST_PATIENCE: number = 2 * CHECK_IN.counted;

/**
 * In how many milliseconds it may be a waiter's turn although nobody tells it.
 *
 * @param remaining - Of the lease that it knows of; undefined if it knows of none.
 */
export function untilTurn(reach: Reach, position: number, remaining: number | undefined): number {
  const soon = UNREACHED_PAUSE * position;
  if (remaining === undefined) return soon;
  const before = position - 1;
  const spread = before > MOST_STAGGERED ? SPREAD * Math.random() : 0;
  const leaseEnd = remaining + 1 + STAGGER * Math.min(before, MOST_STAGGERED) + spread;
  return reach === "none" ? Math.min(soon, leaseEnd) : leaseEnd;
}
