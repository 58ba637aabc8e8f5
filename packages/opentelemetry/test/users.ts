/** Clients of both libraries, as users connect them. */
import { once } from "node:events";
import type { Locker, LockerOptions, RedisClient } from "@redislock/core";
import { createLocker as overIoredis, ioredisClient } from "@redislock/ioredis";
import { createLocker as overNodeRedis, nodeRedisClient } from "@redislock/node-redis";
import { Redis } from "ioredis";
import { createClient } from "redis";

export interface User {
  readonly client: RedisClient;
  readonly locker: (options: LockerOptions) => Locker;
  readonly quit: () => void;
}

export interface Adapter {
  readonly adapter: "ioredis" | "node-redis";
  readonly connect: (port: number) => Promise<User>;
}

export const adapters: readonly Adapter[] = [
  {
    adapter: "ioredis",
    connect: async (port) => {
      const redis = new Redis(port, "127.0.0.1");
      redis.on("error", () => undefined);
      await once(redis, "ready");
      return {
        client: ioredisClient(redis),
        locker: (options) => overIoredis(redis, options),
        quit: () => redis.disconnect(),
      };
    },
  },
  {
    adapter: "node-redis",
    connect: async (port) => {
      const redis = createClient({ url: `redis://127.0.0.1:${port}` });
      redis.on("error", () => undefined);
      await redis.connect();
      return {
        client: nodeRedisClient(redis),
        locker: (options) => overNodeRedis(redis, options),
        quit: () => redis.destroy(),
      };
    },
  },
];
