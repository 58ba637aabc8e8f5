import {
  anyNode,
  asServerError,
  defineAdapter,
  type Life,
  type Listening,
  type RedisClient,
  runScript,
  type ScriptCommands,
  type SideConnection,
  type SideConnections,
  staySubscribed,
  toReply,
} from "@redislock/core/adapter";

import { SentinelMaster } from "./sentinel-master.js";
import type { ConnectionLike, Duplicable, NodeRedisLike } from "./node-redis-types.js";

/**
 * The client interface of the lock over a client, pool, cluster or sentinel of node-redis; the same for the
 * same client.
 *
 * @example
 * const locker = new Locker(nodeRedisClient(await createClient().connect()));
 * @throws TypeError for what is no client of node-redis
 */
export const nodeRedisClient: (redis: NodeRedisLike) => RedisClient = defineAdapter(
  {
    what: "a client, pool, cluster or sentinel of node-redis",
    example: "createClient({ url })",
    methods: ["evalSha", "eval"],
  },
  (redis) => {
    const master = "getSentinelNode" in redis ? new SentinelMaster(redis) : undefined;
    return {
      // node-redis puts it before the keys of a script by itself, but not before the name of a channel.
      keyPrefix: asText(redis._keyPrefix),
      cluster: "masters" in redis,
      // Also before connect(): node-redis then refuses every command, and does not connect by itself.
      get closed() {
        return !redis.isOpen;
      },
      get connection() {
        if (redis.isReady === false) return "connecting or reconnecting";
        const areAllBusy = "execute" in redis && (redis.tasksQueueLength ?? 0) > 0;
        return areAllBusy ? "no client of the pool is connected and free" : undefined;
      },
      // Missing in a pool, which has several connections. It is counted when a connection is ready, and what
      // was in the queue may have been answered before that: it is like no other until then.
      get epoch() {
        return redis.isReady === false ? Symbol() : master ? master.epoch : redis.socketEpoch;
      },
      run(script, keys, args) {
        return runScript(script, commandsOf(redis, master, keys, args));
      },
      subscribe: (channel, listener) =>
        staySubscribed((listening) => listen(redis, master, channel, listening), listener),
      side: sideOf(redis, master),
    };
  },
);

/** How a script is run with these keys. */
function commandsOf(
  redis: NodeRedisLike,
  master: SentinelMaster | undefined,
  keys: readonly string[],
  args: readonly string[],
): ScriptCommands {
  if (!master) {
    const options = { keys, arguments: args };
    const sent = "masters" in redis ? byAServer : asItIs;
    return {
      evalsha: (sha1) => sent(redis.evalSha(sha1, options)),
      eval: (source) => sent(redis.eval(source, options)),
    };
  }
  // The client of the master knows nothing of the prefix that its sentinel has.
  const prefix = asText(redis._keyPrefix);
  const rest = [String(keys.length), ...keys.map((key) => prefix + key), ...args];
  return {
    evalsha: (sha1) => byAServer(master.send(["EVALSHA", sha1, ...rest])),
    eval: (source) => byAServer(master.send(["EVAL", source, ...rest])),
  };
}

const asItIs = <T>(reply: T): T => reply;

/** While it knows no server for a key, a cluster or a sentinel fails with a TypeError of its own. */
async function byAServer<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Error("the client knows no server for the key", { cause: error });
  }
}

/** Opens a connection that listens to one channel, and dies when it is lost. */
async function listen(
  redis: NodeRedisLike,
  master: SentinelMaster | undefined,
  channel: string,
  listening: Listening,
): Promise<void> {
  const connection = await open(await duplicate(redis, master, listening), listening);
  await connection.subscribe(channel, listening.message);
}

/** Connections beside the user's own. */
function sideOf(redis: NodeRedisLike, master: SentinelMaster | undefined): SideConnections {
  if (!("masters" in redis)) {
    return { open: (life) => openSide(duplicate(redis, master, life), life) };
  }
  return {
    masterOf: (slot) => {
      const address = redis.slots[slot]?.master.address;
      if (address === undefined) throw new Error(`No node of the cluster has slot ${slot}`);
      return address;
    },
    open: async (life, wanted) => {
      const node = redis.masters.find(({ address }) => address === wanted);
      if (!node) throw new Error(`The cluster has no master ${wanted}`);
      return openSide(duplicateOf(await redis.nodeClient(node)), life);
    },
  };
}

async function openSide(
  duplicated: ConnectionLike | Promise<ConnectionLike>,
  life: Life,
): Promise<SideConnection> {
  const connection = await open(await duplicated, life);
  return {
    send: async (command) => {
      try {
        return toReply(await connection.sendCommand(command));
      } catch (error) {
        throw asServerError(error);
      }
    },
  };
}

/** Connects, and sees to it that the connection closes when its life has ended. */
async function open(connection: ConnectionLike, { end, ended }: Life): Promise<ConnectionLike> {
  connection.on("error", end);
  connection.unref();
  const connected = new Promise<void>((resolve) => connection.on("connect", resolve));
  const opened = connection.connect();
  // Not while it connects: node-redis 5 would then connect all the same, and leave the socket open.
  void Promise.allSettled([ended, Promise.race([connected, opened])]).then(() => close(connection));
  await opened;
  return connection;
}

async function duplicate(
  redis: NodeRedisLike,
  master: SentinelMaster | undefined,
  life: Life,
): Promise<ConnectionLike> {
  if ("execute" in redis) return redis.execute(duplicateOf);
  if ("getSentinelNode" in redis) {
    return redis._execute(false, async (client) => {
      master?.endWithIt(life);
      return duplicateOf(client);
    });
  }
  if (!("masters" in redis)) return duplicateOf(redis);
  const ready = redis.masters.filter(({ client }) => client?.isReady === true);
  // With minimizeConnections, nodes are without a client until they are needed.
  const nodes = ready.length > 0 ? ready : redis.masters.filter(({ client }) => !client);
  return duplicateOf(await redis.nodeClient(anyNode(nodes)));
}

function duplicateOf(client: Duplicable): ConnectionLike {
  return client.duplicate({
    // A new connection replaces a lost one, see staySubscribed; node-redis' own timers for that, and
    // for its pings, would keep the process alive. To hear nothing for long is no fault here.
    socket: { ...client.options?.socket, reconnectStrategy: false, socketTimeout: undefined },
    pingInterval: undefined,
    // So would a connection that node-redis has moved to another server by itself.
    maintNotifications: "disabled",
    // A cache that is shared would be emptied when this connection closes.
    clientSideCache: undefined,
  });
}

function close(connection: ConnectionLike): void {
  try {
    connection.destroy();
  } catch {
    // It is closed already, which node-redis 5 calls an error, and goes on listening for new credentials.
    // To quit is an error as well, and ends that.
    void connection.quit?.().catch(() => undefined);
  }
}

function asText(prefix: string | Uint8Array = ""): string {
  return typeof prefix === "string" ? prefix : new TextDecoder().decode(prefix);
}
