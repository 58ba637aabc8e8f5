/** What is known to be wrong before the first lock is asked for. What remains is checked by the locker. */

const LONGEST_TIMER = 2 ** 31 - 1;

/** @throws TypeError, RangeError for what is no whole number from `least` on. */
export function checkWhole(name: string, value: unknown, least: number): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a whole number, got ${typeof value}`);
  }
  if (Number.isInteger(value) && value >= least && value <= LONGEST_TIMER) return;
  throw new RangeError(
    `${name} must be a whole number of ${least} to ${LONGEST_TIMER}, got ${value}`,
  );
}

/** @throws TypeError, RangeError for what is no time that somebody could wait. */
export function checkPatience(name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `${name} must be a number of milliseconds or Infinity, got ${typeof value}`,
    );
  }
  if (value === Infinity || (value >= 0 && value <= LONGEST_TIMER)) return;
  throw new RangeError(`${name} must be 0 to ${LONGEST_TIMER} ms or Infinity, got ${value}`);
}
