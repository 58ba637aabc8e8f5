import { createLocker, memoryClient, MemoryServer } from "@redislock/testing";

async function main(): Promise<void> {
  const server = new MemoryServer();
  const first = createLocker(memoryClient(server));
  const second = createLocker(memoryClient(server));

  const lock = await first.obtain("consumer", 10_000);
  const waiting = second.obtain("consumer", 10_000, { wait: 10_000 });
  await lock.release();
  if (!(await waiting).held) throw new Error("the lock was not handed on");

  await first.close();
  await second.close();
}

void main();
