/** Asks again and again, instead of standing in line: the way of the Go library. */
import {
  createLocker,
  exponentialBackoff,
  jitter,
  limitRetry,
  linearBackoff,
  NotObtainedError,
  type RetryStrategy,
} from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region readme
// A strategy tells, by the number of tries so far, how many milliseconds to wait, or 0 to give up.
const everySecond = linearBackoff(1_000);
const slower = exponentialBackoff(16, 5_000); // 16, 16, 16, 16, 32, 64, … 5 000
const threeMore = limitRetry(everySecond, 3);
const spread = jitter(slower); // Those who failed together do not come back together.
const myOwn: RetryStrategy = (tries) => (tries < 10 ? 50 * tries : 0);

// Unless a signal or the strategy ends it, polling goes on for one ttl.
await using lock = await locker.obtain("report", 10_000, { retry: spread });
// #endregion

for (const [name, strategy] of Object.entries({
  "every second": everySecond,
  slower,
  "three more": threeMore,
  "my own": myOwn,
})) {
  console.log(`${name}: ${[1, 4, 20].map(strategy).join(", ")}`);
}

// #region not-obtained
try {
  await locker.obtain("report", 10_000, { retry: limitRetry(linearBackoff(20), 2) });
} catch (error) {
  if (!(error instanceof NotObtainedError)) throw error;
  console.log(`not obtained in ${error.attempts} tries`);
}
// #endregion

await lock.release();
redis.disconnect();
