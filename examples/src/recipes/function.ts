/** A function of the cloud, called again and again by a queue: an invoice is paid by one call at a time. */
import { setTimeout as sleep } from "node:timers/promises";
// #region function
import { createLocker, NotObtainedError } from "@redislock/ioredis";
import { Redis } from "ioredis";

// Outside of the function, so that all calls of one instance have one connection.
const redis = new Redis();
const locker = createLocker(redis);

interface Call {
  readonly invoice: string;
}

export async function handler({ invoice }: Call): Promise<string> {
  try {
    // Over before the function returns: an instance that has returned stands still.
    return await locker.using(`invoice:${invoice}`, 10_000, (lock) => pay(invoice, lock.signal));
  } catch (error) {
    if (error instanceof NotObtainedError) return `another call pays invoice ${invoice}`;
    throw error;
  }
}
// #endregion

// The queue delivers twice at once.
for (const answer of await Promise.all([handler({ invoice: "7" }), handler({ invoice: "7" })])) {
  console.log(answer);
}
await locker.close();
redis.disconnect();

async function pay(invoice: string, signal: AbortSignal): Promise<string> {
  await sleep(300, undefined, { signal });
  return `paid invoice ${invoice}`;
}
