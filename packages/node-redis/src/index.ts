import { Locker, type LockerOptions } from "@redislock/core";

import { nodeRedisClient } from "./client.js";
import type { NodeRedisLike } from "./node-redis-types.js";

export * from "@redislock/core";
export { nodeRedisClient };
export type * from "./node-redis-types.js";

/**
 * A {@link Locker} that takes its locks through `redis`: a client, pool, cluster or sentinel of node-redis.
 * Make one for each client and keep it; the client stays yours to close.
 *
 * @example
 * const redis = await createClient().connect();
 * const locker = createLocker(redis, { namespace: "shop:" });
 * await locker.using("invoice:42", 10_000, { wait: 5_000 }, () => pay());
 * @throws TypeError, RangeError for what is no client of node-redis, and for bad options
 */
export function createLocker(redis: NodeRedisLike, options?: LockerOptions): Locker {
  return new Locker(nodeRedisClient(redis), options);
}
