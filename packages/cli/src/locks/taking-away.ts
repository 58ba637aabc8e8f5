/** A lock that is taken away from its holder: from the one who was shown, and what came of it. */
import type { Inspection } from "@redislock/ioredis";

import { count, plain } from "../output/text.js";

export const CHANGED_HANDS = "It has changed hands meanwhile: nothing was done. Look again.";

/** Tells grants apart; null if nobody has the lock, or one who took it without this library. */
export function fenceOf({ holder }: Inspection): number | null {
  return holder?.fencingToken ?? null;
}

export function isAnother(shown: number | null, now: Inspection): boolean {
  return shown !== fenceOf(now);
}

export function outcome(released: boolean, { holder, waiters }: Inspection): string {
  const done = released ? "Released." : "It was free by then.";
  if (!holder) {
    return waiters === 0
      ? `${done} Nobody waits for it.`
      : `${done} It is kept for the first of ${count(waiters, "waiter")}, who was told to ask.`;
  }
  const who = holder.metadata ? plain(holder.metadata) : "one without metadata";
  return `${done} It went to ${who}; ${count(waiters, "waiter")} left in line.`;
}
