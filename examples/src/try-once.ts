/** A cron job that is started on every machine, and should run on one. */
import { createLocker } from "@redislock/node-redis";
import { createClient } from "redis";

const redis = await createClient().on("error", console.error).connect();
const locker = createLocker(redis);

// #region readme
async function cleanUpUnlessAnotherDoes(): Promise<void> {
  await using lock = await locker.tryObtain("cron:clean-up", 60_000, { renew: true });
  if (lock) await cleanUp();
  else console.log("another machine cleans up");
}
// #endregion

// #region once-a-day
async function reportOnce(day: string): Promise<void> {
  // Not released: until the ttl is over, whoever comes late with its clock finds it taken.
  const first = await locker.tryObtain(`cron:report:${day}`, 24 * 60 * 60 * 1_000);
  if (first) console.log(`report of ${day}`);
}
// #endregion

await Promise.all([cleanUpUnlessAnotherDoes(), cleanUpUnlessAnotherDoes()]);
await reportOnce("2030-01-01");
await reportOnce("2030-01-01");
await locker.close();
await redis.close();

async function cleanUp(): Promise<void> {
  console.log("cleaned up");
}
