import { Locker, type LockerOptions } from "@redislock/core";

import { ioredisClient } from "./client.js";
import type { IoredisLike } from "./ioredis-types.js";

export * from "@redislock/core";
export { ioredisClient };
export type * from "./ioredis-types.js";

/**
 * A {@link Locker} that takes its locks through `redis`, a `Redis` or a `Cluster` of ioredis. Make one for
 * each client and keep it; the client stays yours to close.
 *
 * @example
 * const locker = createLocker(new Redis(), { namespace: "shop:" });
 * await locker.using("invoice:42", 10_000, { wait: 5_000 }, () => pay());
 * @throws TypeError, RangeError for what is no client of ioredis, and for bad options
 */
export function createLocker(redis: IoredisLike, options?: LockerOptions): Locker {
  return new Locker(ioredisClient(redis), options);
}
