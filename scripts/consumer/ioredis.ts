import { Locker } from "@redislock/core";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

async function main(url: string): Promise<void> {
  const redis = new Redis(url);
  const locker: Locker = createLocker(redis);
  if (!(locker instanceof Locker)) throw new Error("the adapter brought another core");

  const lock = await locker.obtain("consumer", 10_000);
  if (!lock.held) throw new Error("the lock is not held");
  if ((await locker.tryObtain("consumer", 10_000)) !== null) throw new Error("held twice");
  await lock.release();

  await locker.close();
  redis.disconnect();
}

void main(process.argv[2] ?? "");
