import { eachClient, QuorumLocker, type QuorumLockerOptions } from "@redislock/core/quorum";

import { valkeyGlideClient } from "./client.js";
import type { GlideLike } from "./glide-types.js";

export * from "@redislock/core/quorum";

/**
 * A {@link QuorumLocker} that takes its locks from a majority of the servers of `glides`, each
 * a `GlideClient` of Valkey GLIDE. In the same order wherever they are used.
 *
 * @example
 * const locker = createQuorumLocker(clients, { maxTtl: 15_000 });
 * await locker.using("invoice:42", 10_000, { wait: 5_000 }, () => pay());
 * @throws TypeError, RangeError for fewer than three, for the same one twice, and for bad options
 */
export function createQuorumLocker(
  glides: readonly GlideLike[],
  options?: QuorumLockerOptions,
): QuorumLocker {
  return new QuorumLocker(eachClient(glides, valkeyGlideClient), options);
}
