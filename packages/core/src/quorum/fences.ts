import type { Timers } from "../time/timers.js";

/** By how much the estimate is exceeded, in milliseconds: replies that agree need no second round. */
const MARGIN = 0.5;
/** No longer time on the way is taken into the estimate, in milliseconds. */
const LONGEST_WAY = 50;

/**
 * What the clock of the fastest server will say, as far as its fencing tokens have shown: servers that are
 * asked for a token not below that give the same one, whatever their own clocks say.
 */
export class Fences {
  readonly #timers: Timers;
  /** By how much that clock is ahead of ours, in milliseconds; of another origin, so it is large. */
  #ahead: number | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** What to ask for now, in microseconds; 0 while nothing is known. */
  floor(): number {
    if (this.#ahead === undefined) return 0;
    return Math.floor((this.#timers.now() + this.#ahead + MARGIN) * 1000);
  }

  /** A server gave this token, to a command of `sentAt` that asked for `floor`. */
  learn(fencingToken: number, sentAt: number, floor: number): void {
    if (fencingToken <= floor) return; // Its clock is behind, by how much it does not show.
    const now = this.#timers.now();
    const ahead = fencingToken / 1000 - Math.max(sentAt, now - LONGEST_WAY);
    if (this.#ahead === undefined || ahead > this.#ahead) this.#ahead = ahead;
  }
}
