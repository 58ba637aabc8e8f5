import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis(process.env.REDIS_URL ?? "redis://localhost:6379");
const locker = createLocker(redis);

// Renewed while the function runs, released whatever happens.
await locker.using("invoice:42", 10_000, { wait: 5_000 }, async (lock) => {
  console.log(`paying invoice 42, with the fencing token ${lock.fencingToken}`);
});

// A service never does this; a script has to, or its connections keep it alive.
await locker.close();
await redis.quit();
