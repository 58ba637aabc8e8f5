/**
 * Everything that can go wrong, one class a kind, each with a `code` to switch on.
 *
 * `instanceof` goes by brand and code, not by constructor: an error made by the CommonJS copy of this
 * package is recognised by the ES module copy. No error ever holds a token.
 */

const BRAND = "redislock.error";

/** What can go wrong, one code for each class of error. */
export type ErrorCode =
  "NOT_OBTAINED" | "NOT_HELD" | "LOST" | "UNKNOWN" | "REFUSED" | "NOT_A_LOCK" | "CLOSED" | "SERVER";

/**
 * The base of all errors of this library but `TypeError` and `RangeError` for bad input.
 *
 * @example
 * try {
 *   await locker.obtain("invoice:42", 10_000);
 * } catch (error) {
 *   if (error instanceof NotObtainedError) console.log("held by", error.holder?.metadata);
 *   else if (error instanceof OutcomeUnknownError) console.log("nobody knows, try again later");
 *   else throw error;
 * }
 */
export class RedisLockError extends Error {
  /** What happened, to switch on. */
  readonly code: ErrorCode;
  /** The keys it is about, as the caller named them. */
  readonly keys: readonly string[];

  constructor(code: ErrorCode, keys: readonly string[], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.keys = keys;
    // A literal name, for bundlers rename classes.
    Object.defineProperty(this, "name", { value: names[code], configurable: true });
    Object.defineProperty(this, Symbol.for(BRAND), { value: true });
  }

  /** The first of {@link keys}: the only one, most of the time. */
  get key(): string {
    return this.keys[0] ?? "";
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === RedisLockError) return isBranded(value);
    const code = codes.get(this);
    if (code !== undefined) return isBranded(value) && value.code === code;
    return Function.prototype[Symbol.hasInstance].call(this, value); // A class of the user's own.
  }
}

/** What can be said of whoever has a lock; never the token. */
export interface Holder {
  /** What the holder said of itself. `undefined` for a lock that was not taken by this library. */
  readonly metadata: string | undefined;
  /** The holder's fencing token. `undefined` for a lock that was not taken by this library. */
  readonly fencingToken: number | undefined;
  /** Milliseconds until the lock ends by itself; `Infinity` if someone set it without a ttl. */
  readonly remaining: number;
  /**
   * This process holds it itself, through the same client: another part of it, or the same one, which then
   * waits for itself. Locks are not re-entrant. Default: false.
   */
  readonly own?: boolean;
}

/** Another holds the lock, or stands before us in line: a plain "no". */
export class NotObtainedError extends RedisLockError {
  /** Who holds it; `undefined` when the lock is free but kept for the waiters in line. */
  readonly holder: Holder | undefined;
  /** Milliseconds from the call to giving up. */
  readonly waited: number;
  /** How often Redis was asked. */
  readonly attempts: number;
  /** Our place in line when we gave up, 1 being the next to be served; `undefined` without `wait`. */
  readonly position: number | undefined;

  constructor(
    keys: readonly string[],
    facts: {
      holder: Holder | undefined;
      waited: number;
      attempts: number;
      position?: number | undefined;
      cause?: unknown;
    },
  ) {
    const message = `${list(keys)} not obtained: ${because(facts.holder)}`;
    super("NOT_OBTAINED", keys, message, facts.cause);
    this.holder = facts.holder;
    this.waited = facts.waited;
    this.attempts = facts.attempts;
    this.position = facts.position;
  }
}

/** Refresh or release of a lock that is no longer ours, or was released before. */
export class LockNotHeldError extends RedisLockError {
  constructor(keys: readonly string[], message: string, cause?: unknown) {
    super("NOT_HELD", keys, `${list(keys)} not held: ${message}`, cause);
  }
}

/**
 * Why a lock was lost: its time ran out (`expired`), another holds it now (`taken`), someone removed
 * it (`deleted`), Redis gave no answer while it could still be proved (`unreachable`), or nobody kept the
 * `Lock` or its `signal`, so that it was not renewed any more (`dropped`).
 */
export type LossReason = "expired" | "taken" | "deleted" | "unreachable" | "dropped";

/** The lock was lost while it was held: the reason of `lock.signal`, and what `using` rejects with. */
export class LockLostError extends RedisLockError {
  /** Why, in one word. */
  readonly reason: LossReason;

  constructor(keys: readonly string[], reason: LossReason, cause?: unknown) {
    super("LOST", keys, `${list(keys)} lost: ${losses[reason]}`, cause);
    this.reason = reason;
  }
}

/** It could not be found out whether Redis did what was asked. `cause` says what came instead of an answer. */
export class OutcomeUnknownError extends RedisLockError {
  /** What was asked of Redis. */
  readonly operation: Operation;

