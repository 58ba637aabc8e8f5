/// <reference lib="esnext.disposable" preserve="true" />
import { Alarm } from "./alarm.js";
import { Calls } from "./calls.js";
import { type Answer, Claim, failure, readHolder } from "./claim.js";
import type { RedisClient, Reply, Script } from "./client.js";
import { type Clock, systemClock } from "./clock.js";
import { Effort } from "./effort.js";
import { type Holder, LockerClosedError, NotObtainedError, type Operation } from "./errors.js";
import { type EventListener, isolated } from "./events.js";
import { Inbox } from "./inbox.js";
import { Lease } from "./lease.js";
import { HeldLock, type Lock } from "./lock.js";
import { lockNames, type Space } from "./names.js";
import { checkObject, givenOptions, memberOf } from "./options.js";
import { poll } from "./polling.js";
import { redacted } from "./redact.js";
import { type Holding, Renewal } from "./renewal.js";
import { wholeNumber } from "./replies.js";
import {
  checkKeys,
  checkRequest,
  checkNamespace,
  checkTtl,
  type ObtainOptions,
  type Request,
} from "./request.js";
import { noRetry } from "./retry.js";
import { forceReleaseScript, inspectScript } from "./scripts.js";
import { standInLine } from "./waiting.js";

export interface LockerOptions {
  /** Put before every key, so that several applications can share a server. Default: nothing. */
  readonly namespace?: string | undefined;

  /**
   * Milliseconds after which a question to Redis counts as unanswered, whatever the client does.
   * Lower: trouble is reported sooner. Higher: longer stalls of Redis are sat out. A lease that is over
   * sooner ends the question with it. Default: 2000.
   */
  readonly commandTimeout?: number | undefined;

  /** Told of all that happens, for logs and metrics. What it throws cannot disturb a lock. */
  readonly onEvent?: EventListener | undefined;

  /** For tests: where time comes from. Default: the platform's monotonic clock and timers. */
  readonly clock?: Clock | undefined;
}

/** Who has a lock, and who waits for it. */
export interface Inspection {
  /** `undefined` when nobody has it. */
  readonly holder: Holder | undefined;
  /** How many stand in line. */
  readonly waiters: number;
  /** The first hundred of them, in the order in which they will be served. */
  readonly line: readonly WaiterInfo[];
}

export interface WaiterInfo {
  /** 1 for the next to be served. */
  readonly position: number;
  /** What the waiter said of itself; "" if nothing. */
  readonly metadata: string;
  /** Milliseconds since it came, by the server's clock. */
  readonly waited: number;
}

const LOCKER_OPTIONS: Readonly<Record<keyof LockerOptions, true>> = {
  namespace: true,
  commandTimeout: true,
  onEvent: true,
  clock: true,
};

const DEFAULT_TIMEOUT = 2_000;
/** How many waiters an inspection tells of. */
const LINE_SHOWN = 100;
/** How long an obtain that ends with a "no" waits for Redis to say who has the lock, in milliseconds. */
const LAST_WORD = 50;

/** Takes locks through one client. Make one for each client and keep it. */
export class Locker {
  readonly #calls: Calls;
  readonly #alarm: Alarm;
  readonly #space: Space;
  readonly #emit: EventListener;
  readonly #renewal: Renewal;
  readonly #inbox: Inbox;
  readonly #efforts = new Map<Effort, Claim>();
  #closed = false;

