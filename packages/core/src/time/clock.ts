/** The longest that platforms' timers take, in milliseconds. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** The only source of time: monotonic, so that no step of the wall clock makes a lease longer. */
export interface Clock {
  /** Milliseconds, with fractions, from any fixed moment; never goes back. */
  now(): number;
  /**
   * Milliseconds of the wall clock, its steps included: what it runs ahead of `now` is time that `now` did
   * not see, as while the machine was suspended. Leave it out where `now` sees all.
   */
  wall?(): number;
  /** Runs `run` once after `ms` milliseconds. Must not keep the process alive until told to. */
  after(ms: number, run: () => void): Timer;
}

/** What was set by {@link Clock.after}. */
export interface Timer {
  /** Calls it off. */
  cancel(): void;
  /** From now on it keeps the process alive. Leave it out where timers cannot, or always do. */
  ref?(): void;
  /** From now on it does not. */
  unref?(): void;
}

/**
 * The time of the platform.
 *
 * @example
 * const late: Clock = { ...systemClock, now: () => systemClock.now() + 5_000 };
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    const id = setTimeout(run, ms);
    const cancel = (): void => clearTimeout(id);
    const timer: unknown = id;
    if (!isRefable(timer)) return { cancel };
    timer.unref();
    return { cancel, ref: () => timer.ref(), unref: () => timer.unref() };
  },
};

/** Node, Bun and Deno give timers that can let the process end; browsers and edge runtimes a number. */
function isRefable(timer: unknown): timer is { ref(): void; unref(): void } {
  return typeof timer === "object" && timer !== null && "ref" in timer;
}
