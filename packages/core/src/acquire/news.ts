import type { Timers } from "../time/timers.js";

/** What one sleeper is woken by: news come in any order, and are taken one at a time. */
export class News<T> {
  readonly #timers: Timers;
  readonly #unread: T[] = [];
  #wake: (() => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  put(item: T): void {
    this.#unread.push(item);
    this.#wake?.();
  }

  /** The next item; undefined when the time `until` comes first. */
  async next(until: number): Promise<T | undefined> {
    if (this.#unread.length === 0) {
      await new Promise<void>((resolve) => {
        const entry = this.#timers.set(until, resolve);
        this.#wake = () => {
          this.#timers.clear(entry);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#unread.shift();
  }
}
