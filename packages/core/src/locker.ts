/// <reference lib="esnext.disposable" preserve="true" />
import { Engine } from "./acquire/engine.js";
import { type CloseOptions, LockCalls } from "./calls.js";
import {
  checkLead,
  checkLeader,
  follow,
  lead,
  type Leader,
  type LeaderOptions,
  type LeadOptions,
  type Term,
} from "./election.js";
import { isolated, type LockEventListener, type Teller } from "./events.js";
import type { Space } from "./keys/names.js";
import type { Lock } from "./lease/lock.js";
import { checkTtl } from "./lease/ttl.js";
import {
  checkCount,
  checkNamespace,
  checkOneKey,
  checkRequest,
  type ObtainOptions,
} from "./options.js";
import { givenOptions, memberOf } from "./own-options.js";
import { ExclusiveClaim } from "./primitives/exclusive.js";
import {
  forceReleaseCommand,
  inspectCommand,
  serveCommand,
  type Inspection,
} from "./primitives/inspection.js";
import { SharedClaim } from "./primitives/shared.js";
import type { RedisClient } from "./redis/client.js";
import type { Command } from "./redis/command.js";
import type { Replication } from "./redis/replicas.js";
import { LONGEST_TIMER, systemClock, type Clock } from "./time/clock.js";

/** What a locker is made with: all of it optional, the same for all its locks. */
export interface LockerOptions {
  /** Put before every key, so that several applications can share a server. Default: nothing. */
  readonly namespace?: string | undefined;

  /**
   * Milliseconds after which a command to Redis counts as unanswered, whatever the client does.
   * Lower: trouble is reported sooner. Higher: longer stalls of Redis are sat out. A lease that is over
   * sooner ends the command with it. Default: 2000.
   */
  readonly commandTimeout?: number | undefined;

  /**
   * Milliseconds for which the last fencing token is remembered after it was given out, so that the next
   * ones are higher even if the server's clock was set back. All locks of a hash slot share what is
   * remembered, about 110 bytes; a name by itself leaves nothing. At least twice the ttl of a lock is
   * remembered. Lower: less is left. Higher: later corrections of the clock are survived. Default: a day.
   */
  readonly rememberFence?: number | undefined;

  /**
   * So many replicas must have a lock before it is returned, and its lease anew before that is relied on:
   * 1 to 2^31 - 1. Fewer than that, and the lock is given back, and refused with the reply `NOREPLICAS`.
   * Higher: more servers may be lost, but all the more must be there. Needs the command `WAIT`, and a client
   * that can have connections beside its own. Default: the master's word is enough.
   */
  readonly minReplicas?: number | undefined;

  /**
   * Milliseconds that replicas have to confirm, 1 to `commandTimeout`. Lower: too few are reported sooner.
   * Higher: slower replicas are waited for. Keep it well below the ttl. Only together with `minReplicas`.
   * Default: a quarter of `commandTimeout`, or 500.
   */
  readonly replicaTimeout?: number | undefined;

  /**
   * Told of all that happens, for logs and metrics; with `detailed`, also of beginnings, and of what
   * belongs together. What it throws cannot disturb a lock.
   *
   * @example
   * createLocker(redis, {
   *   onEvent: (event) => {
   *     if (event.type === "lost") console.error(event.error.message);
   *   },
   * });
   */
  readonly onEvent?: LockEventListener | undefined;

  /** For tests: where time comes from. Default: the platform's monotonic clock and timers. */
  readonly clock?: Clock | undefined;
}

const LOCKER_OPTIONS: Readonly<Record<keyof LockerOptions, true>> = {
  namespace: true,
  commandTimeout: true,
  rememberFence: true,
  minReplicas: true,
  replicaTimeout: true,
  onEvent: true,
  clock: true,
};

const DEFAULT_TIMEOUT = 2_000;
const A_DAY = 86_400_000;

/** Takes locks through one client. Make one for each client and keep it. */
export interface Locker {
  /**
   * The locks that this locker holds: obtained, not released, not lost. Gone through anew each time, and
   * true at each step. A renewed lock whose object nobody keeps is not among them.
   *
   * @example
   * for (const lock of locker.held) console.log(lock.key, lock.remaining);
   */
  readonly held: Iterable<Lock>;

