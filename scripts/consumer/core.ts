// Whoever brings another client sees core alone, without Node's types and without esnext.disposable.
import {
  Locker,
  NotObtainedError,
  RedisLockError,
  exponentialBackoff,
  limitRetry,
  type Lock,
  type RedisClient,
} from "@redislock/core";

const client: RedisClient = {
  run() {
    return Promise.reject(new Error("nothing is sent here"));
  },
};

export const locker = new Locker(client);

export async function signalOf(key: string): Promise<AbortSignal | undefined> {
  try {
    const lock: Lock = await locker.obtain(key, 10_000, {
      retry: limitRetry(exponentialBackoff(16, 512), 3),
    });
    return lock.signal;
  } catch (error) {
    if (error instanceof NotObtainedError) return undefined;
    throw error instanceof RedisLockError ? new Error(error.code) : error;
  }
}
