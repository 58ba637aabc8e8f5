/** A worker that ends in good order when it is told to: Kubernetes, systemd and Heroku send SIGTERM. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const redis = new Redis();
const locker = createLocker(redis);

// #region shutdown
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
const { signal } = stopping;

while (!signal.aborted) {
  try {
    // The signal ends the wait for the lock; a function that runs comes to its own end.
    await locker.using("mail-queue", 10_000, { wait: Infinity, signal }, sendOneMail);
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
}
await locker.close();
await redis.quit();
// #endregion

console.log("ended in good order");

async function sendOneMail(): Promise<void> {
  console.log("sending");
  await sleep(500);
  console.log("sent");
}
