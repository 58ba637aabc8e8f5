import type { Locker, ObtainOptions } from "@redislock/core";
import { createLocker as createIoredisLocker } from "@redislock/ioredis";
import { createLocker as createNodeRedisLocker } from "@redislock/node-redis";
import type { Kind, Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

export async function openOverIoredis({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  return session(createIoredisLocker(redis), () => redis.disconnect());
}

export async function openOverNodeRedis({ port }: Server): Promise<Session> {
  const redis = await connectNodeRedis(port);
  return session(createNodeRedisLocker(redis), () => redis.destroy());
}

export function session(locker: Locker, disconnect: () => void): Session {
  const taken = async (key: string, ttl: number, kind?: Kind, wait?: number) => {
    const lock = await locker.obtain(key, ttl, { ...optionsOf(kind), wait });
    return { fence: lock.fencingToken, release: () => lock.release() };
  };
  return {
    take: (key, ttl, kind) => taken(key, ttl, kind),
    waitFor: (key, ttl, kind) => taken(key, ttl, kind, Infinity),
    close: async () => {
      await locker.close();
      disconnect();
    },
  };
}

function optionsOf(kind: Kind | undefined): ObtainOptions {
  return kind === "shared" ? { mode: kind } : { limit: kind?.limit };
}
