interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
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

  at(time: number, run: () => void): void {
    this.#push({ at: Math.max(time, this.#now), order: ++this.#order, run });
  }

  /** Goes to the next event and runs it. False when there is none until `end`. */
  step(end: number): boolean {
    const [first] = this.#heap;
    if (!first || first.at > end) return false;
    this.#pop();
    this.#now = first.at;
    first.run();
    return true;
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
