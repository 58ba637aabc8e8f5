/** Takes several locks at once: all of them, or none. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);
const balance = new Map([
  ["anna", 100],
  ["ben", 100],
]);

// #region readme
async function transfer(from: string, to: string, amount: number): Promise<void> {
  // One command takes both: two transfers in opposite directions cannot block each other.
  const accounts = [`account:${from}`, `account:${to}`];
  await locker.using(accounts, 10_000, { wait: 5_000 }, async () => {
    const [fromBalance, toBalance] = [await read(from), await read(to)];
    await write(from, fromBalance - amount);
    await write(to, toBalance + amount);
  });
}

await Promise.all([transfer("anna", "ben", 30), transfer("ben", "anna", 10)]);
// #endregion

console.log(`anna ${await read("anna")}, ben ${await read("ben")}`);
await locker.close();
redis.disconnect();

async function read(account: string): Promise<number> {
  return balance.get(account) ?? 0;
}

async function write(account: string, amount: number): Promise<void> {
  balance.set(account, amount);
}
