/** Gives up waiting, and stops working, by AbortSignal. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker, LockLostError } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);
const other = await locker.obtain("invoice:42", 10_000);

// #region while-waiting
try {
  // Rejects with the signal's reason. A lock that is granted at that very moment is given back.
  const signal = AbortSignal.timeout(100);
  await locker.obtain("invoice:42", 10_000, { wait: Infinity, signal });
} catch (error) {
  if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
  console.log("gave up waiting");
}
// #endregion

await other.release();
setTimeout(() => void locker.forceRelease("invoice:42"), 50);

// #region while-holding
try {
  await locker.using("invoice:42", 1_500, async (lock) => {
    // Aborts when the lock is lost, or cannot be proved any more: stop before another begins.
    await askTheBank({ signal: lock.signal });
  });
} catch (error) {
  if (!(error instanceof LockLostError)) throw error;
  console.log(`stopped: ${error.message}`);
}
// #endregion

await locker.close();
redis.disconnect();

/** As fetch does: takes its time, and rejects with the signal's reason. */
async function askTheBank({ signal }: { signal: AbortSignal }): Promise<void> {
  await sleep(60_000, undefined, { signal }).catch(() => signal.throwIfAborted());
}
