/** What a caller may ask for, checked before anything is sent. */
import type { Manner } from "./acquire/engine.js";
import { checkStrategy, delayAfter, type RetryStrategy } from "./acquire/retry.js";
import { isCompanionName, slotOf, type Space } from "./keys/names.js";
import { createToken } from "./keys/token.js";
import { utf8 } from "./keys/utf8.js";
import { checkTtl } from "./lease/ttl.js";
import type { ClaimFacts } from "./primitives/exclusive.js";
import type { Sharing } from "./primitives/primitive.js";
import { givenOptions, kindOf } from "./own-options.js";
import { LONGEST_TIMER } from "./time/clock.js";

/** How a lock is asked for and held: all of it optional. Without any, one try, for the ttl, alone. */
export interface ObtainOptions {
  /**
   * `"shared"`: with any number of others who share it, as readers do, while nobody has it alone.
   * Default: `"exclusive"`, alone. One key only. Not together with `limit`.
   *
   * @example
   * const prices = await locker.using("prices", 10_000, { mode: "shared", wait: 5_000 }, readPrices);
   */
  readonly mode?: "exclusive" | "shared" | undefined;

  /**
   * At most so many permits of this lock may be out, of all who hold it with a limit or share it: a
   * semaphore. Each caller goes by its own limit. 1 to 2^31 - 1. One key only. Default: no permits, alone.
   *
   * @example
   * await locker.using("mail api", 10_000, { limit: 5, wait: 60_000 }, sendMail);
   */
  readonly limit?: number | undefined;

  /** How many permits it takes, 1 to `limit`. Default: 1. Only together with `limit`. */
  readonly permits?: number | undefined;

  /**
   * Poll: try again after the delays of this strategy. Gives up when the strategy does, or after `ttl`
   * milliseconds; with a `signal`, which then is the deadline, not before it aborts.
   * Default: one try. Not together with `wait`.
   */
  readonly retry?: RetryStrategy | undefined;

  /**
   * Stand in line for up to so many milliseconds, `Infinity` for as long as it takes. Served first come,
   * first served, across processes. Default: do not wait. Not together with `retry`.
   */
  readonly wait?: number | undefined;

  /** Gives up when it aborts: the call rejects with `signal.reason`, and a lock granted late is released. */
  readonly signal?: AbortSignal | undefined;

  /** Text that others can read while the lock is held, at most 4096 bytes. Default: none. */
  readonly metadata?: string | undefined;

  /**
   * An identity of your own, 16 to 256 characters of printable ASCII that nobody can guess. Asking again with the same
   * token and metadata is a success and starts the lease anew. Default: 128 random bits for each call.
   */
  readonly token?: string | undefined;

  /**
   * Keep the lease alive until the lock is released, lost or garbage-collected, by renewing it each
   * third of its ttl. Default: false; always on in `using`.
   */
  readonly renew?: boolean | undefined;

  /**
   * Milliseconds for which the lock stays taken, at the least, counted from the moment it was obtained: 10 to
   * 2^31 - 1. A release before that ends the lock for its holder, and nobody else is granted it until the
   * rest is over. After a crash it is free when its lease ends, as ever. For what must not be done again too
   * soon, such as a job that each machine's cron starts. Not together with `token`, whose holder would be let
   * in again. Default: a release frees the lock.
   *
   * @example
   * await using lock = await locker.tryObtain("nightly", 60_000, { holdAtLeast: 3_600_000, renew: true });
   * if (lock) await writeReport(lock.signal);
   */
  readonly holdAtLeast?: number | undefined;
}

/** An obtain whose every part was checked. */
export interface Request extends ClaimFacts, Manner {
  readonly sharing: Sharing | undefined;
}

const OBTAIN_OPTIONS: Readonly<Record<keyof ObtainOptions, true>> = {
  retry: true,
  wait: true,
  signal: true,
  metadata: true,
  token: true,
  renew: true,
  mode: true,
  limit: true,
  permits: true,
  holdAtLeast: true,
};

const MAX_KEY_BYTES = 1024;
const MAX_NAMESPACE_BYTES = 256;
const MAX_KEYS = 100;
export const MAX_METADATA_BYTES = 4096;

/** @throws TypeError, RangeError naming the argument and what would be right. */
export function checkRequest(
  keys: string | readonly string[],
  ttl: number,
  options: ObtainOptions,
  space: Space,
): Request {
  const given = givenOptions("options", options, OBTAIN_OPTIONS);
  const { retry, wait, signal, metadata = "", token, renew = false, holdAtLeast } = given;
  const checkedKeys = checkKeys(keys, space);
  checkTtl("ttl", ttl);
  const sharing = sharingOf(given, checkedKeys);
  if (retry !== undefined && wait !== undefined) {
    throw new TypeError("retry and wait exclude each other: poll, or stand in line");
  }
  if (retry !== undefined) {
    checkStrategy("retry", retry);
    delayAfter(retry, 1); // Strategies are pure: a wrong delay shows before anything is sent.
  }
  if (wait !== undefined) checkPatience("wait", wait);
  if (signal !== undefined) checkSignal(signal);
  checkText("metadata", metadata, MAX_METADATA_BYTES);
  if (token !== undefined) checkToken(token);
  if (typeof renew !== "boolean") throw new TypeError("renew must be true or false");
  if (holdAtLeast !== undefined) {
    checkTtl("holdAtLeast", holdAtLeast);
    if (token !== undefined) {
      throw new TypeError("holdAtLeast and token exclude each other: the token's holder is let in");
    }
  }
  return {
    keys: checkedKeys,
    ttl,
    token: token ?? createToken(),
    ownToken: token !== undefined,
    metadata,
    sharing,
    retry,
    wait,
    signal,
    renew,
    holdAtLeast: holdAtLeast ?? 0,
  };
}

