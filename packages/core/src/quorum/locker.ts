/// <reference lib="esnext.disposable" preserve="true" />
import { Engine } from "../acquire/engine.js";
import { type CloseOptions, LockCalls } from "../calls.js";
import type { Space } from "../keys/names.js";
import type { Lock } from "../lease/lock.js";
import { ownLocksOf } from "../lease/own-locks.js";
import { checkTtl } from "../lease/ttl.js";
import { checkedOptions, type Locker, type LockerOptions, ownClient } from "../locker.js";
import { checkOneKey, checkRequest, type ObtainOptions, type Request } from "../options.js";
import { givenOptions, kindOf } from "../own-options.js";
import { type Forced, forceReleaseCommand, type Inspection } from "../primitives/inspection.js";
import type { RedisClient } from "../redis/client.js";
import type { Command, Replied } from "../redis/command.js";
import { Timers } from "../time/timers.js";
import { QuorumClaim } from "./claim.js";
import { atAll, gather, majorityOf, said, type Votes } from "./gather.js";
import { inspectAtAll } from "./inspection.js";
import { Member } from "./member.js";
import { Quorum } from "./quorum.js";
import { waitingFor } from "./wait.js";

/** What a locker over several servers is made with: all of it optional, the same for all its locks. */
export interface QuorumLockerOptions extends Omit<LockerOptions, "minReplicas" | "replicaTimeout"> {
  /**
   * The longest ttl, and `holdAtLeast`, of any lock of these servers, in milliseconds, the same for all who
   * use them: 10 to 2^31 - 1. A server that was up for less casts no vote, since it may have forgotten a
   * lock that is not over. Lower: servers vote again sooner after a restart. Higher: longer ttls can be
   * asked for. Default: 60000.
   */
  readonly maxTtl?: number | undefined;
}

const QUORUM_OPTIONS: Readonly<Record<keyof QuorumLockerOptions, true>> = {
  namespace: true,
  commandTimeout: true,
  rememberFence: true,
  onEvent: true,
  clock: true,
  maxTtl: true,
};

/** What may be asked of a quorum: locks of one key, for one holder. */
export type QuorumObtainOptions = Omit<ObtainOptions, "mode" | "limit" | "permits">;

/** Takes locks from a majority of independent servers. Make one and keep it. */
export interface QuorumLocker extends Pick<
  Locker,
  "held" | "inspect" | "close" | typeof Symbol.asyncDispose
