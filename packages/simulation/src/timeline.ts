import type { Clock } from "@redislock/core";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** The true time of a simulation, which jumps from one event to the next. */
export class Timeline {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  /** Milliseconds since the beginning. */
  get now(): number {
    return this.#now;
  }

  /** When the next event is; undefined when there is none. */
  get next(): number | undefined {
    let [first] = this.#heap;
    for (; first?.cancelled; [first] = this.#heap) this.#pop();
    return first?.at;
  }

  /** Returns how to cancel it. */
  at(time: number, run: () => void): () => void {
    const event = { at: Math.max(time, this.#now), order: ++this.#order, run, cancelled: false };
    this.#push(event);
    return () => (event.cancelled = true);
  }

  /** Goes to the next event and runs it. False when there is none until `end`. */
  step(end: number): boolean {
    const { next } = this;
    if (next === undefined || next > end) return false;
    const [first] = this.#heap;
    this.#pop();
    this.#now = next;
    first?.run();
    return true;
  }

  /** Goes to the next event and runs all that are due then. */
  leap(): void {
    const { next = this.#now } = this;
    while (this.step(next));
  }

  /**
   * Somebody's own clock.
   *
   * @param offset - What it says now.
   * @param rate - How fast it goes.
   * @param enter - Runs what its timers run, if somebody is there to do so.
   */
  clock(
    offset: number = 0,
    rate: number = 1,
    enter: (run: () => void) => void = (run) => run(),
  ): Clock {
    const born = this.#now;
    return {
      now: () => offset + (this.#now - born) * rate,
      after: (ms, run) => {
        let wanted = true;
        const cancel = this.at(this.#now + ms / rate, () => enter(() => wanted && run()));
        return {
          cancel: () => {
            // It may have been entered already, and wait there.
            wanted = false;
            cancel();
          },
        };
      },
    };
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    for (let up = (i - 1) >> 1; i > 0; i = up, up = (i - 1) >> 1) {
      const parent = heap[up];
      if (!parent || isBefore(parent, event)) break;
      heap[i] = parent;
      heap[up] = event;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      const [left, right] = [heap[2 * i + 1], heap[2 * i + 2]];
      const least = left && right && isBefore(right, left) ? 2 * i + 2 : 2 * i + 1;
      const child = heap[least];
      if (!child || isBefore(last, child)) return;
      heap[i] = child;
      heap[least] = last;
      i = least;
    }
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