/** How a lock is to be shared; undefined for one alone. */
function sharingOf(
  { mode, limit, permits }: Partial<ObtainOptions>,
  keys: readonly string[],
): Sharing | undefined {
  if (mode !== undefined && mode !== "exclusive" && mode !== "shared") {
    throw new TypeError(`mode must be "exclusive" or "shared", got ${told(mode)}`);
  }
  if (limit === undefined) {
    if (permits !== undefined) throw new TypeError("permits need a limit: how many there are");
    if (mode !== "shared") return undefined;
  } else {
    if (mode !== undefined) {
      throw new TypeError(
        `mode ${told(mode)} and limit exclude each other: a limit is a mode by itself`,
      );
    }
    checkCount("limit", limit, LONGEST_TIMER);
    if (permits !== undefined) checkCount("permits", permits, limit);
  }
  if (keys.length > 1) {
    throw new TypeError("several keys cannot be shared or counted: obtain them one by one");
  }
  return { mode: limit === undefined ? "shared" : "counted", permits: permits ?? 1, limit };
}

export function checkCount(name: string, count: unknown, most: number): void {
  if (typeof count !== "number") {
    throw new TypeError(`${name} must be a whole number, got ${kindOf(count)}`);
  }
  if (Number.isInteger(count) && count >= 1 && count <= most) return;
  throw new RangeError(`${name} must be a whole number from 1 to ${most}, got ${count}`);
}

function told(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : kindOf(value);
}

/** The keys, each once. In a cluster they must share a hash slot, for one server must hold them all. */
function checkKeys(keys: string | readonly string[], space: Space): readonly string[] {
  if (typeof keys !== "string" && !Array.isArray(keys))
    throw new TypeError(`key must be a string or an array, got ${kindOf(keys)}`);
  const unique = typeof keys === "string" ? [keys] : [...new Set<string>(keys)];
  if (unique.length === 0 || unique.length > MAX_KEYS) {
    throw new RangeError(`keys must hold 1 to ${MAX_KEYS} keys, got ${unique.length}`);
  }
  for (const key of unique) checkKey(key, space.keyPrefix + space.namespace);
  if (space.cluster) checkSlots(unique, space);
  return unique;
}

export function checkOneKey(key: string, space: Space): void {
  if (typeof key !== "string") throw new TypeError("key must be a string");
  checkKeys(key, space);
}

export function checkNamespace(namespace: unknown): void {
  checkText("namespace", namespace, MAX_NAMESPACE_BYTES);
}

function checkKey(key: string, before: string): void {
  checkText("key", key, MAX_KEY_BYTES);
  if (key === "") throw new RangeError("key must not be empty");
  if (isCompanionName(key, before)) {
    throw new RangeError(
      `key must not end like a name of this library's own, got ${JSON.stringify(key)}`,
    );
  }
}

function checkSlots(keys: readonly string[], space: Space): void {
  const [first = "", ...others] = keys;
  const slot = slotOf(first, space);
  for (const key of others) {
    const another = slotOf(key, space);
    if (another === slot) continue;
    throw new RangeError(
      `keys must share a hash slot in a cluster: ${JSON.stringify(first)} is in ${slot}, ${JSON.stringify(key)} in ` +
        `${another}; give them a common hash tag, as in "{order:1}:a" and "{order:1}:b"`,
    );
  }
}

/** How long somebody waits, in milliseconds. */
export function checkPatience(name: string, ms: unknown): void {
  if (typeof ms !== "number") {
    throw new TypeError(`${name} must be a number of milliseconds or Infinity, got ${kindOf(ms)}`);
  }
  if (ms === Infinity || (ms >= 0 && ms <= LONGEST_TIMER)) return;
  throw new RangeError(`${name} must be 0 to ${LONGEST_TIMER} ms or Infinity, got ${ms}`);
}

export function checkSignal(signal: unknown): void {
  const methods = ["addEventListener", "removeEventListener", "throwIfAborted"];
  const isOne =
    typeof signal === "object" &&
    signal !== null &&
    ["aborted", "reason"].every((name) => name in signal) &&
    methods.every((name) => typeof Reflect.get(signal, name) === "function");
  if (isOne) return;
  throw new TypeError(`signal must be an AbortSignal, got ${kindOf(signal)}`);
}

function checkToken(token: unknown): void {
  if (typeof token !== "string")
    throw new TypeError(`token must be a string, got ${kindOf(token)}`);
  if (TOKEN.test(token)) return;
  // The token itself stays out of the message: it may be a secret that is only a bit too short.
  throw new RangeError(
    `token must have 16 to 256 characters of printable ASCII without spaces, got ${token.length}`,
  );
}

/** ASCII, so that a character is a byte: scripts tell the token from the metadata by its length. */
const TOKEN = /^[\x21-\x7e]{16,256}$/;

/** Well-formed text of so many bytes: half a surrogate pair would make two texts one in Redis. */
export function checkText(name: string, text: unknown, maxBytes: number): void {
  if (typeof text !== "string")
    throw new TypeError(`${name} must be a string, got ${kindOf(text)}`);
  if (LONE_SURROGATE.test(text)) {
    throw new TypeError(`${name} must be well-formed text, but holds half of a surrogate pair`);
  }
  if (text.length * 3 <= maxBytes) return;
  const bytes = utf8(text).length;
  if (bytes > maxBytes)
    throw new RangeError(`${name} must have at most ${maxBytes} bytes, got ${bytes}`);
}

/** With the `u` flag, only a surrogate that is not part of a pair is a character of its own. */
const LONE_SURROGATE = /\p{Surrogate}/u;
