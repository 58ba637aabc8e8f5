import type { Clock, Timer } from "@redislock/core";

/** How many turns promises get after each timer: more than any call to a lock needs. */
const TURNS = 100;

interface Entry {
  readonly at: number;
  readonly run: () => void;
}

/**
 * A clock that stands still until it is told to go on: for tests without fake timers. Give the same one
 * to the {@link MemoryServer} and to the `Locker`.
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Entry>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Timer {
    const timer: Entry = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Goes on by `ms` milliseconds; runs what comes due on the way, and what that sets off, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
      await settle();
    }
    this.#now = end;
  }

  /** The first timer that is due until `end`; of several at one time, the one that was set first. */
  #next(end: number): Entry | undefined {
    let first: Entry | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (!first || timer.at < first.at)) first = timer;
    }
    return first;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
}
