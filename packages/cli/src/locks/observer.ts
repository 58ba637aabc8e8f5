/** Reads locks, and takes none. */
import {
  createLocker,
  type Inspection,
  type Locker,
  OutcomeUnknownError,
  RedisLockError,
} from "@redislock/ioredis";
import type { Redis } from "ioredis";

import { exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import type { Connection } from "../redis/connection.js";
import { explain } from "../redis/explain.js";
import { ReadingClient } from "../redis/reading.js";

import { type LockInfo, lockInfo } from "./lock-info.js";
import { companionPattern, readCompanion } from "./names.js";

/** How many keys a server looks at in one go. */
const SCAN_COUNT = 1_000;
/** How many locks are asked about at a time. */
const AT_A_TIME = 64;

/** What a listing has come to so far. */
export interface Found {
  /** Keys that were gone through. */
  scanned: number;
  locks: number;
  /** Locks that could not be read, and why not: the last reason. */
  unread: number;
  why: string;
  /** Masters of a cluster that were not asked, as one node alone was named; null if that is not known. */
  unasked: number | null;
  /** Goes up whenever Redis says something, by which one sees that it is there. */
  answers: number;
}

export function nothingFound(): Found {
  return { scanned: 0, locks: 0, unread: 0, why: "", unasked: 0, answers: 0 };
}

export class Observer {
  readonly #connection: Connection;
  readonly #namespace: string;
  readonly #locker: Locker;
  /** Null until it is known. */
  #unasked: number | null = null;

  constructor(connection: Connection, namespace: string) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#locker = createLocker(new ReadingClient(connection.redis), { namespace });
  }

  /** What is said while Redis answers nothing. */
  get away(): string {
    return `${this.#connection.target.shown} is away or hangs; it is asked again and again`;
  }

  /** @throws Failure */
  async inspect(key: string): Promise<Inspection> {
    try {
      return await this.#locker.inspect(key);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Milliseconds by the server's clock; undefined if it does not tell. */
  async serverNow(
    redis: Redis | Connection["redis"] = this.#connection.redis,
  ): Promise<number | undefined> {
    try {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1_000 + Number(micros) / 1_000;
    } catch {
      return undefined;
    }
  }

  /** Undefined if nobody has the lock and nobody waits. */
  async lock(key: string): Promise<LockInfo | undefined> {
    const inspection = await this.inspect(key);
    if (!inspection.holder && inspection.waiters === 0) return undefined;
    return lockInfo(key, inspection, await this.serverNow());
  }

  /**
   * All locks that are held or waited for and whose keys begin so, one batch of SCAN after the other, on
   * each server. Some may come twice.
   *
   * @throws Failure
   */
  async *locks(prefix: string, found: Found): AsyncGenerator<LockInfo> {
    const pattern = companionPattern(this.#namespace + prefix);
    for (const master of await this.#connection.masters()) {
      const asked = performance.now();
      const now = await this.serverNow(master);
      const clock = (): number | undefined =>
        now === undefined ? undefined : now + performance.now() - asked;
      let cursor = "0";
      do {
        const [next, keys] = await this.#scan(master, cursor, pattern);
        cursor = next;
        found.scanned += SCAN_COUNT;
        found.answers += 1;
        const companions = keys.flatMap((key) => readCompanion(key) ?? []);
        for (let i = 0; i < companions.length; i += AT_A_TIME) {
          const some = companions.slice(i, i + AT_A_TIME);
          const infos = await Promise.all(some.map((one) => this.#info(one, clock, found)));
          found.answers += 1;
          for (const info of infos) {
            if (!info) continue;
            found.locks += 1;
            yield info;
          }
        }
      } while (cursor !== "0");
    }
    this.#unasked ??= await this.#mastersBeside();
    found.unasked = this.#unasked;
  }

  async close(): Promise<void> {
    await this.#locker.close();
    this.#connection.close();
  }

  async #scan(master: Redis, cursor: string, pattern: string): Promise<[string, string[]]> {
    try {
      return await master.scan(cursor, "MATCH", pattern, "COUNT", SCAN_COUNT);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** Null if there is no telling: for who may not ask, or behind a proxy that does not know the commands. */
  async #mastersBeside(): Promise<number | null> {
    const { redis, target } = this.#connection;
    if (target.kind !== "single") return 0;
    try {
      // What every user may send: it needs no permission, where INFO does.
      const hello = await redis.call("HELLO", "2");
      const mode: unknown = Array.isArray(hello) && hello[hello.indexOf("mode") + 1];
      if (mode === "standalone") return 0;
      const [, masters] = /^cluster_size:(\d+)/m.exec(await redis.cluster("INFO")) ?? [];
      return masters === undefined ? null : Math.max(0, Number(masters) - 1);
    } catch {
      return null;
    }
  }

  async #info(
    { name, kind }: { name: string; kind: string },
    clock: () => number | undefined,
    found: Found,
  ): Promise<LockInfo | undefined> {
    const key = name.slice(this.#namespace.length);
    try {
      const inspection = await this.#locker.inspect(key);
      const { holder, waiters } = inspection;
      if (!holder && waiters === 0) {
        // What was no text is another name by now, of a lock that there is not.
        if (name.includes("\ufffd")) throw new Error("its name is not UTF-8");
        return undefined;
      }
      // A lock that has a holder of ours is told of once, where its grant or its holders are found.
      if (kind === "line" && holder?.fencingToken !== undefined) return undefined;
      if (kind !== "line" && holder?.fencingToken === undefined) return undefined;
      return lockInfo(key, inspection, clock());
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw this.#failure(error);
      found.unread += 1;
      found.why = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  #failure(error: unknown): unknown {
    // A key that can be none, before anything was sent.
    if (error instanceof TypeError || error instanceof RangeError) {
      return new Failure(error.message, exitCodes.usage);
    }
    if (!(error instanceof RedisLockError) && !(error instanceof Error)) return error;
    return new Failure(explain([error], this.#connection.target), exitCodes.redis);
  }
}