> {
  /**
   * As of a {@link Locker}: true if a majority of the servers had it, or may have where some do not answer.
   */
  forceRelease(key: string): Promise<boolean>;
  /**
   * As of a {@link Locker}, from a majority of the servers. `wait` stands in line at the first of them that
   * answers.
   *
   * @throws TypeError if the servers are found to make no quorum; else as of a `Locker`
   */
  obtain(key: string, ttl: number, options?: QuorumObtainOptions): Promise<Lock>;
  /** As {@link obtain}, but `null` instead of a `NotObtainedError`. Trouble still throws. */
  tryObtain(key: string, ttl: number, options?: QuorumObtainOptions): Promise<Lock | null>;
  /** As of a {@link Locker}. */
  using<T>(key: string, ttl: number, fn: (lock: Lock) => T | PromiseLike<T>): Promise<T>;
  using<T>(
    key: string,
    ttl: number,
    options: Omit<QuorumObtainOptions, "renew"> | undefined,
    fn: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T>;
}

/** What makes a {@link QuorumLocker}. */
export interface QuorumLockerConstructor {
  readonly prototype: QuorumLocker;
  /**
   * @param clients - Of at least three independent masters, in the same order wherever they are used.
   * @throws TypeError, RangeError for clients that make no quorum, or options that are none.
   */
  new (clients: readonly RedisClient[], options?: QuorumLockerOptions): QuorumLocker;
}

const DEFAULT_MAX_TTL = 60_000;
const FEWEST = 3;

export const QuorumLocker: QuorumLockerConstructor = class QuorumLocker extends LockCalls {
  readonly #engine: Engine;
  readonly #quorum: Quorum;
  /** Where keys live at the first of the servers. */
  readonly #space: Space;

  constructor(clients: readonly RedisClient[], options: QuorumLockerOptions = {}) {
    const own = checkClients(clients);
    checkNoReplicas(options);
    const { maxTtl = DEFAULT_MAX_TTL, ...given } = givenOptions("options", options, QUORUM_OPTIONS);
    checkTtl("maxTtl", maxTtl);
    const { clock, commandTimeout: timeout, emit, ...rest } = checkedOptions(given);
    const timers = new Timers(clock);
    const spaces = new Map<string, Space>();
    const spaceOf = ({ keyPrefix = "" }: RedisClient): Space => {
      const known = spaces.get(keyPrefix) ?? { ...rest, keyPrefix, cluster: false };
      spaces.set(keyPrefix, known);
      return known;
    };
    const facts = { timers, timeout, clock, emit };
    const members = own.map((client, index) => new Member(index, client, spaceOf(client), facts));
    const quorum = new Quorum(members, timers, timeout, maxTtl);
    const waiting = waitingFor(quorum);
    const inspect = (key: string): Command<Inspection> => inspectAtAll(key, quorum);
    const client = together(own);
    const [first = client] = own;
    const space = spaceOf(first);
    const ways = { waiting, inspect, timers, own: ownLocksOf(first) };
    const engine = new Engine(client, clock, timeout, emit, ways);
    super(engine, (key, ttl, obtainOptions) => {
      const request = checkRequest(key, ttl, obtainOptions, space);
      checkForQuorum(request);
      checkTtl("ttl", request.ttl, maxTtl);
      // What a release leaves taken is forgotten by a restart as a lease is, and never renewed.
      if (request.holdAtLeast > 0) checkTtl("holdAtLeast", request.holdAtLeast, maxTtl);
      return engine.obtain(new QuorumClaim(request, quorum), request);
    });
    this.#engine = engine;
    this.#quorum = quorum;
    this.#space = space;
  }

  async inspect(key: string): Promise<Inspection> {
    checkOneKey(key, this.#space);
    return this.#engine.ask("inspect", key, inspectAtAll(key, this.#quorum));
  }

  async forceRelease(key: string): Promise<boolean> {
    checkOneKey(key, this.#space);
    const { members, roll } = this.#quorum;
    const command = atAll<Forced>(async (options) => {
      await roll.call(options.until);
      return gather<Forced, Member>(members, {
        ask: async (member) => {
          const outcome = await member.run(forceReleaseCommand(key, member.space), options);
          if (outcome.kind === "reply" && outcome.reply.unserved) {
            this.#quorum.leaves(member.serve(key));
          }
          return roll.byKnown(member, outcome);
        },
        yes: (votes, all) => {
          const owned = wasHeld(votes, members, all);
          return owned === undefined
            ? undefined
            : said(votes, members.length, { owned, unserved: false });
        },
      });
    });
    const { owned } = await this.#engine.ask("forceRelease", key, command);
    return owned;
  }

  override async close(options?: CloseOptions): Promise<void> {
    await super.close(options);
    const { members, timers } = this.#quorum;
    const inboxes = members.map(({ line }) => line.inbox.close(line.owner));
    await timers.awaited(Promise.allSettled([...inboxes, this.#quorum.left()]));
  }
};

/**
 * Whether a majority had what was taken away. A release that is still on its way to the last of the servers
 * has left one vote there, which is no lock. Undefined while those yet to answer decide it; who is silent
 * may have had it.
 */
function wasHeld(
  votes: readonly Replied<Forced>[],
  members: readonly Member[],
  all: Votes<Forced>,
): boolean | undefined {
  const need = majorityOf(members.length);
  const owned = votes.filter(({ reply, once }) => reply.owned || !once).length;
  if (owned >= need) return true;
  if (owned + members.length - votes.length < need) return false;
  const open = members.some(({ index, silent }) => !all[index] && !silent);
  return open ? undefined : true;
}

/** What stands for all the clients where one is asked for: nothing is sent through it. */
function together(clients: readonly RedisClient[]): RedisClient {
  const most = clients.length - majorityOf(clients.length);
  return {
    run: () => Promise.reject(new Error("each server is sent its own")),
    get closed() {
      return clients.filter(({ closed }) => closed).length > most;
    },
  };
}

/**
 * For adapters: each of their library's clients as a `RedisClient`.
 *
 * @throws TypeError for what is no array
 */
export function eachClient<T>(
  redis: readonly T[],
  wrap: (redis: T) => RedisClient,
): readonly RedisClient[] {
  if (!Array.isArray(redis)) throw new TypeError(`redis must be an array, got ${kindOf(redis)}`);
  return redis.map((one: T) => wrap(one));
}

/** @throws TypeError, RangeError for what makes no quorum as far as clients themselves show. */
function checkClients(clients: unknown): readonly RedisClient[] {
  if (!isArray(clients)) throw new TypeError(`clients must be an array, got ${kindOf(clients)}`);
  if (clients.length < FEWEST) {
    throw new RangeError(
      `clients must be of at least ${FEWEST} servers, got ${clients.length}: of two, the majority ` +
        "is both, so that each that fails stops all",
    );
  }
  const own = Array.from(clients, ownClient);
  if (new Set(own).size < own.length) {
    throw new TypeError("clients must be of different servers, but one is there twice");
  }
  const node = own.findIndex(({ cluster }) => cluster);
  if (node >= 0) {
    throw new TypeError(
      `clients must be of independent masters, but server ${node + 1} is a cluster: in one, a lock ` +
        "is at one node and its replicas",
    );
  }
  return own;
}

function isArray(value: unknown): value is readonly RedisClient[] {
  return Array.isArray(value);
}

function checkNoReplicas(options: unknown): void {
  if (typeof options !== "object" || options === null) return;
  if (Reflect.get(options, "minReplicas") === undefined) return;
  throw new TypeError(
    "minReplicas is for a master with replicas: a quorum is of masters that do not share their data",
  );
}

/** @throws TypeError, RangeError for what a quorum does not give. */
function checkForQuorum({ keys, sharing }: Request): void {
  if (sharing) {
    throw new TypeError(
      `${sharing.limit === undefined ? "mode" : "limit"} is not for a quorum: majorities for two ` +
        "holders can consist of different servers, so that more are let in than may be",
    );
  }
  if (keys.length > 1) throw new TypeError("key must be one: a quorum takes locks one by one");
}
