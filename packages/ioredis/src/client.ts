import {
  anyNode,
  asServerError,
  defineAdapter,
  endTogether,
  type Life,
  type Listening,
  type RedisClient,
  type Reply,
  runScript,
  ServerError,
  type SideConnection,
  type SideConnections,
  staySubscribed,
  toReply,
  writeTogether,
} from "@redislock/core/adapter";

import type { ConnectionLike, IoredisLike, IoredisRedisLike } from "./ioredis-types.js";

/**
 * The client interface of the lock over a `Redis` or a `Cluster` of ioredis; the same for the same client.
 *
 * @example
 * const locker = new Locker(ioredisClient(new Redis()));
 * @throws TypeError for what is no client of ioredis
 */
export const ioredisClient: (redis: IoredisLike) => RedisClient = defineAdapter(
  {
    what: "a Redis or Cluster of ioredis",
    example: "new Redis(url)",
    methods: ["evalsha", "duplicate"],
  },
  (redis) => {
    const epoch = epochOf(redis);
    const overTheFirst = firstOf(redis, epoch);
    return {
      // ioredis puts it before the keys of a script by itself, but not before the name of a channel.
      keyPrefix: redis.options.keyPrefix ?? "",
      cluster: "nodes" in redis,
      get closed() {
        return isClosed(redis);
      },
      get connection() {
        return redis.status === "ready" ? undefined : redis.status;
      },
      get epoch() {
        return epoch();
      },
      run(script, keys, args) {
        const waits = redis.status !== "ready";
        writeTogether(redis.stream);
        const sent = runScript(script, {
          evalsha: (sha1) => redis.evalsha(sha1, keys.length, ...keys, ...args),
          eval: (source) => redis.eval(source, keys.length, ...keys, ...args),
        });
        return waits ? overTheFirst(sent) : sent;
      },
      subscribe: (channel, listener) =>
        staySubscribed((listening) => listen(redis, channel, listening), listener),
      side: sideOf(redis),
    };
  },
);

/**
 * "end" is where quit, disconnect and a retryStrategy that gives up lead to. But who is disconnected while it
 * waits to connect again stays "reconnecting", and of clusters, one without a node stays "disconnecting", and
 * one of several nodes comes back from "end" to "close". A client with lazyConnect is in "wait" until its first
 * command, and connects by itself then.
 */
function isClosed(redis: IoredisLike): boolean {
  const { status } = redis;
  const isOnItsWay = ["reconnecting", "disconnecting", "close"].includes(status);
  return status === "end" || (isOnItsWay && Reflect.get(redis, "manuallyClosing") === true);
}

/**
 * A new socket each time that it connects; in a cluster, that of any node, or another client for a node that
 * was lost.
 */
function epochOf(redis: IoredisLike): () => unknown {
  if (!("nodes" in redis)) return () => redis.stream;
  let masters: { readonly node: IoredisRedisLike; stream: unknown }[] = [];
  return () => {
    const now = redis.nodes("master");
    const isSame = now.every((node, i) => {
      const known = masters[i];
      if (known?.node !== node) return false;
      // It connects for the first time when it is first asked; if that was lost, this is a later time.
      if (Reflect.get(node, "connectionEpoch") === 1) known.stream ??= node.stream;
      return known.stream === node.stream;
    });
    if (isSame && now.length === masters.length) return masters;
    return (masters = now.map((node) => ({ node, stream: node.stream })));
  };
}

/**
 * For commands that have to wait for a connection. What was answered over another than the first is no
 * answer: ioredis has sent the command again, and the first copy may have been done. Who is told of each
 * answer cannot tell that, for there was no connection when the command was sent.
 */
function firstOf(
  redis: IoredisLike,
  epoch: () => unknown,
): (sent: Promise<Reply>) => Promise<Reply> {
  const waiting = new Set<{ first?: { readonly epoch: unknown } }>();
  const ready = (): void => {
    for (const command of waiting) command.first ??= { epoch: epoch() };
  };
  return async (sent) => {
    const command: { first?: { readonly epoch: unknown } } = {};
    const isFirst = (): boolean => !command.first || command.first.epoch === epoch();
    if (waiting.size === 0) redis.on("ready", ready);
    waiting.add(command);
    try {
      const reply = await sent;
      if (isFirst()) return reply;
    } catch (error) {
      if (isFirst() || !(error instanceof ServerError)) throw error;
    } finally {
      waiting.delete(command);
      if (waiting.size === 0) redis.off("ready", ready);
    }
    throw new Error("the connection was lost");
  };
}

/** Milliseconds of silence after which TCP asks whether the other end is still there. */
const KEEP_ALIVE = 30_000;

/** Opens a connection that listens to one channel, and dies when it is lost. */
function listen(redis: IoredisLike, channel: string, listening: Listening): Promise<unknown> {
  const node = "nodes" in redis ? anyNode(redis.nodes("master")) : redis;
  const connection = connectionTo(node, redis, listening, {});
  connection.on("message", (_, text) => listening.message(text));
  return connection.subscribe(channel);
}

/** Connections beside the user's own. */
function sideOf(redis: IoredisLike): SideConnections {
  if (!("nodes" in redis)) return { open: (life) => openSide(redis, redis, life) };
  return {
    masterOf: (slot) => {
      const [master] = redis.slots[slot] ?? [];
      if (master === undefined) throw new Error(`No node of the cluster has slot ${slot}`);
      return master;
    },
    open: (life, master) => {
      const address = ({ options: { host, port } }: IoredisRedisLike): string => `${host}:${port}`;
      const node = redis.nodes("master").find((one) => address(one) === master);
      if (!node) throw new Error(`The cluster has no master ${master}`);
      return openSide(node, redis, life);
    },
  };
}

async function openSide(
  node: IoredisRedisLike,
  redis: IoredisLike,
  life: Life,
): Promise<SideConnection> {
  const connection = connectionTo(node, redis, life, {
    lazyConnect: true,
    keyPrefix: "",
    // Commands are sent in their order, and as they are.
    enableAutoPipelining: false,
    // Whoever waits for replicas knows for how long.
    commandTimeout: undefined,
    socketTimeout: undefined,
  });
  await connection.connect();
  return {
    send: async ([name = "", ...args]) => {
      writeTogether(connection.stream);
      try {
        return toReply(await connection.call(name, ...args));
      } catch (error) {
        throw asServerError(error);
      }
    },
  };
}

/** A connection of our own to where a node is, which dies when it is lost, or when the client moves. */
function connectionTo(
  node: IoredisRedisLike,
  redis: IoredisLike,
  life: Life,
  settings: object,
): ConnectionLike {
  const { end } = life;
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
    ...settings,
  });
  connection.on("error", end);
  connection.on("end", () => end(new Error("The connection was closed")));
  connection.on("connect", () => connection.stream?.unref());
  endWithClient(redis, life);
  void life.ended.then(() => connection.disconnect());
  return connection;
}

/** Behind sentinels, a connection to a master that hangs may never end by itself. */
const endWithClient = endTogether<IoredisLike>((redis, moved) => {
  const listener = (): void => moved(new Error("The client itself was disconnected"));
  redis.on("reconnecting", listener);
  return () => redis.off("reconnecting", listener);
});
