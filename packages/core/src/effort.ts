import { onAbort } from "./abort.js";
import type { Alarm } from "./alarm.js";

/** One obtain under way: how often it asked, how it sleeps between, and how it is called off. */
export class Effort {
  /** How often Redis was asked. */
  tries = 0;
  #alarm: Alarm;
  #over = false;
  #rung = false;
  #wake: (() => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** True once it was stopped or settled: no more questions, please. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * The result of `work`, or a rejection with the reason as soon as the effort is stopped or the signal
   * aborts. The work wakes up, sees that it is {@link over} and ends by itself.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const forget = signal && onAbort(signal, () => this.stop(signal.reason));
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      work().then(resolve, reject);
    }).finally(() => {
      this.#over = true;
      forget?.();
    });
  }

  stop(reason: unknown): void {
    this.#over = true;
    this.#reject?.(reason);
    this.#wake?.();
  }

  /** Ends the sleep, or the next one if there is none now. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Sleeps until it is rung, stopped, `besides` has settled, or the time `until` has come. */
  async sleep(until: number, besides?: Promise<unknown>): Promise<void> {
    if (!this.#rung && !this.#over) {
      await new Promise<void>((resolve) => {
        const alarm = this.#alarm.set(until, resolve);
        const wake = (): void => {
          this.#alarm.clear(alarm);
          resolve();
        };
        this.#wake = wake;
        void besides?.then(wake, wake);
      });
    }
    this.#rung = false;
  }
}