  /**
   * Takes the lock of one key, or of several at once: all of them or none.
   *
   * @param ttl - Milliseconds after which Redis frees the lock if we do not: 10 to 2^31 - 1. Lower: it
   *   is free sooner after a crash. Higher: longer pauses and outages are survived.
   * @example
   * const lock = await locker.obtain("invoice:42", 10_000, { wait: 5_000, renew: true });
   * try {
   *   await pay({ fence: lock.fencingToken, signal: lock.signal });
   * } finally {
   *   await lock.release();
   * }
   * @throws NotObtainedError if another has it; OutcomeUnknownError if that could not be found out;
   *   RefusedError, NotALockError if Redis refused; LockerClosedError; the signal's reason if it
   *   aborted; TypeError, RangeError for bad arguments, before anything is sent.
   */
  obtain(key: string | readonly string[], ttl: number, options?: ObtainOptions): Promise<Lock>;

  /**
   * As {@link obtain}, but `null` instead of a `NotObtainedError`. Trouble still throws.
   *
   * @example
   * await using lock = await locker.tryObtain("report", 60_000, { renew: true });
   * if (lock) await writeReport(lock.signal);
   */
  tryObtain(
    key: string | readonly string[],
    ttl: number,
    options?: ObtainOptions,
  ): Promise<Lock | null>;

  /**
   * Runs `fn` while holding the lock, renewed for as long as it runs, and releases it whatever happens.
   * Returns what `fn` returns and throws what it throws. If the lock was lost meanwhile, `lock.signal`
   * aborts at once, and after `fn` has come to its end, `using` rejects with the `LockLostError`,
   * unless `fn` itself threw. `options.signal` ends the wait for the lock, not the function.
   *
   * @example
   * const receipt = await locker.using("invoice:42", 10_000, { wait: 5_000 }, ({ signal }) => pay(signal));
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
    options: Omit<ObtainOptions, "renew"> | undefined,
    fn: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T>;

  /**
   * Stands for election, in line with the others, and runs `fn(term)` each time that this process comes to
   * lead, one term after the other. The lock is renewed until `fn` has settled, and released then.
   *
   * If the lock is lost, `term.signal` aborts at once; once `fn` has settled, whatever it returned, and if
   * it threw only what the abort made it throw, it stands in line again. Trouble with Redis is told to
   * `onEvent` as `electionFailed`, and tried again. So it ends only
   *
   * - when `fn` returns while it leads: it resigns, and `lead` resolves with what `fn` returned;
   * - when `fn` throws anything but the reason of `term.signal` or an `AbortError` of a lost term;
   * - when `signal` aborts: `term.signal` does, and `lead` ends as `fn` does; or if it does not lead,
   *   `lead` rejects with `signal.reason`;
   * - when the locker or the client is closed.
   *
   * @param ttl - As of {@link obtain}: how long the others wait for another leader after a crash.
   * @example
   * await locker.lead("scheduler", 15_000, { name: hostname(), signal }, async (term) => {
   *   while (!term.signal.aborted) await runDueJobs(term.fencingToken);
   * });
   * @throws what `fn` throws; the signal's reason; LockerClosedError; TypeError, RangeError
   */
  lead<T>(
    key: string,
    ttl: number,
    options: LeadOptions,
    fn: (term: Term) => T | PromiseLike<T>,
  ): Promise<T>;

  /**
   * Who leads: at once, and then at each change, always as of now; `undefined` when nobody is known to.
   * Leaders that came and went unseen are left out, and no two have the same fencing token.
   *
   * A message tells of a leader that begins or resigns, and of a forced release. All else, a crash above
   * all, is learned of when the lease is over that was known of, and `commandTimeout` later if Redis does
   * not answer. A client that hears no messages looks after each third of what is left of the lease, at
   * least 100 ms apart, and each second if nobody leads. Each iteration subscribes by itself.
   *
   * @example
   * for await (const leader of locker.leader("scheduler", { signal })) console.log(leader?.name);
   * @throws the signal's reason; LockerClosedError; TypeError, RangeError. Trouble with Redis is told to
   *   `onEvent` as `electionFailed`, and tried again.
   */
  leader(key: string, options?: LeaderOptions): AsyncIterable<Leader | undefined>;

