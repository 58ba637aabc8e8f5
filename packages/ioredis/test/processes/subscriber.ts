/** A subscription, and nothing else that could keep the process alive once it is told to go. */
import { stayUntilTold } from "@redislock/test-kit";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { Redis as RedisOfIovalkey } from "iovalkey";
import { once } from "node:events";

import { ioredisClient } from "../../src/index.js";

const [kind, port] = process.argv.slice(2);
const options = {
  host: "127.0.0.1",
  port: Number(port),
  // Would keep the process alive if the subscription took that long.
  disconnectTimeout: 60_000,
  retryStrategy: () => null,
};
const libraries = {
  "ioredis 5": () => new Redis5(options),
  "ioredis 6": () => new Redis(options),
  iovalkey: () => new RedisOfIovalkey(options),
};
const connect = Object.entries(libraries).find(([name]) => name === kind)?.[1];
if (!connect) throw new Error(`There is no ${kind}`);
const redis = connect();
redis.on("error", () => undefined);
// A client that is cut off while it is greeted waits for a disconnectTimeout of its own.
await once(redis, "ready");

await stayUntilTold(ioredisClient(redis), () => redis.stream.destroy());
