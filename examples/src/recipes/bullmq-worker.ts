/** Jobs of one customer one after the other, however many workers there are; of others at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { DelayedError, type Job, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

interface Invoice {
  readonly customer: string;
}

const connection = { host: "localhost", port: 6379 };
const redis = new Redis(connection);
const locker = createLocker(redis);
const queue = new Queue<Invoice>("invoices", { connection });

// #region worker
async function work(job: Job<Invoice>, token?: string): Promise<void> {
  const { customer } = job.data;
  await using lock = await locker.tryObtain(`customer:${customer}`, 10_000, { renew: true });
  if (!lock) {
    // Back into the queue, so that this worker is free for another customer meanwhile.
    await job.moveToDelayed(Date.now() + 100, token);
    throw new DelayedError();
  }
  await send(job.name, customer, lock.signal);
}

const worker = new Worker<Invoice>("invoices", work, { connection, concurrency: 4 });
// #endregion

const atWork = new Map<string, number>();
let most = 0;
const names = ["1", "2", "3", "4", "5", "6"];
let left = names.length;
const done = new Promise<void>((resolve) => {
  worker.on("completed", () => {
    if (--left === 0) resolve();
  });
});
await queue.addBulk(
  names.map((name, index) => ({ name, data: { customer: index % 2 ? "ben" : "anna" } })),
);
await done;
console.log(`${names.length} invoices sent, at most ${most} at once for one customer`);

await worker.close();
await queue.obliterate({ force: true });
await queue.close();
await locker.close();
redis.disconnect();

async function send(_invoice: string, customer: string, signal: AbortSignal): Promise<void> {
  const now = (atWork.get(customer) ?? 0) + 1;
  atWork.set(customer, now);
  most = Math.max(most, now);
  await sleep(50, undefined, { signal });
  atWork.set(customer, now - 1);
}
