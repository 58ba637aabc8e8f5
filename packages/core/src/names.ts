/**
 * The names of a lock's keys in Redis: the user's own key, and its companions, which must live in the
 * same hash slot so that one script reaches them all.
 *
 * | key           | companions               | why they share its slot                                |
 * |---------------|--------------------------|--------------------------------------------------------|
 * | `a`           | `{a}:redislock:line`     | the key is their hash tag                              |
 * | `x{a}y`       | `x{a}y::redislock:line`  | they keep the hash tag it has                          |
 * | `a}b`, `{}`   | `{3f}:a}b.:redislock:line`| braces that are no tag: a short tag that hashes alike  |
 *
 * What stands before `:redislock:`, a brace, a colon or a full stop, keeps the three kinds apart.
 */
import { hashSlot, hashTag } from "./hash-slot.js";

/** Where a locker's keys live. */
export interface Space {
  /** What the locker puts before every key. */
  readonly namespace: string;
  /** What the client puts before every key by itself. */
  readonly keyPrefix: string;
  /** Whether several keys must share a hash slot. */
  readonly cluster: boolean;
}

/** What the names of companions end in. No key of a user's may. */
const ENDINGS = [":redislock:fence", ":redislock:line", ":redislock:waiters"];

/**
 * The names of one lock, in the order in which scripts take them: the key, the last fencing token,
 * the line, the waiters in it. Without the client's prefix, which it adds by itself.
 *
 * @throws RangeError if no companion could share the key's slot.
 */
export function lockNames(key: string, space: Space): string[] {
  const name = space.namespace + key;
  const stem = companionStem(name, space.keyPrefix);
  return [name, ...ENDINGS.map((ending) => stem + ending)];
}

/** The hash slot that a lock lives in. */
export function slotOf(key: string, space: Space): number {
  return hashSlot(space.keyPrefix + space.namespace + key);
}

export function isCompanionName(key: string): boolean {
  return ENDINGS.some((ending) => key.endsWith(ending));
}

function companionStem(name: string, prefix: string): string {
  const whole = prefix + name;
  if (hashTag(whole) !== undefined) return `${name}:`;
  const open = prefix.indexOf("{");
  if (open < 0 && !whole.includes("}")) return `{${whole}}`;
  if (open >= 0 && prefix.includes("}", open)) {
    throw new RangeError(
      `keyPrefix must not hold an empty hash tag, got ${JSON.stringify(prefix)}`,
    );
  }
  // An open brace in the prefix already begins the tag.
  const head = open < 0 ? "" : prefix.slice(open + 1);
  return `${open < 0 ? "{" : ""}${tagOfSlot(hashSlot(whole), head)}}:${name}.`;
}

/** Tags by what they continue and by slot; at most one for each slot, and only for odd names. */
const tags = new Map<string, string>();

/** Some short text that, after `head`, hashes into the slot; found by trying, some milliseconds. */
function tagOfSlot(slot: number, head: string): string {
  const known = tags.get(`${slot} ${head}`);
  if (known !== undefined) return known;
  for (let number = 0; ; number++) {
    const tag = number.toString(36);
    if (hashSlot(head + tag) !== slot) continue;
    tags.set(`${slot} ${head}`, tag);
    return tag;
  }
}
