import type { ChannelListener } from "@redislock/core";
import type { Listening } from "@redislock/core/adapter";

import type {
  ConnectionLike,
  NodeRedisClientLike,
  NodeRedisClusterLike,
  NodeRedisPoolLike,
} from "./node-redis-types.js";

/** What gives connections away to listen with. */
export type Source = NodeRedisClientLike | NodeRedisPoolLike | NodeRedisClusterLike;

/** Opens a connection that listens to one channel, and dies when it is lost. */
export function listen(
  redis: Source,
  channel: string,
  listener: Pick<ChannelListener, "message">,
): Listening {
  let end!: Listening["end"];
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  return { confirmed: open(), ended, end };

  async function open(): Promise<void> {
    const connection = await duplicate(redis);
    connection.on("error", end);
    connection.unref();
    const connected = new Promise<void>((resolve) => connection.on("connect", resolve));
    const opened = connection.connect();
    // Not while it connects: node-redis 5 would then connect all the same, and leave the socket open.
    void Promise.allSettled([ended, Promise.race([connected, opened])]).then(() => {
      close(connection);
    });
    await opened;
    await connection.subscribe(channel, (text) => {
      listener.message(text);
    });
  }
}

async function duplicate(redis: Source): Promise<ConnectionLike> {
  if ("execute" in redis) return redis.execute(duplicateOf);
  return duplicateOf("masters" in redis ? anyNode(redis) : redis);
}

function duplicateOf(client: NodeRedisClientLike): ConnectionLike {
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

/** A cluster passes messages on between its nodes: whichever we listen to, we hear them all. */
function anyNode({ masters }: NodeRedisClusterLike): NodeRedisClientLike {
  const clients = masters.flatMap(({ client }) => (client?.isReady === true ? [client] : []));
  const client = clients[Math.floor(Math.random() * clients.length)];
  if (client === undefined) throw new Error("No node of the cluster is connected");
  return client;
}

function close(connection: ConnectionLike): void {
  try {
    connection.destroy();
  } catch {
    // It is closed already, which node-redis 5 calls an error.
  }
}
