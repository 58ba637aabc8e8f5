/** Tells a log and metrics what happens to locks. */
import { createLocker, type LockEvent } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();

// #region readme
const counts = new Map<string, number>();

function onEvent(event: LockEvent): void {
  counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
  if (event.type === "obtained") {
    console.log(`${event.keys.join(", ")}: obtained after ${Math.round(event.waited)} ms`);
  }
  // lost, renewalFailed, releaseFailed, subscribeFailed. No error holds a token: log them all.
  if ("error" in event) console.warn(event.error.message);
}

const locker = createLocker(redis, { namespace: "shop:", onEvent });
// #endregion

await locker.using("orders", 10_000, async () => {
  await locker.tryObtain("orders", 10_000); // Taken: null
});
for (const [type, count] of counts) console.log(`${type}: ${count}`);
redis.disconnect();
