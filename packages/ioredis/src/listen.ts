import type { ChannelListener } from "@redislock/core";
import type { Listening } from "@redislock/core/adapter";

import type { IoredisLike, IoredisRedisLike } from "./ioredis-types.js";

/** Milliseconds of silence after which TCP asks whether the other end is still there. */
const KEEP_ALIVE = 30_000;

/** Opens a connection that listens to one channel, and dies when it is lost. */
export function listen(
  redis: IoredisLike,
  channel: string,
  listener: Pick<ChannelListener, "message">,
): Listening {
  const connection = anyNode(redis).duplicate({
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
  let end!: Listening["end"];
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  connection.on("error", end);
  connection.on("end", () => {
    end(new Error("The connection was closed"));
  });
  connection.on("connect", () => connection.stream?.unref());
  // ioredis goes on to read what came before it hung up; whoever closed wants to hear no more.
  let listening = true;
  connection.on("message", (_, text) => {
    if (listening) listener.message(text);
  });
  void ended.then(() => {
    listening = false;
    connection.disconnect();
  });
  return { confirmed: connection.subscribe(channel), ended, end };
}

/** A cluster passes messages on between its nodes: whichever we listen to, we hear them all. */
function anyNode(redis: IoredisLike): IoredisRedisLike {
  if (!("nodes" in redis)) return redis;
  const nodes = redis.nodes("master");
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  if (node === undefined) throw new Error("No node of the cluster is known");
  return node;
}
