import { Locker, type LockerOptions } from "@redislock/core";

import { valkeyGlideClient } from "./client.js";
import type { GlideLike } from "./glide-types.js";

export * from "@redislock/core";
export { valkeyGlideClient };
export type * from "./glide-types.js";

/**
 * A {@link Locker} that takes its locks through `glide`, a `GlideClient` or a `GlideClusterClient` of Valkey
 * GLIDE.
 */
export function createLocker(glide: GlideLike, options?: LockerOptions): Locker {
  return new Locker(valkeyGlideClient(glide), options);
}
