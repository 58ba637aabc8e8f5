/** Locks over the REST API of Upstash, for where no socket can be held open. */

// #region adapter
import { type RedisClient, runScript } from "@redislock/core/adapter";
import type { Redis } from "@upstash/redis";

/**
 * The client interface of the lock over a client of @upstash/redis, which must hand replies on as they
 * are, and send nothing twice (with `retry: false` it still does):
 * `new Redis({ url, token, automaticDeserialization: false, retry: { retries: 0 } })`.
 */
export function upstashClient(redis: Redis): RedisClient {
  return {
    run: (script, keys, args) =>
      runScript(script, {
        evalsha: (sha1) => redis.evalsha(sha1, [...keys], [...args]).catch(inWordsOfTheServer),
        eval: (source) => redis.eval(source, [...keys], [...args]).catch(inWordsOfTheServer),
      }),
  };
}

/** Errors of the client repeat the command, and with it the token of the lock. */
function inWordsOfTheServer(error: unknown): never {
  if (!(error instanceof Error) || error.name !== "UpstashError") throw error;
  const [, answer = ""] =
    /^(?:Command failed: )?(.*?)(?:, command was: .*)?$/s.exec(error.message) ?? [];
  throw new Error(answer);
}
// #endregion
