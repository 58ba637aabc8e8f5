/** Locks over the Redis client that Bun has built in. */

// #region adapter
import {
  type Listening,
  type RedisClient,
  runScript,
  staySubscribed,
} from "@redislock/core/adapter";

/** What is used of Bun's `RedisClient`. */
export interface BunRedis {
  readonly connected: boolean;
  onclose: ((reason: Error) => void) | null;
  connect(): Promise<void>;
  close(): void;
  send(command: string, args: string[]): Promise<unknown>;
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
}

/**
 * The client interface of the lock over a client of Bun.
 *
 * @param connect - Makes one more, to listen: `() => new RedisClient(url, { autoReconnect: false })`.
 */
export function bunClient(redis: BunRedis, connect: () => BunRedis): RedisClient {
  return {
    run(script, keys, args) {
      const operands = [String(keys.length), ...keys, ...args];
      return runScript(script, {
        evalsha: (sha1) => redis.send("EVALSHA", [sha1, ...operands]),
        eval: (source) => redis.send("EVAL", [source, ...operands]),
      });
    },
    subscribe: (channel, listener) =>
      staySubscribed((listening) => listen(connect(), channel, listening), listener),
    get connection() {
      return redis.connected ? undefined : "not connected";
    },
  };
}

async function listen(redis: BunRedis, channel: string, listening: Listening): Promise<void> {
  redis.onclose = listening.end;
  void listening.ended.then(() => redis.close());
  await redis.connect();
  await redis.subscribe(channel, listening.message);
}
// #endregion
