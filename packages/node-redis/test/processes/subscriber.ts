/** A subscription, and nothing else that could keep the process alive once it is told to go. */
import { stayUntilTold } from "@redislock/test-kit";
import { createClient, createClientPool } from "redis";
import { createClient as createClient5, createClientPool as createClientPool5 } from "redis-5";

import { nodeRedisClient } from "../../src/index.js";

const [kind = "", port] = process.argv.slice(2);
const options = {
  url: `redis://127.0.0.1:${port}`,
  // Its pings and its pauses before it connects again would keep the process alive.
  pingInterval: 60_000,
  socket: { reconnectStrategy: false as const },
};
const create = {
  "client of node-redis 5": () => createClient5(options),
  "client of node-redis 6": () => createClient(options),
  "pool of node-redis 5": () => createClientPool5(options),
  "pool of node-redis 6": () => createClientPool(options),
}[kind];
if (create === undefined) throw new Error(`There is no ${kind}`);
const redis = create();
redis.on("error", () => undefined);
await redis.connect();

await stayUntilTold(nodeRedisClient(redis), () => {
  try {
    redis.destroy();
  } catch {
    // It was closed before, when its connection was lost.
  }
});
