import type { Clock, Timer } from "@redislock/core";

/** How many turns promises get after each timer: more than any call to a lock needs. */
const TURNS = 100;

/** When it begins, so that fencing tokens look as they do in Redis. */
const START = Date.UTC(2026, 0, 1);

interface Entry {
  readonly at: number;
  readonly run: () => void;
}

/**
 * A clock that stands still until it is told to go on: for tests without fake timers. Give the same one
 * to the {@link MemoryServer} and to the `Locker`.
 *
 * @example
 * const clock = new ManualClock();
 * const locker = createLocker(memoryClient(new MemoryServer({ clock })), { clock });
 * const lock = await locker.obtain("invoice:42", 10_000);
 * await clock.advance(10_000);
 * lock.held; // false
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Entry>();
  #now = 0;
  #suspended = 0;

  now(): number {
    return this.#now;
  }

  wall(): number {
    return START + this.#now + this.#suspended;
  }

  after(ms: number, run: () => void): Timer {
    const timer: Entry = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /**
   * What a suspended machine or a frozen function sees of it: nothing runs, timers and {@link now} stand
   * still, and the wall clock, which Redis goes by, is `ms` milliseconds further.
   */
  suspend(ms: number): void {
    this.#suspended += ms;
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
