import { eachClient, QuorumLocker, type QuorumLockerOptions } from "@redislock/core/quorum";

import { ioredisClient } from "./client.js";
import type { IoredisLike } from "./ioredis-types.js";

export * from "@redislock/core/quorum";

/**
 * A {@link QuorumLocker} that takes its locks from a majority of the servers of `redis`, each
 * a `Redis` of ioredis. In the same order wherever they are used.
 */
export function createQuorumLocker(
  redis: readonly IoredisLike[],
  options?: QuorumLockerOptions,
): QuorumLocker {
  return new QuorumLocker(eachClient(redis, ioredisClient), options);
}
