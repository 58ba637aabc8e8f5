/** A subscription, and nothing else that could keep the process alive once it is told to go. */
import { SentinelSet, stayUntilTold } from "@redislock/test-kit";

import { nodeRedisClient } from "../../src/index.js";

const [kind = "", port, sentinelPort] = process.argv.slice(2);
const host = "127.0.0.1";
const options = {
  url: `redis://127.0.0.1:${port}`,
  // Its pings and its pauses before it connects again would keep the process alive.
  pingInterval: 60_000,
  socket: { reconnectStrategy: false as const },
};
const sentinelOptions = {
  name: SentinelSet.name,
  sentinelRootNodes: [{ host, port: Number(sentinelPort) }],
  nodeClientOptions: { pingInterval: 60_000 },
  // The sentinel knows the server, not the proxy before it.
  nodeAddressMap: (address: string) => ({
    host,
    port: Number(address === `${host}:${sentinelPort}` ? sentinelPort : port),
  }),
};
// Only the one that is used is loaded: both take a process longer than all its work.
const create = {
  "client of node-redis 5": async () => (await import("redis-5")).createClient(options),
  "client of node-redis 6": async () => (await import("redis")).createClient(options),
  "pool of node-redis 5": async () => (await import("redis-5")).createClientPool(options),
  "pool of node-redis 6": async () => (await import("redis")).createClientPool(options),
  "sentinel of node-redis 5": async () => (await import("redis-5")).createSentinel(sentinelOptions),
  "sentinel of node-redis 6": async () => (await import("redis")).createSentinel(sentinelOptions),
}[kind];
if (create === undefined) throw new Error(`There is no ${kind}`);
const redis = await create();
redis.on("error", () => undefined);
await redis.connect();

await stayUntilTold(nodeRedisClient(redis), () => {
  try {
    void redis.destroy();
  } catch {
    // It was closed before, when its connection was lost.
  }
});
