import type { Clock } from "./clock.js";

/**
 * By how many milliseconds the wall clock may seem to run ahead although nothing happened: it is told in
 * whole ones, and some systems move it 16 at a time. Lower: its grain counts as time that passed, and
 * leases end a little early. Higher: so long a pause stays unseen, up to 20 ms of which the margin of a
 * lease of two seconds covers. Many short pauses add up, and are seen once they exceed it together.
 */
const GRAIN = 20;

const known = new WeakMap<Clock, Elapsed>();

/** The one of a clock, so that all who use the clock have the same time. */
export function elapsedOn(clock: Clock): Elapsed {
  const elapsed = known.get(clock) ?? new Elapsed(clock);
  known.set(clock, elapsed);
  return elapsed;
}

/**
 * The time that passes on a clock, and what passes unseen by it: a monotonic clock may stand still while
 * the machine is suspended, or a virtual machine or function frozen. The wall clock does not, so what it
 * runs ahead counts, too. If it was set forward, leases end early; when it is set back, nothing happens.
 */
export class Elapsed {
  readonly #clock: Clock;
  #unseen = 0;
  /** How far the wall clock is ahead of the clock, at the least, since an unseen time was last counted. */
  #ahead = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many milliseconds passed so far that the clock did not see. */
  get unseen(): number {
    return this.#unseen;
  }

  /** Milliseconds, with fractions, from any fixed moment; never goes back. */
  now(): number {
    const now = this.#clock.now();
    const wall = this.#clock.wall?.();
    if (wall === undefined) return now;
    if (wall - now < this.#ahead) this.#ahead = wall - now;
    else if (wall - now > this.#ahead + GRAIN) return this.#count(wall);
    return now + this.#unseen;
  }

  #count(wall: number): number {
    // Once more: between the two looks the process may have been kept waiting, which both clocks saw.
    const now = this.#clock.now();
    if (wall - now > this.#ahead + GRAIN) {
      this.#unseen += wall - now - this.#ahead;
      this.#ahead = wall - now;
    }
    return now + this.#unseen;
  }
}
