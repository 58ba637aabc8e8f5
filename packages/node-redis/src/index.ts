import { Locker, type LockerOptions } from "@redislock/core";

import { nodeRedisClient } from "./client.js";
import type { NodeRedisLike } from "./node-redis-types.js";

export * from "@redislock/core";
export { nodeRedisClient };
export type * from "./node-redis-types.js";

/** A {@link Locker} that takes its locks through `redis`: a client, pool, cluster or sentinel of node-redis. */
export function createLocker(redis: NodeRedisLike, options?: LockerOptions): Locker {
  return new Locker(nodeRedisClient(redis), options);
}