  constructor(keys: readonly string[], operation: Operation, message: string, cause?: unknown) {
    super("UNKNOWN", keys, `${operation} of ${list(keys)}: outcome unknown: ${message}`, cause);
    this.operation = operation;
  }
}

/** What was asked of Redis when it went wrong. */
export type Operation =
  "obtain" | "refresh" | "release" | "ttl" | "inspect" | "forceRelease" | "announce";

/** Redis answered with an error and did nothing. `reply` is its first word: `NOPERM`, `OOM`, … */
export class RefusedError extends RedisLockError {
  /** What was asked of Redis. */
  readonly operation: Operation;
  /** The first word of the error that Redis answered with. */
  readonly reply: string;

  constructor(keys: readonly string[], operation: Operation, cause: ServerError) {
    super("REFUSED", keys, `${operation} of ${list(keys)} refused: ${cause.message}`, cause);
    this.operation = operation;
    this.reply = cause.reply;
  }
}

/** The key, or one that a lock keeps beside it, holds another type of data, such as a hash or a list. */
export class NotALockError extends RedisLockError {
  constructor(keys: readonly string[], cause: ServerError) {
    const [, which] = /^WRONGTYPE (.+ holds a \w+)$/s.exec(cause.message) ?? [];
    const what = `another type of data${which === undefined ? "" : `: ${which}`}`;
    super("NOT_A_LOCK", keys, `${list(keys)} does not hold a lock but ${what}`, cause);
  }
}

/**
 * The locker was closed: an obtain is given up, or, with `close({ grace })`, the lock that it obtained is
 * about to be released, which then is the reason of `lock.signal`.
 */
export class LockerClosedError extends RedisLockError {
  constructor(keys: readonly string[], held: boolean = false) {
    const what = held ? "must be given back" : "not obtained";
    super("CLOSED", keys, `${list(keys)} ${what}: the locker was closed`);
  }
}

/**
 * For adapters: the server answered with an error, so the script was not run. Takes the server's
 * whole text; what servers quote back of the arguments is cut off, for these may be tokens.
 */
export class ServerError extends RedisLockError {
  /** The first word of the answer: `NOPERM`, `LOADING`, `WRONGTYPE`, …; `ERR` if it has none. */
  readonly reply: string;

  constructor(answer: string) {
    const text = withoutWrapping(answer);
    super("SERVER", [], text.replace(/,? with args beginning with:.*/s, ""));
    this.reply = /^[A-Z]+(?=\s|$)/.exec(text)?.[0] ?? "ERR";
  }
}

/**
 * Redis before 7 wraps what went wrong inside a script: "ERR Error running script (call to f_…):
 * @user_script:1: @user_script: 1: -OOM …". And it calls a missing permission by no code there.
 */
function withoutWrapping(answer: string): string {
  const text = answer.replace(/^ERR Error running script .*user_script: ?\d+: -?/s, "").trimEnd();
  return text.replace(/^(ERR )?(?=The user executing the script can't)/, "NOPERM ");
}

const codes = new Map<unknown, ErrorCode>([
  [NotObtainedError, "NOT_OBTAINED"],
  [LockNotHeldError, "NOT_HELD"],
  [LockLostError, "LOST"],
  [OutcomeUnknownError, "UNKNOWN"],
  [RefusedError, "REFUSED"],
  [NotALockError, "NOT_A_LOCK"],
  [LockerClosedError, "CLOSED"],
  [ServerError, "SERVER"],
]);

const names: Record<ErrorCode, string> = {
  NOT_OBTAINED: "NotObtainedError",
  NOT_HELD: "LockNotHeldError",
  LOST: "LockLostError",
  UNKNOWN: "OutcomeUnknownError",
  REFUSED: "RefusedError",
  NOT_A_LOCK: "NotALockError",
  CLOSED: "LockerClosedError",
  SERVER: "ServerError",
};

const losses: Record<LossReason, string> = {
  expired: "its ttl ran out",
  taken: "another holds it now",
  deleted: "it was removed from Redis",
  unreachable: "Redis could not be asked in time whether it is still held",
  dropped: "it was not renewed any more, because nothing kept the lock object or its signal",
};

function because(holder: Holder | undefined): string {
  if (holder === undefined) return "others stand before us in line";
  if (holder.remaining === Infinity) return "it was taken without a ttl and will not end by itself";
  const who = holder.own ? "this process holds it itself," : "another holds it";
  return `${who} for ${holder.remaining} ms more`;
}

function list(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(", ");
}

function isBranded(value: unknown): value is { code: unknown } {
  return typeof value === "object" && value !== null && Symbol.for(BRAND) in value;
}
