import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";
import type { Connection } from "./connection.js";

export async function connect(url: string, shop: string): Promise<Connection> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null });
  // connect() rejects with "Connection is closed."; what went wrong is told here.
  let trouble: Error | undefined;
  redis.on("error", (error: Error) => (trouble = error));
  await redis.connect().catch((error: unknown) => {
    throw trouble ?? error;
  });
  const locker = createLocker(redis, { namespace: shop });
  return {
    command: ([name, ...args]) => redis.call(name, ...args),
    locker,
    async close() {
      await locker.close();
      await redis.quit();
    },
  };
}
