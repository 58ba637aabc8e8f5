/** A cache that many read; it is filled once, not by everybody who finds it empty, and never half. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);
let queries = 0;

// #region cache
async function prices(): Promise<Record<string, string>> {
  // Any number at a time, in all processes.
  const options = { mode: "shared", wait: 5_000 } as const;
  const cached = await locker.using("prices", 10_000, options, () => redis.hgetall("price list"));
  if (Object.keys(cached).length > 0) return cached;
  return fill();
}

async function fill(): Promise<Record<string, string>> {
  // Alone: who reads waits, and so does who fills, too.
  return locker.using("prices", 10_000, { wait: 5_000 }, async ({ signal }) => {
    const found = await redis.hgetall("price list");
    if (Object.keys(found).length > 0) return found; // By whoever was before us.
    for (const [product, price] of await queryDatabase(signal)) {
      await redis.hset("price list", product, price);
    }
    await redis.expire("price list", 60);
    return redis.hgetall("price list");
  });
}
// #endregion

const lists = await Promise.all(Array.from({ length: 20 }, prices));
const complete = lists.every((list) => Object.keys(list).length === 3);
console.log(`20 asked, ${queries} query, everybody has all prices: ${complete ? "yes" : "no"}`);

await redis.del("price list");
await locker.close();
redis.disconnect();

async function queryDatabase(signal: AbortSignal): Promise<readonly [string, string][]> {
  queries++;
  await sleep(50, undefined, { signal });
  return [
    ["adult", "20"],
    ["child", "10"],
    ["family", "50"],
  ];
}
