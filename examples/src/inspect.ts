/** Looks who has a lock and who waits for it, and takes it away. */
import { hostname } from "node:os";
import { createLocker } from "@redislock/node-redis";
import { createClient } from "redis";

const redis = await createClient().on("error", console.error).connect();
const locker = createLocker(redis);

// #region metadata
const metadata = JSON.stringify({ host: hostname(), pid: process.pid, job: "import" });
await locker.obtain("import", 10_000, { metadata });
// #endregion

const waiting = locker.obtain("import", 10_000, { wait: 5_000, metadata: "the next import" });

// #region inspect
const { holder, waiters, line } = await locker.inspect("import");
console.log(`held by ${holder?.metadata} for ${holder?.remaining} ms more`);
console.log(`${waiters} in line: ${line.map((waiter) => waiter.metadata).join(", ")}`);
// #endregion

// #region force-release
// For an operator who knows that the holder is gone for good: the next in line gets the lock at once.
await locker.forceRelease("import");
// #endregion

const next = await waiting;
console.log(`now held by ${next.metadata}`);
await next.release();
await locker.close();
await redis.close();
