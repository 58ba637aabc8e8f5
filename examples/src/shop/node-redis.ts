import { createLocker } from "@redislock/node-redis";
import { createClient } from "redis";
import type { Connection } from "./connection.js";

export async function connect(url: string, shop: string): Promise<Connection> {
  const redis = createClient({ url, socket: { reconnectStrategy: false } });
  redis.on("error", () => {}); // Each call that fails says so itself.
  await redis.connect();
  const locker = createLocker(redis, { namespace: shop });
  return {
    command: (words) => redis.sendCommand(words),
    locker,
    async close() {
      await locker.close();
      await redis.close();
    },
  };
}
