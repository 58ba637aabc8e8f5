/** One of several processes runs the scheduler; each knows which. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const [name = "a"] = process.argv.slice(2);
const redis = new Redis();
const locker = createLocker(redis);

// #region lead
const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
const { signal } = stopping;

// Each time that this process comes to lead; again after a lease was lost. It ends with the signal.
const leading = locker.lead("scheduler", 15_000, { name, signal }, async (term) => {
  console.log(`${name} leads, fencing token ${term.fencingToken}`);
  while (!term.signal.aborted) await runDueJobs(term.fencingToken);
});
// #endregion

// #region leader
async function follow(): Promise<void> {
  for await (const leader of locker.leader("scheduler", { signal })) {
    console.log(`${name} sees ${leader?.name ?? "nobody"}`);
  }
}
// #endregion

// Whoever does not lead when the signal aborts rejects with its reason.
for (const end of await Promise.allSettled([leading, follow()])) {
  if (end.status === "rejected" && end.reason !== signal.reason) throw end.reason;
}
await locker.close();
await redis.quit();
console.log(`${name} ended in good order`);

async function runDueJobs(_fencingToken: number): Promise<void> {
  await sleep(50);
}
