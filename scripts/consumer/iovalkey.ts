import { createLocker } from "@redislock/ioredis";
import { Redis } from "iovalkey";

async function main(url: string): Promise<void> {
  const redis = new Redis(url);
  const locker = createLocker(redis);

  const held = await locker.using("consumer", 10_000, (lock) => lock.held);
  if (!held) throw new Error("the lock is not held");

  await locker.close();
  redis.disconnect();
}

void main(process.argv[2] ?? "");