  /**
   * Who has the lock and who waits for it, as of now.
   *
   * @example
   * const { holder, waiters } = await locker.inspect("invoice:42");
   * console.log(holder?.metadata ?? "nobody", holder?.remaining, waiters);
   * @throws OutcomeUnknownError, RefusedError, NotALockError
   */
  inspect(key: string): Promise<Inspection>;

  /**
   * For operators: takes the lock away from whoever has it, and gives it to the next in line. The holder
   * learns of it when it next renews or refreshes; until then only the fencing token keeps it out.
   *
   * A copy that is sent because the first was not answered takes it away once more, also from whoever was
   * granted it meanwhile.
   *
   * @returns whether anybody had it; true also if a first copy was not answered, and may have found somebody.
   * @example
   * if (await locker.forceRelease("invoice:42")) console.log("taken away");
   * @throws OutcomeUnknownError, RefusedError, NotALockError
   */
  forceRelease(key: string): Promise<boolean>;

  /**
   * Ends the obtains that are under way with a `LockerClosedError`, and closes what the locker itself
   * opened. Locks that are held stay held, and can be released; the client stays the user's.
   *
   * With `grace`, also ends what is held: functions in `using` are told by `lock.signal`, and have that time
   * to end. Resolves when all is released, which a release without an answer may delay by `commandTimeout`.
   * What fails is told to `onEvent`.
   *
   * @example
   * process.once("SIGTERM", () => locker.close({ grace: 10_000 }));
   * @throws TypeError, RangeError for bad options
   */
  close(options?: CloseOptions): Promise<void>;

