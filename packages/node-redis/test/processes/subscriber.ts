/** A subscription, and nothing else that could keep the process alive once it is told to go. */
import { SentinelSet, stayUntilTold } from "@redislock/test-kit";
import { createClient, createClientPool, createSentinel } from "redis";
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createSentinel as createSentinel5,
} from "redis-5";

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
const create = {
  "client of node-redis 5": () => createClient5(options),
  "client of node-redis 6": () => createClient(options),
  "pool of node-redis 5": () => createClientPool5(options),
  "pool of node-redis 6": () => createClientPool(options),
  "sentinel of node-redis 5": () => createSentinel5(sentinelOptions),
  "sentinel of node-redis 6": () => createSentinel(sentinelOptions),
}[kind];
if (create === undefined) throw new Error(`There is no ${kind}`);
const redis = create();
redis.on("error", () => undefined);
await redis.connect();

await stayUntilTold(nodeRedisClient(redis), () => {
  try {
    void redis.destroy();
  } catch {
    // It was closed before, when its connection was lost.
  }
});
