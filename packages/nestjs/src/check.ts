/** What is known to be wrong before the first lock is asked for. What remains is checked by the locker. */

const LONGEST_TIMER = 2 ** 31 - 1;

/** @throws TypeError for what is no object, or for a name that is not known. */
export function checkNames(what: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const got = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
    throw new TypeError(`${what} must be an object, got ${got}`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TypeError(`${what} has no ${JSON.stringify(unknown)}: there are ${known.join(", ")}`);
}

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
