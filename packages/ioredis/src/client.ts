import {
  asServerError,
  runScript,
  staySubscribed,
  type RedisClient,
  type Reply,
  type Script,
} from "@redislock/core/adapter";
import type { IoredisLike, ScriptRunner } from "./ioredis-types.js";
import { listen } from "./listen.js";

/** The client interface of the lock over a `Redis` or a `Cluster` of ioredis. */
export function ioredisClient(redis: IoredisLike): RedisClient {
  assertIoredis(redis);
  return {
    // ioredis puts it before the keys of a script by itself, but not before the name of a channel.
    keyPrefix: redis.options.keyPrefix ?? "",
    cluster: "nodes" in redis,
    // "end" is where quit, disconnect and a retryStrategy that gives up lead to. A client with
    // lazyConnect is in "wait" until its first command, and connects by itself then.
    get closed() {
      return redis.status === "end";
    },
    run: (script, keys, args) => run(redis, script, keys, args),
    subscribe: async (channel, listener) => {
      try {
        return await staySubscribed(() => listen(redis, channel, listener), listener);
      } catch (error) {
        throw asServerError(error);
      }
    },
  };
}

function run(
  redis: ScriptRunner,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<Reply> {
  writeTogether(redis);
  return runScript(script, {
    evalsha: (sha1) => redis.evalsha(sha1, keys.length, ...keys, ...args),
    eval: (source) => redis.eval(source, keys.length, ...keys, ...args),
  });
}

/**
 * What is sent in the same moment leaves in one write. ioredis writes each command by itself,
 * and a write costs more than all else that is done for a lock.
 */
function writeTogether({ stream }: ScriptRunner): void {
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  void Promise.resolve().then(() => stream.uncork());
}

function assertIoredis(redis: unknown): asserts redis is IoredisLike {
  if (has(redis, "evalsha") && (has(redis, "duplicate") || has(redis, "nodes"))) return;
  if (has(redis, "evalSha")) {
    throw new TypeError(
      "redis must be a Redis or Cluster of ioredis; that looks like a node-redis client: use @redislock/node-redis",
    );
  }
  // Never the value itself: a URL may hold a password.
  const what = redis === null ? "null" : typeof redis;
  throw new TypeError(
    `redis must be a Redis or Cluster of ioredis, such as new Redis(url), not ${what}`,
  );
}

function has(value: unknown, method: string): boolean {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function"
  );
}
