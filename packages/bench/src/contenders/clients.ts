import type { Redis } from "ioredis";
import type { Server } from "../session.js";

/**
 * Milliseconds that a peer waits for one of several servers, as the Redlock algorithm asks of its clients.
 * Without that, those that wait for all servers would wait for one that hangs for ever.
 */
export const PATIENCE = 50;

/** A connection to each of the servers. */
export function connectAll<T>(
  { port, others = [] }: Server,
  connect: (port: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all([port, ...others].map(connect));
}

/** For a peer: where there are several servers, no command waits for longer than {@link PATIENCE}. */
export function connectPeer(server: Server): Promise<Redis[]> {
  return connectAll(server, async (port) => {
    const redis = await connectIoredis(port);
    // Not before: what connecting takes is not measured.
    if (server.others) redis.options.commandTimeout = PATIENCE;
    return redis;
  });
}

export async function connectIoredis(port: number): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const redis = new Redis({ host: "127.0.0.1", port, lazyConnect: true });
  await redis.connect();
  return redis;
}

export async function connectNodeRedis(port: number) {
  const { createClient } = await import("redis");
  const redis = createClient({ socket: { host: "127.0.0.1", port } });
  await redis.connect();
  return redis;
}
