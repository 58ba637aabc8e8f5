import {
  anyNode,
  defineAdapter,
  type Listening,
  type RedisClient,
  runScript,
  staySubscribed,
  writeTogether,
} from "@redislock/core/adapter";

import type { IoredisLike } from "./ioredis-types.js";

/** The client interface of the lock over a `Redis` or a `Cluster` of ioredis. */
export const ioredisClient: (redis: IoredisLike) => RedisClient = defineAdapter(
  {
    what: "a Redis or Cluster of ioredis",
    example: "new Redis(url)",
    methods: ["evalsha", "duplicate"],
  },
  (redis) => ({
    // ioredis puts it before the keys of a script by itself, but not before the name of a channel.
    keyPrefix: redis.options.keyPrefix ?? "",
    cluster: "nodes" in redis,
    // "end" is where quit, disconnect and a retryStrategy that gives up lead to. A client with
    // lazyConnect is in "wait" until its first command, and connects by itself then.
    get closed() {
      return redis.status === "end";
    },
    get connection() {
      return redis.status === "ready" ? undefined : redis.status;
    },
    run(script, keys, args) {
      writeTogether(redis.stream);
      return runScript(script, {
        evalsha: (sha1) => redis.evalsha(sha1, keys.length, ...keys, ...args),
        eval: (source) => redis.eval(source, keys.length, ...keys, ...args),
      });
    },
    subscribe: (channel, listener) =>
      staySubscribed((listening) => listen(redis, channel, listening), listener),
  }),
);

/** Milliseconds of silence after which TCP asks whether the other end is still there. */
const KEEP_ALIVE = 30_000;

/** Opens a connection that listens to one channel, and dies when it is lost. */
function listen(redis: IoredisLike, channel: string, listening: Listening): Promise<unknown> {
  const { message, end, ended } = listening;
  const node = "nodes" in redis ? anyNode(redis.nodes("master")) : redis;
  const connection = node.duplicate({
    enableOfflineQueue: true,
    keepAlive: KEEP_ALIVE,
    // A new connection replaces a lost one, see staySubscribed; ioredis' own timers for that would
    // keep the process alive.
    retryStrategy: null,
    reconnectOnError: null,
    sentinelRetryStrategy: null,
    failoverDetector: false,
    // As would its waiting for a server that is stuck to hang up.
    disconnectTimeout: 0,
  });
  connection.on("error", end);
  connection.on("end", () => end(new Error("The connection was closed")));
  connection.on("connect", () => connection.stream?.unref());
  connection.on("message", (_, text) => message(text));
  // The client connects anew, perhaps to another server: what listens goes with it. Behind sentinels, a
  // connection to a master that hangs may never end by itself.
  const moved = (): void => end(new Error("The client itself was disconnected"));
  redis.on("reconnecting", moved);
  void ended.then(() => {
    redis.off("reconnecting", moved);
    connection.disconnect();
  });
  return connection.subscribe(channel);
}
