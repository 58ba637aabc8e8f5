/**
 * Options as their caller wrote them: own properties only, so that nothing which stands on a prototype
 * turns into a token or a namespace; and only known ones, so that a typing error is no silent default.
 */

/** Objects that inherit nothing: to take each its prototype would take longer than all else here. */
class Given {}
Object.setPrototypeOf(Given.prototype, null);

/**
 * The options that were given.
 *
 * @param names - Every option that there is. An object, so that the compiler sees that none is missing.
 * @throws TypeError for what is no object, or for a name that is not known.
 */
export function givenOptions<T extends object>(
  name: string,
  options: T,
  names: Readonly<Record<keyof T, true>>,
): Partial<T> {
  checkObject(name, options);
  const given: Partial<T> = new Given();
  for (const key of Object.keys(options)) {
    if (!isNameOf(names, key)) throw new TypeError(unknownOption(name, key, Object.keys(names)));
    given[key] = options[key];
  }
  return given;
}

/**
 * For adapters and tools with options of their own.
 *
 * @param name - What the message calls the options.
 * @throws TypeError for what is no object, or for a name that is not known, with the nearest that is.
 * @example
 * checkOptionNames("options", { timout: 5 }, ["timeout"]); // options has no "timout": did you mean "timeout"?
 */
export function checkOptionNames(
  name: string,
  options: unknown,
  known: readonly string[],
): asserts options is object {
  checkObject(name, options);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TypeError(unknownOption(name, unknown, known));
}

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new TypeError(`${name} must be an object, got ${kindOf(value)}`);
}

/** What a value is, in a message. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}

/** A property of an object or its class, but not one that somebody put on the prototype of all objects. */
export function memberOf<T extends object, K extends keyof T>(object: T, key: K): T[K] | undefined {
  return key in Object.prototype && !ownsOrInherits(object, key) ? undefined : object[key];
}

function ownsOrInherits(object: object, key: PropertyKey): boolean {
  for (let at: unknown = object; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    if (typeof at !== "object" || at === null) return false;
    if (Object.hasOwn(at, key)) return true;
  }
  return false;
}

function isNameOf<T extends object>(
  names: Readonly<Record<keyof T, true>>,
  key: string,
): key is Extract<keyof T, string> {
  return Object.hasOwn(names, key);
}

function unknownOption(name: string, key: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({
      candidate,
      distance: distance(key.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance)[0];
  const near = nearest && nearest.distance <= Math.max(2, key.length / 2);
  const hint = near
    ? `did you mean ${JSON.stringify(nearest.candidate)}?`
    : `there are ${known.join(", ")}`;
  return `${name} has no ${JSON.stringify(key)}: ${hint}`;
}

/** How many letters must be put in, left out or changed to make one word of the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    let diagonal = i;
    let left = i + 1;
    const next = [left];
    for (let j = 0; j < b.length; j++) {
      const above = row[j + 1] ?? 0;
      left = Math.min(above + 1, left + 1, diagonal + Number(a[i] !== b[j]));
      diagonal = above;
      next.push(left);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
