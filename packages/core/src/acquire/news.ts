import type { Timers } from "../time/timers.js";

/** What one sleeper is woken by: news come in any order, and are taken one at a time. */
export class News<T> {
  readonly #timers: Timers;
  readonly #unread: T[] = [];
  /** Wakes the sleeper, with what came. */
  #wake: ((item: T) => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  put(item: T): void {
    if (this.#wake) this.#wake(item);
    else this.#unread.push(item);
  }

  /** The next item; undefined when the time `until` comes first. */
  next(until: number): Promise<T | undefined> {
    if (this.#unread.length > 0) return Promise.resolve(this.#unread.shift());
    // Not an async function: a sleeper that waits in one for long keeps half a kilobyte more.
    return new Promise((resolve) => {
      const entry = this.#timers.set(until, () => {
        this.#wake = undefined;
        resolve(undefined);
      });
      this.#wake = (item) => {
        this.#wake = undefined;
        this.#timers.clear(entry);
        resolve(item);
      };
    });
  }
}
