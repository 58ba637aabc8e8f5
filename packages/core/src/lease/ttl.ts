import { LONGEST_TIMER } from "../time/clock.js";

/** The shortest lease: below it, drift and a round trip leave nothing to hold. */
const SHORTEST_TTL = 10;

/** @throws TypeError, RangeError for what is no time of a lease or of a deadline, in milliseconds. */
export function checkTtl(name: string, ttl: unknown, maxTtl: number = Infinity): void {
  if (typeof ttl !== "number") {
    throw new TypeError(`${name} must be a number of milliseconds, got ${typeof ttl}`);
  }
  if (Number.isInteger(ttl) && ttl >= SHORTEST_TTL && ttl <= LONGEST_TIMER) {
    if (ttl <= maxTtl) return;
    throw new RangeError(`${name} must be at most maxTtl, ${maxTtl} ms, got ${ttl}`);
  }
  throw new RangeError(
    `${name} must be a whole number of ${SHORTEST_TTL} to ${LONGEST_TIMER} ms, got ${ttl}`,
  );
}
