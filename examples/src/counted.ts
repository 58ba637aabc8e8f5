/** At most so many at a time, in all processes together: a semaphore. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/node-redis";
import { createClient } from "redis";

const redis = await createClient().on("error", console.error).connect();
const locker = createLocker(redis);
let [running, most] = [0, 0];

// #region readme
async function convert(video: string, cores: number): Promise<void> {
  // Four cores for all processes together: four small videos at a time, or two that take two each.
  const options = { limit: 4, permits: cores, wait: Infinity };
  await locker.using("cores", 10_000, options, async (lock) => {
    await run(video, cores, lock.signal);
  });
}
// #endregion

const videos = [1, 2, 1, 1, 4, 2, 3].map((cores, n) => convert(`video ${n}`, cores));
await Promise.all(videos);
console.log(`${videos.length} videos, at most ${most} cores at once`);

// #region maintenance
async function maintain(): Promise<void> {
  // Without a limit, the lock is alone: after all who are at work, and before all who come later.
  await locker.using("cores", 10_000, { wait: Infinity }, async () => {
    console.log(`maintenance, ${running} cores at work`);
  });
}
// #endregion

await Promise.all([convert("one more", 3), maintain()]);
await locker.close();
await redis.close();

async function run(video: string, cores: number, signal: AbortSignal): Promise<void> {
  running += cores;
  most = Math.max(most, running);
  await sleep(20, video, { signal });
  running -= cores;
}
