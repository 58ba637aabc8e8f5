import type { Clock } from "@redislock/core";

/** Looks for the platform's functions at each call, for fake timers put theirs in their place. */
export const platformClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    unref(timer);
    return () => clearTimeout(timer);
  },
};

function unref(timer: number | { unref(): unknown }): void {
  if (typeof timer === "object") timer.unref();
}
