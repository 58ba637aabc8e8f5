/** The proof of it all: a lock that nobody else knows, obtained and released. */
import { createLocker } from "@redislock/ioredis";

import type { Connection } from "../redis/connection.js";
import { explain } from "../redis/explain.js";

import { type Finding, finding } from "./check.js";

const TTL = 2_000;

export async function checkLock(
  { redis, target }: Connection,
  key: string,
  namespace: string,
): Promise<Finding> {
  // Of the fencing token no more is left than a lock needs.
  const locker = createLocker(redis, { namespace, rememberFence: TTL });
  const began = performance.now();
  try {
    const lock = await locker.obtain(key, TTL, { metadata: "redislock doctor" });
    await lock.release();
    const took = `${(performance.now() - began).toFixed(1)}ms`;
    return finding("a lock", "ok", `obtained and released in ${took}`, "locks work here");
  } catch (error) {
    return finding("a lock", "fail", explain([error], target), "no lock can be taken here so");
  } finally {
    await locker.close();
  }
}
