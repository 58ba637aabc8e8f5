import type { Locker, LockerOptions, ObtainOptions } from "@redislock/core";
import type { QuorumLocker } from "@redislock/core/quorum";
import { createLocker as createIoredisLocker } from "@redislock/ioredis";
import { createQuorumLocker as createIoredisQuorum } from "@redislock/ioredis/quorum";
import { createLocker as createNodeRedisLocker } from "@redislock/node-redis";
import { createQuorumLocker as createNodeRedisQuorum } from "@redislock/node-redis/quorum";
import { type Kind, QUORUM_TTL, type Server, type Session } from "../session.js";
import { connectAll, connectIoredis, connectNodeRedis } from "./clients.js";

const QUORUM = { maxTtl: QUORUM_TTL };

export async function openOverIoredis(server: Server, options?: LockerOptions): Promise<Session> {
  if (server.others) {
    const all = await connectAll(server, (port) => connectIoredis(port));
    return session(createIoredisQuorum(all, QUORUM), () => all.forEach((one) => one.disconnect()));
  }
  const redis = await connectIoredis(server.port);
  return session(createIoredisLocker(redis, options), () => redis.disconnect());
}

export async function openOverNodeRedis(server: Server, options?: LockerOptions): Promise<Session> {
  if (server.others) {
    const all = await connectAll(server, connectNodeRedis);
    return session(createNodeRedisQuorum(all, QUORUM), () => all.forEach((one) => one.destroy()));
  }
  const redis = await connectNodeRedis(server.port);
  return session(createNodeRedisLocker(redis, options), () => redis.destroy());
}

export function session(locker: Locker | QuorumLocker, disconnect: () => void): Session {
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
