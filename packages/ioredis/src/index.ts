import { Locker, type LockerOptions } from "@redislock/core";

import { ioredisClient } from "./client.js";
import type { IoredisLike } from "./ioredis-types.js";

export * from "@redislock/core";
export { ioredisClient };
export type * from "./ioredis-types.js";

/** A {@link Locker} that takes its locks through `redis`, a `Redis` or a `Cluster` of ioredis. */
export function createLocker(redis: IoredisLike, options?: LockerOptions): Locker {
  return new Locker(ioredisClient(redis), options);
}
