import { LONGEST_TIMER, type Clock, type Timer } from "./clock.js";
import { outermost } from "./context.js";
import { type Elapsed, elapsedOn } from "./elapsed.js";

/**
 * The platform's timers, too, stand still during a pause that the clock does not see. So when such a pause
 * is over, the clock is looked at within so many milliseconds, or this part of the time that seemed left.
 */
const LOOK_AFTER = 1_000;
const LOOK_PART = 1 / 30;
/** In milliseconds: a turn of the event loop, in which a process that was busy reads what came meanwhile. */
const LAST_READ = 1;

/** Something that is due at a time; kept by {@link Timers}. */
export interface Entry {
  /** When, on the clock. */
  readonly at: number;
  readonly run: () => void;
  /** Of two that are due at the same time, the lower comes first. */
  readonly turn: number;
  /** Its index in the heap; -1 when it was run or called off. */
  index: number;
}

/**
 * Any number of things to do at their times, with one timer of the platform: ten thousand leases
 * must not be ten thousand timers. All are done in the outermost async context; whoever belongs to a
 * call goes back to that call's. What is due at the same time is done in the order in which it was set.
 * A binary heap: setting and calling off take O(log n).
 */
export class Timers {
  readonly #clock: Clock;
  readonly #elapsed: Elapsed;
  readonly #heap: Entry[] = [];
  #lastTurn = 0;
  #armedFor = Infinity;
  /** When the timer is to ring: sooner, where the clock is looked at before. */
  #ringsAt = Infinity;
  /** How much time had passed unseen when the timer was armed. */
  #armedAfter = 0;
  #timer: Timer | undefined;
  /** How many calls somebody awaits. */
  #awaited = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#elapsed = elapsedOn(clock);
  }

  now(): number {
    const now = this.#elapsed.now();
    // More time has passed than the platform's timer knows of; or it rings no more, as those of fake timers
    // that were taken away.
    const isPaused = this.#elapsed.unseen !== this.#armedAfter;
    const isDropped = now > this.#ringsAt + LOOK_AFTER;
    if (this.#timer && (isPaused || isDropped)) this.#arm(this.#armedFor);
    return now;
  }

  /** Runs `run` at the time `at`, or as soon after it as the event loop is free. `Infinity`: never. */
  set(at: number, run: () => void): Entry {
    const entry: Entry = { at, run, turn: ++this.#lastTurn, index: -1 };
    if (at === Infinity) return entry;
    this.#rise(entry, this.#heap.length);
    // A timer that is set for too early only looks again: cheaper than setting it anew each time.
    if (at < this.#armedFor) this.#arm(at);
    return entry;
  }

  /**
   * As {@link set}, for whoever takes silence for a fault: not before what had come by then was read, which a
   * process that was busy has yet to do. Returns how to call it off.
   */
  setAfterReading(at: number, run: () => void): () => void {
    let entry = this.set(at - LAST_READ, () => {
      entry = this.set(Math.max(at, this.now() + LAST_READ), run);
    });
    return () => void this.clear(entry);
  }

  /** Calls the entry off. Returns false when it was run or called off before. */
  clear(entry: Entry): boolean {
    if (entry.index < 0) return false;
    this.#remove(entry);
    return true;
  }

  /** Keeps the process alive until the call is settled, as {@link ref} does. */
  awaited<T>(call: Promise<T>): Promise<T> {
    this.ref();
    const over = (): void => this.unref();
    call.then(over, over);
    return call;
  }

  /**
   * Keeps the process alive until {@link unref} was called as often as this: its timers are all that does
   * so where a client holds no socket open, and a program must not end in the middle of an `await`. Leases
   * and renewals keep nothing alive.
   */
  ref(): void {
    if (this.#awaited++ === 0) this.#timer?.ref?.();
  }

  unref(): void {
    if (--this.#awaited === 0) this.#timer?.unref?.();
  }

  /** Resolves after `ms` milliseconds. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.set(this.now() + ms, resolve));
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    const now = this.#elapsed.now();
    const left = at - now;
    const look = this.#clock.wall ? Math.max(LOOK_AFTER, left * LOOK_PART) : Infinity;
    // Platforms cut fractions off.
    const ms = Math.max(Math.ceil(Math.min(left, look, LONGEST_TIMER)), 0);
    this.#armedFor = at;
    this.#ringsAt = now + ms;
    this.#armedAfter = this.#elapsed.unseen;
    this.#timer = outermost.runInAsyncScope(() => this.#clock.after(ms, () => this.#ring()));
    if (this.#awaited > 0) this.#timer.ref?.();
  }

  #ring(): void {
    this.#armedFor = Infinity;
    this.#timer = undefined;
    const now = this.now();
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#remove(first);
      first.run();
    }
    const next = this.#heap[0];
    if (next && next.at < this.#armedFor) this.#arm(next.at);
  }

  #remove(entry: Entry): void {
    const { index } = entry;
    entry.index = -1;
    const last = this.#heap.pop();
    if (!last || last === entry) return;
    this.#rise(last, index);
    this.#sink(last);
  }

  #rise(entry: Entry, index: number): void {
    for (; index > 0;) {
      const parent = this.#heap[(index - 1) >> 1];
      if (!parent || isBefore(parent, entry)) break;
      const up = parent.index;
      this.#put(parent, index);
      index = up;
    }
    this.#put(entry, index);
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      const least = right && left && isBefore(right, left) ? right : left;
      if (!least || isBefore(entry, least)) return;
      const { index } = entry;
      this.#put(entry, least.index);
      this.#put(least, index);
    }
  }

  #put(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.turn < b.turn);
}
