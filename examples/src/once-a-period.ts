/** A job that the cron of every machine starts, and that is done once a period all the same. */
import { createInterface } from "node:readline";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const [period = "3600000"] = process.argv.slice(2);
const PERIOD = Number(period);

const redis = new Redis();
const locker = createLocker(redis);

// #region readme
async function reportOncePerHour(): Promise<void> {
  // The machine whose clock is first does it. However soon it is done, the lock stays taken for half
  // an hour: so a machine whose clock is up to half an hour behind finds it taken, and does nothing.
  const options = { renew: true, holdAtLeast: PERIOD / 2 };
  await using lock = await locker.tryObtain("cron:hourly-report", 30_000, options);
  if (lock) await report();
  else console.log("another machine does it");
}
// #endregion

// Each line is what cron would do at the full hour.
for await (const _ of createInterface({ input: process.stdin })) await reportOncePerHour();
await locker.close();
await redis.quit();

async function report(): Promise<void> {
  console.log("reported");
}
