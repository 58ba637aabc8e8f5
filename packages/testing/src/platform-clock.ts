import type { Clock } from "@redislock/core";

/** Looks for the platform's functions at each call, for fake timers put theirs in their place. */
export const platformClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    const cancel = (): void => clearTimeout(timer);
    if (typeof timer !== "object") return { cancel };
    timer.unref();
    return { cancel, ref: () => timer.ref(), unref: () => timer.unref() };
  },
};
