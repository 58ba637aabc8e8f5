import {
  asServerError,
  runScript,
  staySubscribed,
  type RedisClient,
  type Reply,
  type Script,
} from "@redislock/core/adapter";
import { listen } from "./listen.js";
import type { NodeRedisLike, ScriptRunner } from "./node-redis-types.js";

/** The client interface of the lock over a client, pool, cluster or sentinel of node-redis. */
export function nodeRedisClient(redis: NodeRedisLike): RedisClient {
  assertNodeRedis(redis);
  const client: RedisClient = {
    // node-redis puts it before the keys of a script by itself, but not before the name of a channel.
    keyPrefix: asText(redis._keyPrefix),
    cluster: "masters" in redis,
    // Also before connect(): node-redis then refuses every command, and does not connect by itself.
    get closed() {
      return !redis.isOpen;
    },
    run: (script, keys, args) => run(redis, script, keys, args),
  };
  // Left out for a sentinel: it gives no connection away.
  if ("unref" in redis || "execute" in redis || "masters" in redis) {
    client.subscribe = async (channel, listener) => {
      try {
        return await staySubscribed(() => listen(redis, channel, listener), listener);
      } catch (error) {
        throw asServerError(error);
      }
    };
  }
  return client;
}

function run(
  redis: ScriptRunner,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<Reply> {
  const options = { keys, arguments: args };
  return runScript(script, {
    evalsha: (sha1) => redis.evalSha(sha1, options),
    eval: (source) => redis.eval(source, options),
  });
}

function assertNodeRedis(redis: unknown): asserts redis is NodeRedisLike {
  if (has(redis, "evalSha") && has(redis, "eval")) return;
  if (has(redis, "evalsha")) {
    throw new TypeError(
      "redis must be a client, pool or cluster of node-redis; that looks like an ioredis client: use @redislock/ioredis",
    );
  }
  // Never the value itself: a URL may hold a password.
  const what = redis === null ? "null" : typeof redis;
  throw new TypeError(
    `redis must be a client, pool or cluster of node-redis, such as createClient({ url }), not ${what}`,
  );
}

function has(value: unknown, method: string): boolean {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function"
  );
}

function asText(prefix: string | Uint8Array = ""): string {
  return typeof prefix === "string" ? prefix : new TextDecoder().decode(prefix);
}
