/**
 * The names of a lock's keys in Redis: the user's own key, and its companions, which begin with it and
 * must live in the same hash slot, so that one script reaches them all.
 *
 * | key         | companions               | why they share its slot                               |
 * |-------------|--------------------------|-------------------------------------------------------|
 * | `a`         | `a:redislock:line{a}`    | the key is their hash tag                             |
 * | `x{a}y`     | `x{a}y:redislock:line`   | they keep the hash tag it has                         |
 * | `a}b`, `{}` | `a}b:redislock:line{3f}` | braces that are no tag: a number that makes them so   |
 *
 * They are the same whether a prefix is part of the key or put before it by the client.
 */
import { crc16, hashSlot, hashTag, SLOTS } from "./hash-slot.js";

/** Where a locker's keys live. */
export interface Space {
  /** What the locker puts before every key. */
  readonly namespace: string;
  /** What the client puts before every key by itself. */
  readonly keyPrefix: string;
  /** Whether several keys must share a hash slot. */
  readonly cluster: boolean;
}

const COMPANIONS = ["fence", "line", "waiters"];

/**
 * The names of one lock, in the order in which scripts take them: the key, the last fencing token,
 * the line, the waiters in it. Without the client's prefix, which it adds by itself.
 */
export function lockNames(key: string, space: Space): string[] {
  const name = space.namespace + key;
  return [name, ...COMPANIONS.map((kind) => companion(`${name}:redislock:${kind}`, name, space))];
}

/** The hash slot that a lock lives in. */
export function slotOf(key: string, space: Space): number {
  return hashSlot(space.keyPrefix + space.namespace + key);
}

/** No key of a user's may be named so. */
export function isCompanionName(key: string): boolean {
  return /:redislock:(fence|line|waiters)(\{.*\})?$/s.test(key);
}

function companion(base: string, name: string, { keyPrefix }: Space): string {
  const whole = keyPrefix + name;
  if (hashTag(whole) !== undefined) return base;
  return `${base}{${/[{}]/.test(whole) ? numberFor(whole, keyPrefix + base) : whole}}`;
}

/** The numbers that were found for odd names: the search takes some milliseconds. */
const numbers = new Map<string, string>();
const MOST_NUMBERS = 3_000;

/** A number in braces behind `base` that brings it into the slot of `whole`. */
function numberFor(whole: string, base: string): string {
  const known = numbers.get(base);
  if (known !== undefined) return known;
  const slot = hashSlot(whole);
  // What is hashed: between the first brace and ours, or all of it if the first tag is empty.
  const open = `${base}{`.indexOf("{") + 1;
  const empty = base.charAt(open) === "}";
  const hashed = crc16(empty ? `${base}{` : `${base}{`.slice(open));
  for (let number = 0; ; number++) {
    const text = number.toString(36);
    if (crc16(empty ? `${text}}` : text, hashed) % SLOTS !== slot) continue;
    if (numbers.size >= MOST_NUMBERS) numbers.clear();
    numbers.set(base, text);
    return text;
  }
}
