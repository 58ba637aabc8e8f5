/** Charges an invoice that no other process must charge at the same time. */

// #region readme
import { Redis } from "ioredis";
import { createLocker } from "@redislock/ioredis";

const locker = createLocker(new Redis());

// Renewed while the function runs, released whatever happens.
await locker.using("invoice:42", 10_000, { wait: 5_000 }, async (lock) => {
  await charge(42, { signal: lock.signal, fence: lock.fencingToken });
});
// #endregion

// or by hand
await using lock = await locker.obtain("invoice:42", 10_000, { wait: 5_000 });

console.log(`held by hand: ${lock.held}`);
await lock.release();
process.exit(); // A service would go on.

async function charge(
  invoice: number,
  { signal, fence }: { signal: AbortSignal; fence: number },
): Promise<void> {
  signal.throwIfAborted();
  console.log(`charged invoice ${invoice}, fencing token ${fence}`);
}
