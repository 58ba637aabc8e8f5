import {
  ServerError,
  staySubscribed,
  toReply,
  type RedisClient,
  type Reply,
  type Script,
} from "@redislock/core";

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
        throw asOurs(error);
      }
    };
  }
  return client;
}

async function run(
  redis: ScriptRunner,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<Reply> {
  const options = { keys, arguments: args };
  try {
    return toReply(await redis.evalSha(script.sha1, options));
  } catch (error) {
    if (!isErrorReply(error) || !error.message.startsWith("NOSCRIPT")) throw asOurs(error);
  }
  try {
    return toReply(await redis.eval(script.source, options));
  } catch (error) {
    throw asOurs(error);
  }
}

function asOurs(error: unknown): unknown {
  return isErrorReply(error) ? new ServerError(error.message) : error;
}

/**
 * Whether it is an error the server answered with. Known by its text, which begins with a code in
 * capitals, as no error of the client's own does: the class `ErrorReply` has no name but its
 * constructor's, which does not survive a minifier.
 */
function isErrorReply(error: unknown): error is Error {
  return error instanceof Error && /^[A-Z]{2,} /.test(error.message);
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
