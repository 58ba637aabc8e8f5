import { createLocker } from "@redislock/node-redis";
import { createClient } from "redis";

const url = process.env.REDIS_URL ?? "redis://localhost:6379";
const redis = await createClient({ url }).on("error", console.error).connect();
const locker = createLocker(redis);

// Renewed while the function runs, released whatever happens.
await locker.using("invoice:42", 10_000, { wait: 5_000 }, async (lock) => {
  console.log(`paying invoice 42, with the fencing token ${lock.fencingToken}`);
});

// A service never does this; a script has to, or its connections keep it alive.
await locker.close();
await redis.close();
