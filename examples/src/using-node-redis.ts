/** The same as using.ts, with node-redis. */

// #region readme
import { createClient } from "redis";
import { createLocker } from "@redislock/node-redis";

const redis = await createClient().on("error", console.error).connect();
const locker = createLocker(redis);

// hold it while a function runs: renewed as long as it runs, released whatever happens
await locker.using("invoice:42", 10_000, { wait: 5_000 }, async (lock) => {
  await charge(42, { signal: lock.signal, fence: lock.fencingToken });
});
// #endregion

await locker.close();
await redis.close();

async function charge(
  invoice: number,
  { signal, fence }: { signal: AbortSignal; fence: number },
): Promise<void> {
  signal.throwIfAborted();
  console.log(`charged invoice ${invoice}, fencing token ${fence}`);
}
