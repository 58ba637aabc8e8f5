import { waitUntil } from "../promises/wait-until.js";

const START = Date.UTC(2026, 0, 1);

/** Time that passes only when a test says so: a `Clock` of core, which uses this kit itself. */
export class VirtualClock {
  #now: number;
  #wallAhead = 0;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(start: number = 0) {
    this.#now = start;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  /** In whole milliseconds, as `Date.now()`. */
  wall(): number {
    return Math.floor(START + this.#now + this.#wallAhead);
  }

  after(ms: number, run: () => void): { cancel: () => void } {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Time passes, and every timer runs when it is due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (!next || next.at > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  /**
   * Time passes, a step after the other, until the promise is settled: also where a timer is set only when
   * an answer has come that is still under way.
   */
  async until<T>(promise: Promise<T>, step: number = 10): Promise<T> {
    let settled = false;
    const settle = (): void => void (settled = true);
    promise.then(settle, settle);
    const isSettled = (): boolean => {
      if (!settled) this.advance(step);
      return settled;
    };
    await waitUntil(isSettled, { what: "the promise to be settled" });
    return promise;
  }

  /** Only the wall clock goes on, as while the machine is suspended; a negative number sets it back. */
  suspend(ms: number): void {
    this.#wallAhead += ms;
  }

  /** Time passes while the event loop is blocked: no timer runs. The next `advance` runs what is overdue. */
  stall(ms: number): void {
    this.#now += ms;
  }
}
