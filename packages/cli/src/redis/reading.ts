/**
 * Locks as whoever may only read sees them: by the script that tells of a lock, in the form that writes
 * nothing (Redis 7 and newer) or in the plain one; and where no script may be run, by plain reads.
 */
import type { IoredisRedisLike } from "@redislock/ioredis";
import type { Cluster, Redis } from "ioredis";

import { inspectPlainly } from "./plain-inspect.js";

export type Manner = "read-only script" | "script" | "plain reads";

/** What a locker that only inspects takes for its client. */
export class ReadingClient implements IoredisRedisLike {
  readonly options: IoredisRedisLike["options"] = {};
  readonly #redis: Redis | Cluster;
  #manner: Manner = "read-only script";

  constructor(redis: Redis | Cluster) {
    this.#redis = redis;
  }

  get status(): string {
    return this.#redis.status;
  }

  evalsha(sha1: string, keyCount: number, ...rest: string[]): Promise<unknown> {
    return this.#ask("evalsha", sha1, keyCount, rest);
  }

  eval(source: string, keyCount: number, ...rest: string[]): Promise<unknown> {
    return this.#ask("eval", source, keyCount, rest);
  }

  on(): void {}

  off(): void {}

  duplicate(): never {
    throw new Error("Whoever only reads listens to nothing");
  }

  /** Goes on with what worked last, so that a million locks are not refused a million times. */
  async #ask(
    command: "evalsha" | "eval",
    script: string,
    keyCount: number,
    rest: string[],
  ): Promise<unknown> {
    if (this.#manner === "read-only script") {
      try {
        return await this.#redis.call(`${command}_ro`, script, keyCount, ...rest);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        if (this.#manner === "read-only script") this.#manner = "script";
      }
    }
    if (this.#manner === "script") {
      try {
        return await this.#redis.call(command, script, keyCount, ...rest);
      } catch (error) {
        if (!isForbidden(error)) throw error;
        if (this.#manner === "script") this.#manner = "plain reads";
      }
    }
    return inspectPlainly(this.#redis, rest.slice(0, keyCount), Number(rest[keyCount]));
  }
}

/** The server does not know the command, or the user may not use it, or not in a script. */
function isForbidden(error: unknown): boolean {
  return (
    error instanceof Error && /NOPERM|unknown command|can't run this command/i.test(error.message)
  );
}
