/** What can go wrong, and what to do then. */
import {
  createLocker,
  type Lock,
  LockLostError,
  NotObtainedError,
  OutcomeUnknownError,
} from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region errors
async function run(work: (lock: Lock) => Promise<void>): Promise<string> {
  try {
    await locker.using("job", 10_000, work);
    return "done";
  } catch (error) {
    if (error instanceof NotObtainedError) return "another has the lock: a plain no";
    if (error instanceof OutcomeUnknownError) return "Redis did not answer: nobody knows";
    if (error instanceof LockLostError)
      return `the lock was lost while the work ran: ${error.reason}`;
    throw error; // The work's own error, or a mistake of ours.
  }
}
// #endregion

console.log(await run(async () => {}));
console.log(await run(async () => console.log(await run(async () => {}))));
console.log(
  await run(async (lock) => {
    await redis.del(lock.key); // Somebody deletes it by hand,
    await lock.ttl(); // which the holder learns when it next asks.
  }),
);
redis.disconnect();
