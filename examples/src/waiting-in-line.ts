/** Waits without polling: whoever releases hands the lock to the next one, first come, first served. */
import { createLocker, NotObtainedError } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region waiting
async function print(page: string): Promise<void> {
  await locker.using("printer", 10_000, { wait: Infinity }, async () => {
    console.log(`printing ${page}`);
  });
}

await Promise.all([print("page 1"), print("page 2"), print("page 3")]);
// #endregion

const busy = await locker.obtain("printer", 10_000);

// #region giving-up
try {
  await locker.obtain("printer", 10_000, { wait: 200 });
} catch (error) {
  if (!(error instanceof NotObtainedError)) throw error;
  const { waited, position, holder } = error;
  console.log(`gave up after ${Math.round(waited)} ms at place ${position} in line`);
  console.log(`whoever has it may keep it for ${holder?.remaining} ms more`);
}
// #endregion

await busy.release();
await locker.close();
redis.disconnect();
