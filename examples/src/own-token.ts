/** Takes up its work again after a crash, while the lock is still held by its former life. */
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";

const [file = "worker.token"] = process.argv.slice(2);
const locker = createLocker(new Redis());

// #region own-token
// The same token is the same holder: asking again with it is a success, and no second lock. Keep it
// where only the worker itself finds it after a restart, for whoever knows it has the lock.
const token = await readFile(file, "utf8").catch(() => randomUUID());
await writeFile(file, token, { mode: 0o600 });

const lock = await locker.obtain("nightly-import", 60_000, { token, renew: true });
// #endregion

console.log(`holding, fencing token ${lock.fencingToken}`);
// Here it works, until it comes to its end or crashes.
