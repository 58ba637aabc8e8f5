import { LONGEST_TIMER } from "../time/clock.js";

/**
 * How long to wait between two tries of an obtain that polls.
 *
 * A strategy is a pure function of the number of tries made so far: it keeps no count of its own, so
 * one strategy can serve any number of obtains at once. It returns milliseconds, or 0 to give up.
 *
 * @example
 * const retry: RetryStrategy = (tries) => (tries < 10 ? 100 * tries : 0);
 */
export type RetryStrategy = (tries: number) => number;

/**
 * One try only. The default.
 *
 * @example
 * const retry = process.env["PATIENT"] ? linearBackoff(100) : noRetry;
 * await locker.obtain("invoice:42", 10_000, { retry });
 */
export const noRetry: RetryStrategy = () => 0;

/**
 * Waits `backoff` milliseconds after each try.
 *
 * @param backoff - 1 to 2^31 - 1. Lower: a free lock is found sooner, and Redis is asked more often.
 * @example
 * await locker.obtain("invoice:42", 10_000, { retry: linearBackoff(100) });
 * @throws TypeError, RangeError for another number of milliseconds
 */
export function linearBackoff(backoff: number): RetryStrategy {
  checkDelay("backoff", backoff);
  return () => backoff;
}

/**
 * Waits 2, 4, 8, 16, … milliseconds, at least `min` and at most `max`.
 *
 * @param min - 0 to 2^31 - 1.
 * @param max - Default: no limit but the longest timer, 2^31 - 1.
 * @example
 * await locker.obtain("invoice:42", 10_000, { retry: jitter(exponentialBackoff(16, 1_000)) });
 * @throws TypeError, RangeError for other numbers of milliseconds
 */
export function exponentialBackoff(min: number, max: number = LONGEST_TIMER): RetryStrategy {
  checkDelay("min", min, 0);
  checkDelay("max", max);
  if (min > max) throw new RangeError(`min must not be above max, got ${min} and ${max}`);
  return (tries) => Math.min(Math.max(2 ** tries, min), max);
}

/**
 * Gives up after `max` retries, that is `max + 1` tries; else does as `strategy`. 0: one try only.
 *
 * @example
 * await locker.obtain("invoice:42", 10_000, { retry: limitRetry(linearBackoff(100), 5) });
 * @throws TypeError for what is no strategy; RangeError for a `max` that is no whole number
 */
export function limitRetry(strategy: RetryStrategy, max: number): RetryStrategy {
  checkStrategy("strategy", strategy);
  if (!Number.isInteger(max) || max < 0) {
    throw new RangeError(`max must be a whole number of at least 0, got ${String(max)}`);
  }
  return (tries) => (tries > max ? 0 : strategy(tries));
}

/**
 * Shortens each delay of `strategy` by a random part of it, so that those who failed together do not
 * come back together.
 *
 * @param fraction - How much of the delay is left to chance, above 0 and at most 1. Default: 0.5.
 * @param random - Where chance comes from: numbers from 0 up to 1. Default: `Math.random`.
 * @example
 * await locker.obtain("invoice:42", 10_000, { retry: jitter(linearBackoff(100)) });
 * @throws TypeError, RangeError for another fraction, or what is no strategy
 */
export function jitter(
  strategy: RetryStrategy,
  fraction: number = 0.5,
  random: () => number = Math.random,
): RetryStrategy {
  checkStrategy("strategy", strategy);
  if (typeof fraction !== "number") throw new TypeError("fraction must be a number");
  if (typeof random !== "function") throw new TypeError("random must be a function");
  if (!(fraction > 0 && fraction <= 1)) {
    throw new RangeError(`fraction must be above 0 and at most 1, got ${String(fraction)}`);
  }
  return (tries) => {
    const delay = strategy(tries);
    return delay === 0 ? 0 : Math.max(1, delay * (1 - fraction * random()));
  };
}

/** What a strategy says after so many tries, checked: a wrong delay must not become a hot loop. */
export function delayAfter(strategy: RetryStrategy, tries: number): number {
  const delay = strategy(tries);
  if (delay === 0) return 0;
  if (typeof delay === "number" && delay >= MIN_DELAY && delay <= LONGEST_TIMER) return delay;
  throw new RangeError(
    `retry must return 0 or ${MIN_DELAY} to ${LONGEST_TIMER} ms, got ${String(delay)}`,
  );
}

export function checkStrategy(name: string, strategy: unknown): void {
  if (typeof strategy === "function") return;
  throw new TypeError(`${name} must be a retry strategy, such as linearBackoff(100)`);
}

function checkDelay(name: string, delay: number, least: number = MIN_DELAY): void {
  if (typeof delay !== "number") throw new TypeError(`${name} must be a number of milliseconds`);
  if (delay >= least && delay <= LONGEST_TIMER) return;
  throw new RangeError(`${name} must be ${least} to ${LONGEST_TIMER} ms, got ${delay}`);
}

const MIN_DELAY = 1;
