/**
 * The names of a lock's keys in Redis: the user's own key, and its companions, which must live in the same
 * hash slot, so that one script reaches them all. Three of them begin with the key; the fence is shared by
 * all locks of the slot.
 *
 * | key     | companions               | the fence        | why they share its slot                       |
 * |---------|--------------------------|------------------|-----------------------------------------------|
 * | `a`     | `a:redislock:line{Flk}`  | `redislock{Flk}` | three characters that lead there              |
 * | `x{a}y` | `x{a}y:redislock:line`   | `redislock{Flk}` | they keep its hash tag; the fence as above    |
 * | `a{b`   | `a{b:redislock:lineBph}` | `redislock{Boc}` | the characters close the brace that it opened |
 * | `{}`    | `{}:redislock:line:FYG`  | `redislock{D75}` | all of it is hashed                           |
 *
 * They are the same whether a prefix is part of the key or put before it by the client, but for the fence,
 * which begins with the prefix and the namespace.
 */
import { hashSlot, hashTag, textInto } from "./hash-slot.js";

/** Where a locker's keys live. */
export interface Space {
  /** What the locker puts before every key. */
  readonly namespace: string;
  /** What the client puts before every key by itself. */
  readonly keyPrefix: string;
  /** Whether several keys must share a hash slot. */
  readonly cluster: boolean;
  /** Milliseconds for which the last fencing token is remembered. */
  readonly rememberFence: number;
}

/**
 * The names of one lock, in the order in which scripts take them: the key, the holder's grant, the fence,
 * the line, the waiters in it. Without the client's prefix, which it adds by itself.
 */
export function lockNames(key: string, space: Space): string[] {
  const { namespace, keyPrefix } = space;
  const name = namespace + key;
  const slot = slotOf(key, space);
  const companion = (kind: string): string => inSlot(`${name}:redislock:${kind}`, slot, keyPrefix);
  const fence = inSlot(`${namespace}redislock`, slot, keyPrefix);
  return [name, companion("grant"), fence, companion("line"), companion("waiters")];
}

/** The same of a lock that may be shared: behind them the holders, and what is known of each. */
export function sharedNames(key: string, space: Space): string[] {
  const name = space.namespace + key;
  const slot = slotOf(key, space);
  const companion = (kind: string): string =>
    inSlot(`${name}:redislock:${kind}`, slot, space.keyPrefix);
  return [...lockNames(key, space), companion("holders"), companion("shares")];
}

/** The hash slot that a lock lives in. */
export function slotOf(key: string, { keyPrefix, namespace }: Space): number {
  return hashSlot(keyPrefix + namespace + key);
}

/**
 * No key of a user's may be named so, in this namespace or another.
 *
 * @param before - What is before the key: the client's prefix, and the namespace.
 */
export function isCompanionName(key: string, before: string): boolean {
  const name = before + key;
  if (!name.includes("redislock")) return false;
  if (/:redislock:(grant|line|waiters|holders|shares)/.test(name) || FENCE.test(name)) return true;
  return /^redislock(:?[\w-]{3}\}?)?$/.test(key);
}

/**
 * How a fence ends, see `inSlot`: without a brace in its namespace; with a hash tag, behind which the
 * namespace is taken to end in no letter or digit; with an empty pair of braces; with one that is open.
 */
const FENCE =
  /redislock\{[\w-]{3}\}$|^[^{]*\{([^}]+\}(.*[^\w-])?redislock|\}.*redislock:[\w-]{3}|[^}]*redislock[\w-]{3}\})$/s;

/** The base, with what brings it into the slot behind it. */
function inSlot(base: string, slot: number, keyPrefix: string): string {
  const whole = keyPrefix + base;
  // A hash tag in what all names begin with is that of the lock, too.
  if (hashTag(whole) !== undefined) return base;
  const open = whole.indexOf("{");
  if (open < 0) return `${base}{${(texts[slot] ??= textInto(slot, ""))}}`;
  if (whole.charAt(open + 1) === "}") return `${base}:${textInto(slot, `${whole}:`)}`;
  return `${base}${textInto(slot, whole.slice(open + 1))}}`;
}

/** The texts that lead into a slot by themselves, once they were needed. */
const texts: (string | undefined)[] = [];
