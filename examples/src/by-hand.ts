/** Takes and gives back a lock where no single function spans the time it is held. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region readme
async function sendReminders(customers: readonly string[]): Promise<void> {
  // `renew` keeps it for as long as it takes; the block's end gives it back, also after an error.
  await using lock = await locker.obtain("reminders", 10_000, { renew: true });
  for (const customer of customers) {
    lock.signal.throwIfAborted(); // Lost: another process may send them by now.
    await remind(customer);
  }
}
// #endregion

// #region steps
const lock = await locker.obtain("import", 10_000);
try {
  console.log(lock.held, lock.remaining); // By our own clock: nothing is sent.
  await lock.refresh(); // Another 10 s from now on.
  await lock.refresh(30_000); // Or as long as you like.
  console.log(await lock.ttl()); // What Redis says.
} finally {
  await lock.release();
}
// #endregion

await sendReminders(["customer 7", "customer 9"]);
redis.disconnect();

async function remind(customer: string): Promise<void> {
  console.log(`reminded ${customer}`);
}