  /** @throws TypeError, RangeError for a client or options that are none. */
  constructor(client: RedisClient, options: LockerOptions = {}) {
    checkClient(client);
    const given = givenOptions("options", options, LOCKER_OPTIONS);
    const { namespace = "", commandTimeout = DEFAULT_TIMEOUT, onEvent, clock } = given;
    checkNamespace(namespace);
    checkTtl("commandTimeout", commandTimeout);
    if (onEvent !== undefined && typeof onEvent !== "function") {
      throw new TypeError("onEvent must be a function");
    }
    this.#alarm = new Alarm(clock ?? systemClock);
    const trusted = ownClient(client);
    const { keyPrefix = "", cluster = false } = trusted;
    this.#calls = new Calls(trusted, this.#alarm, commandTimeout);
    this.#space = { namespace, keyPrefix, cluster };
    this.#emit = isolated(onEvent);
    this.#renewal = new Renewal(this.#calls, this.#emit);
    this.#inbox = new Inbox(
      trusted,
      () => this.#alarm.now(),
      (error) => this.#emit({ type: "subscribeFailed", error: redacted(error, this.#inbox.id) }),
    );
  }

  /**
   * Takes the lock of one key, or of several at once: all of them or none.
   *
   * @param ttl - Milliseconds after which Redis frees the lock if we do not: 10 to 2^31 - 1. Lower: it
   *   is free sooner after a crash. Higher: longer pauses and outages are survived.
   * @throws NotObtainedError if another has it; OutcomeUnknownError if that could not be found out;
   *   RefusedError, NotALockError if Redis refused; LockerClosedError; the signal's reason if it
   *   aborted; TypeError, RangeError for bad arguments, before anything is sent.
   */
  async obtain(
    key: string | readonly string[],
    ttl: number,
    options: ObtainOptions = {},
  ): Promise<Lock> {
    const result = await this.#alarm.awaited(this.#seek(key, ttl, options));
    if (result instanceof NotObtainedError) throw result;
    return result;
  }

  /** As {@link obtain}, but `null` instead of a `NotObtainedError`. Trouble still throws. */
  async tryObtain(
    key: string | readonly string[],
    ttl: number,
    options: ObtainOptions = {},
  ): Promise<Lock | null> {
    const result = await this.#alarm.awaited(this.#seek(key, ttl, options));
    return result instanceof NotObtainedError ? null : result;
  }

  /**
   * Runs `fn` while holding the lock, renewed for as long as it runs, and releases it whatever happens.
   * Returns what `fn` returns and throws what it throws. If the lock was lost meanwhile, `lock.signal`
   * aborts at once, and after `fn` has come to its end, `using` rejects with the `LockLostError`,
   * unless `fn` itself threw. `options.signal` ends the wait for the lock, not the function.
   *
   * @throws what `obtain` throws, what `fn` throws, LockLostError
   */
  using<T>(
    key: string | readonly string[],
    ttl: number,
    fn: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T>;
  using<T>(
    key: string | readonly string[],
    ttl: number,
    options: Omit<ObtainOptions, "renew">,
    fn: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T>;
  async using<T>(
    key: string | readonly string[],
    ttl: number,
    optionsOrFn: ObtainOptions | ((lock: Lock) => T | PromiseLike<T>),
    maybeFn?: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T> {
    const [options, fn] =
      typeof optionsOrFn === "function" ? [{}, optionsOrFn] : [optionsOrFn, maybeFn];
    if (typeof fn !== "function") throw new TypeError("fn must be a function that takes the lock");
    checkObject("options", options);
    const lock = await this.obtain(key, ttl, { ...options, renew: true });
    try {
      const result = await fn(lock);
      if (!lock.held) lock.signal.throwIfAborted();
      return result;
    } finally {
      await lock[Symbol.asyncDispose]();
    }
  }

  /**
   * Who has the lock and who waits for it, as of now.
   *
   * @throws OutcomeUnknownError, RefusedError, NotALockError
   */
  async inspect(key: string): Promise<Inspection> {
    return this.#ask("inspect", inspectScript, key, [String(LINE_SHOWN)], readInspection);
  }

  /**
   * For operators: takes the lock away from whoever has it, and gives it to the next in line. The holder
   * learns of it when it next renews or refreshes; until then only the fencing token keeps it out.
   *
   * @returns whether anybody had it.
   * @throws OutcomeUnknownError, RefusedError, NotALockError
   */
  async forceRelease(key: string): Promise<boolean> {
    return this.#ask("forceRelease", forceReleaseScript, key, [], readForceRelease);
  }

  /**
   * Ends the obtains that are under way with a `LockerClosedError`, and closes what the locker itself
   * opened. Locks that are held stay held, and can be released; the client stays the user's.
   */
  async close(): Promise<void> {
    this.#closed = true;
    const leaving = [...this.#efforts].map(([effort, claim]) => {
      effort.stop(new LockerClosedError(claim.keys));
      return claim.giveUp();
    });
    await this.#alarm.awaited(Promise.allSettled([this.#inbox.close(), ...leaving]));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The main flow: ask, wait if that is wanted, and hold the lock or leave nothing behind. */
  async #seek(
    key: string | readonly string[],
    ttl: number,
    options: ObtainOptions,
  ): Promise<Lock | NotObtainedError> {
    const request = checkRequest(key, ttl, options, this.#space);
    const { keys, signal } = request;
    this.#checkOpen(keys);
    signal?.throwIfAborted();

    const started = this.#alarm.now();
    const effort = new Effort(this.#alarm);
    const claim = new Claim(request, this.#space, this.#calls, () =>
      this.#emit({ type: "lateGrantReleased", keys }),
    );
    this.#efforts.set(effort, claim);
    let answer: Answer;
    try {
      answer = await effort.run(() => this.#pursue(request, claim, effort, started), signal);
    } catch (error) {
      void claim.giveUp();
      throw error;
    } finally {
      this.#efforts.delete(effort);
      const waited = this.#alarm.now() - started;
      if (effort.tries > 1) this.#emit({ type: "waited", keys, waited });
    }

    const { tries } = effort;
    if (answer.kind === "granted") {
      const { fencingToken } = answer;
      const waited = this.#alarm.now() - started;
      this.#emit({ type: "obtained", keys, waited, tries, fencingToken });
      return this.#hold(claim, answer, request.renew);
    }
    const left = claim.giveUp();
    if (answer.kind === "failed") throw answer.error;
    const facts = await Promise.race([left, this.#alarm.sleep(LAST_WORD)]);
    signal?.throwIfAborted();
    const holder = facts ? facts.holder : answer.holder;
    const position = facts ? facts.position : answer.place?.position;
    const waited = this.#alarm.now() - started;
    this.#emit({ type: "notObtained", keys, waited, tries, holder });
    return new NotObtainedError(keys, { holder, waited, attempts: tries, position });
  }

  #pursue(request: Request, claim: Claim, effort: Effort, started: number): Promise<Answer> {
    const { ttl, wait, retry = noRetry, signal } = request;
    if (wait !== undefined) {
      const deadline = started + wait;
      const lastAnswer = Math.max(deadline, started + this.#calls.timeout);
      return standInLine(claim, effort, this.#alarm, this.#inbox, deadline, lastAnswer);
    }
    return poll(claim, effort, this.#alarm, retry, signal ? Infinity : started + ttl);
  }

  #hold(claim: Claim, granted: Answer & { kind: "granted" }, renew: boolean): Lock {
    const { fencingToken, sentAt, ttl } = granted;
    claim.granted(fencingToken);
    const lease = new Lease(claim.keys, this.#alarm, sentAt, ttl, (error) => {
      this.#renewal.stop(holding);
      claim.end();
      this.#emit({ type: "lost", keys: claim.keys, error });
    });
    const holding: Holding = { claim, lease };
    const lock = new HeldLock(holding, fencingToken, this.#renewal, this.#alarm, this.#emit);
    if (renew) this.#renewal.keep(holding, lock);
    // A grant can be proved only from the last question on: after a long wait, ask for a whole lease.
    if (this.#alarm.now() + claim.ttl * 0.75 > sentAt + ttl)
      void this.#renewal.refresh(holding, claim.ttl);
    return lock;
  }

  async #ask<T>(
    operation: Operation,
    script: Script,
    key: string,
    args: readonly string[],
    read: (reply: Reply) => T | undefined,
  ): Promise<T> {
    if (typeof key !== "string") throw new TypeError("key must be a string");
    const keys = checkKeys(key, this.#space);
    this.#checkOpen(keys);
    const command = { script, keys: lockNames(key, this.#space), args, read };
    const outcome = await this.#alarm.awaited(this.#calls.run(command));
    if (outcome.kind !== "reply") throw failure(keys, operation, outcome);
    return outcome.reply;
  }

  #checkOpen(keys: readonly string[]): void {
    if (this.#closed) throw new LockerClosedError(keys);
    if (this.#calls.client.closed)
      throw new TypeError("client is closed: connect it, or use another");
  }
}

function readInspection(reply: Reply): Inspection | undefined {
  if (typeof reply !== "object" || reply === null || reply.length % 2 !== 0) return undefined;
  const [left, fence, metadata, count, ...told] = reply;
  const holder = readHolder(left, fence, metadata);
  const waiters = wholeNumber(count);
  if (!holder || waiters === undefined || told.length / 2 > Math.min(waiters, LINE_SHOWN)) {
    return undefined;
  }
  const line: WaiterInfo[] = [];
  for (let i = 0; i < told.length; i += 2) {
    const [said, waited] = [told[i], wholeNumber(told[i + 1])];
    if (typeof said !== "string" || waited === undefined) return undefined;
    line.push({ position: i / 2 + 1, metadata: said, waited });
  }
  return { holder: holder === "nobody" ? undefined : holder, waiters, line };
}

function readForceRelease(reply: Reply): boolean | undefined {
  return reply === "1" ? true : reply === "0" ? false : undefined;
}

const lockers = new WeakMap<RedisClient, Locker>();

/** Takes a lock without a locker of one's own: as `new Locker(client).obtain(key, ttl, options)`. */
export async function obtain(
  client: RedisClient,
  key: string | readonly string[],
  ttl: number,
  options: ObtainOptions = {},
): Promise<Lock> {
  checkClient(client);
  let locker = lockers.get(client);
  if (!locker) {
    locker = new Locker(client);
    lockers.set(client, locker);
  }
  return locker.obtain(key, ttl, options);
}

/** The client as it or its class was written: nothing that stands on the prototype of all objects. */
function ownClient(client: RedisClient): RedisClient {
  const subscribe = memberOf(client, "subscribe");
  return {
    run: (script, keys, args) => client.run(script, keys, args),
    ...(subscribe && {
      subscribe: (channel, listener) => subscribe.call(client, channel, listener),
    }),
    keyPrefix: memberOf(client, "keyPrefix") ?? "",
    cluster: memberOf(client, "cluster") ?? false,
    get closed() {
      return memberOf(client, "closed") ?? false;
    },
  };
}

function checkClient(client: unknown): void {
  if (typeof client === "object" && client !== null && "run" in client) {
    if (typeof client.run === "function") return;
  }
  throw new TypeError("client must be a RedisClient, such as an adapter makes");
}
