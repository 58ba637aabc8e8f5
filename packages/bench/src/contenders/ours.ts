import type { Locker } from "@redislock/core";
import { createLocker as createIoredisLocker } from "@redislock/ioredis";
import { createLocker as createNodeRedisLocker } from "@redislock/node-redis";
import type { Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

export async function openOverIoredis({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  return session(createIoredisLocker(redis), () => redis.disconnect());
}

export async function openOverNodeRedis({ port }: Server): Promise<Session> {
  const redis = await connectNodeRedis(port);
  return session(createNodeRedisLocker(redis), () => redis.destroy());
}

function session(locker: Locker, disconnect: () => void): Session {
  const taken = async (key: string, ttl: number, options?: { wait: number }) => {
    const lock = await locker.obtain(key, ttl, options);
    return { fence: lock.fencingToken, release: () => lock.release() };
  };
  return {
    take: (key, ttl) => taken(key, ttl),
    waitFor: (key, ttl) => taken(key, ttl, { wait: Infinity }),
    close: async () => {
      await locker.close();
      disconnect();
    },
  };
}
