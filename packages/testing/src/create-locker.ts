import { Locker, type LockerOptions, type RedisClient } from "@redislock/core";
import { memoryClient } from "./memory-client.js";

/**
 * A {@link Locker} that takes its locks in memory: as an adapter's `createLocker`, for where there is
 * one process and no Redis.
 *
 * @example
 * const locker = createLocker();
 * await locker.using("invoice:42", 10_000, () => pay());
 */
export function createLocker(
  client: RedisClient = memoryClient(),
  options?: LockerOptions,
): Locker {
  return new Locker(client, options);
}
