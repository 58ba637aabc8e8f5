/** The only source of time: monotonic, so that no step of the wall clock moves a lease. */
export interface Clock {
  /** Milliseconds, with fractions, from any fixed moment; never goes back. */
  now(): number;
  /** Runs `run` once after `ms` milliseconds, and returns how to call it off. Must not keep the process alive. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    unref(timer);
    return () => clearTimeout(timer);
  },
};

/** Node, Bun and Deno give timers that can let the process end; browsers and edge runtimes a number. */
function unref(timer: unknown): void {
  if (isUnrefable(timer)) timer.unref();
}

function isUnrefable(timer: unknown): timer is { unref: () => void } {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