  /** As {@link close}, without a time of grace. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What makes a {@link Locker}. `instanceof` knows those of every copy of this package. */
export interface LockerConstructor {
  readonly prototype: Locker;
  /** @throws TypeError, RangeError for a client or options that are none. */
  new (client: RedisClient, options?: LockerOptions): Locker;
}

const BRAND = Symbol.for("redislock.locker");

/** Its type is an interface, so that the CommonJS copy and the ES module copy of this package fit each other. */
export const Locker: LockerConstructor = class Locker extends LockCalls {
  readonly #engine: Engine;
  readonly #space: Space;

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === Locker) return typeof value === "object" && value !== null && BRAND in value;
    return Function.prototype[Symbol.hasInstance].call(this, value); // A class of the user's own.
  }

  constructor(client: RedisClient, options: LockerOptions = {}) {
    const own = ownClient(client);
    const given = givenOptions("options", options, LOCKER_OPTIONS);
    const { clock, commandTimeout, emit, ...rest } = checkedOptions(given);
    const { keyPrefix = "", cluster = false } = own;
    const space: Space = { ...rest, keyPrefix, cluster };
    const replication = replicationOf(given, commandTimeout, own);
    const inspect = (key: string): Command<Inspection> => inspectCommand(key, space);
    const engine = new Engine(own, clock, commandTimeout, emit, { replication, inspect });
    super(engine, (key, ttl, options) => {
      const request = checkRequest(key, ttl, options, space);
      const { sharing } = request;
      const claim = sharing
        ? new SharedClaim(request, sharing, space)
        : new ExclusiveClaim(request, space);
      return engine.obtain(claim, request);
    });
    Object.defineProperty(this, BRAND, { value: true });
    this.#space = space;
    this.#engine = engine;
  }

  async lead<T>(
    key: string,
    ttl: number,
    options: LeadOptions,
    fn: (term: Term) => T | PromiseLike<T>,
  ): Promise<T> {
    checkOneKey(key, this.#space);
    const { name: metadata, signal } = checkLead(options);
    if (typeof fn !== "function") throw new TypeError("fn must be a function that takes the term");
    const place = { engine: this.#engine, space: this.#space, key };
    const manner = { wait: Infinity, renew: true, metadata, signal };
    return lead(place, () => this.obtain(key, ttl, manner), signal, fn);
  }

  leader(key: string, options: LeaderOptions = {}): AsyncIterable<Leader | undefined> {
    checkOneKey(key, this.#space);
    const { signal } = checkLeader(options);
    const place = { engine: this.#engine, space: this.#space, key };
    return { [Symbol.asyncIterator]: () => follow(place, signal) };
  }

  async inspect(key: string): Promise<Inspection> {
    checkOneKey(key, this.#space);
    return this.#engine.ask("inspect", key, inspectCommand(key, this.#space));
  }

  async forceRelease(key: string): Promise<boolean> {
    checkOneKey(key, this.#space);
    const command = forceReleaseCommand(key, this.#space);
    const { reply, once } = await this.#engine.replyTo("forceRelease", key, command);
    for (let { unserved } = reply; unserved;) {
      ({ unserved } = await this.#engine.ask("forceRelease", key, serveCommand(key, this.#space)));
    }
    // One that was sent before may have taken it away then.
    return reply.owned || !once;
  }
};

const lockers = new WeakMap<RedisClient, Locker>();

/**
 * Takes a lock without a locker of one's own: as `new Locker(client).obtain(key, ttl, options)`.
 *
 * @example
 * const lock = await obtain(ioredisClient(redis), "invoice:42", 10_000);
 * @throws as `obtain` of a {@link Locker}; TypeError for what is no client
 */
export async function obtain(
  client: RedisClient,
  key: string | readonly string[],
  ttl: number,
  options: ObtainOptions = {},
): Promise<Lock> {
  let locker = lockers.get(client);
  if (!locker) {
    locker = new Locker(client);
    lockers.set(client, locker);
  }
  return locker.obtain(key, ttl, options);
}

/** What every locker needs of its options, checked and complete. */
export function checkedOptions(given: Partial<LockerOptions>): {
  readonly namespace: string;
  readonly commandTimeout: number;
  readonly rememberFence: number;
  readonly clock: Clock;
  readonly emit: Teller | undefined;
} {
  const { namespace = "", commandTimeout = DEFAULT_TIMEOUT, rememberFence = A_DAY } = given;
  const { onEvent, clock = systemClock } = given;
  checkNamespace(namespace);
  checkTtl("commandTimeout", commandTimeout);
  checkTtl("rememberFence", rememberFence);
  if (onEvent !== undefined && typeof onEvent !== "function") {
    throw new TypeError("onEvent must be a function");
  }
  return { namespace, commandTimeout, rememberFence, clock, emit: isolated(onEvent) };
}

const ownClients = new WeakMap<RedisClient, RedisClient>();

/**
 * The client as it or its class was written: nothing that stands on the prototype of all objects.
 *
 * @throws TypeError for what is no client
 */
export function ownClient(client: RedisClient): RedisClient {
  checkClient(client);
  const known = ownClients.get(client);
  if (known) return known;
  const subscribe = memberOf(client, "subscribe");
  const side = memberOf(client, "side");
  const own: RedisClient = {
    run: (script, keys, args) => client.run(script, keys, args),
    ...(subscribe && {
      subscribe: (channel, listener) => subscribe.call(client, channel, listener),
    }),
    ...(side && { side }),
    keyPrefix: memberOf(client, "keyPrefix") ?? "",
    cluster: memberOf(client, "cluster") ?? false,
    get closed() {
      return memberOf(client, "closed") ?? false;
    },
    get connection() {
      return memberOf(client, "connection");
    },
    get epoch() {
      return memberOf(client, "epoch");
    },
  };
  ownClients.set(client, own);
  return own;
}

function checkClient(client: unknown): void {
  if (typeof client === "object" && client !== null && "run" in client) {
    if (typeof client.run === "function") return;
  }
  throw new TypeError("client must be a RedisClient, such as an adapter makes");
}

/** What a locker asks of replicas; undefined for nothing. */
function replicationOf(
  { minReplicas, replicaTimeout }: Partial<LockerOptions>,
  commandTimeout: number,
  client: RedisClient,
): Replication | undefined {
  if (minReplicas === undefined) {
    if (replicaTimeout === undefined) return undefined;
    throw new TypeError("replicaTimeout needs minReplicas: how many are waited for");
  }
  checkCount("minReplicas", minReplicas, LONGEST_TIMER);
  const timeout = replicaTimeout ?? Math.ceil(commandTimeout / 4);
  checkCount("replicaTimeout", timeout, commandTimeout);
  const { side } = client;
  if (side) return { side, minReplicas, replicaTimeout: timeout };
  throw new TypeError("minReplicas needs a client that can have connections beside its own");
}
