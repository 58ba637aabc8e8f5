/** Many read at the same time; whoever changes what they read has it alone. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);
const [adult, child] = ["price:adult", "price:child"];
await redis.mset(adult, 20, child, 10);

// #region readme
async function familyPrice(): Promise<number> {
  // Any number of readers at a time, in all processes, and nobody who changes what they read.
  return locker.using("prices", 10_000, { mode: "shared", wait: 5_000 }, async () => {
    return 2 * (await read(child)) + 2 * (await read(adult));
  });
}

async function doublePrices(): Promise<void> {
  // Alone: after the readers who came before, and before those who come later.
  await locker.using("prices", 10_000, { wait: 5_000 }, async () => {
    for (const price of [adult, child]) await redis.set(price, 2 * (await read(price)));
  });
}
// #endregion

const anna = await locker.obtain("prices", 10_000, { mode: "shared" });
const ben = await locker.obtain("prices", 10_000, { mode: "shared" });
const { held, holders } = await locker.inspect("prices");
console.log(`${held} readers: ${holders.map(({ mode }) => mode).join(", ")}`);
console.log(`to change them now: ${(await locker.tryObtain("prices", 10_000)) ? "yes" : "no"}`);
await anna.release();
await ben.release();

const changing = doublePrices();
const prices = await Promise.all([familyPrice(), familyPrice(), familyPrice()]);
await changing;
console.log(`nobody saw half a change: ${prices.every((price) => price === 60 || price === 120)}`);
await redis.del(adult, child);
await locker.close();
redis.disconnect();

async function read(price: string): Promise<number> {
  return Number(await redis.get(price));
}
