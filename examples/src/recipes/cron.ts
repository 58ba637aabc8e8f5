/** The cron of three machines starts the same job; one of them does it. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";
import { startMachines, untilEnded } from "./machines.js";

const [machine] = process.argv.slice(2);
if (machine === undefined) await untilEnded(startMachines(import.meta.url, ["a", "b", "c"]));
else await nightlyReport(machine);

// #region job
async function nightlyReport(name: string): Promise<void> {
  const redis = new Redis();
  const locker = createLocker(redis);
  // The job may be done in a second, and the clock of another machine be a minute behind: so the lock
  // stays taken for an hour, and whoever comes in that time does nothing.
  const options = { renew: true, holdAtLeast: 3_600_000, metadata: name };
  const lock = await locker.tryObtain("cron:nightly-report", 30_000, options);
  try {
    console.log(lock ? `${name} writes the report` : `${name} leaves it to another machine`);
  } finally {
    await lock?.release();
  }
  await locker.close();
  redis.disconnect();
}
// #endregion
