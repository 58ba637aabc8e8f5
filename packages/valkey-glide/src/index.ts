import { Locker, type LockerOptions } from "@redislock/core";

import { valkeyGlideClient } from "./client.js";
import type { GlideLike } from "./glide-types.js";

export * from "@redislock/core";
export { valkeyGlideClient };
export type * from "./glide-types.js";

/**
 * A {@link Locker} that takes its locks through `glide`, a `GlideClient` or a `GlideClusterClient` of Valkey
 * GLIDE. Make one for each client and keep it; the client stays yours to close.
 *
 * @example
 * const glide = await GlideClient.createClient({ addresses: [{ host: "127.0.0.1" }] });
 * const locker = createLocker(glide, { namespace: "shop:" });
 * await locker.using("invoice:42", 10_000, { wait: 5_000 }, () => pay());
 * @throws TypeError, RangeError for what is no client of GLIDE, and for bad options
 */
export function createLocker(glide: GlideLike, options?: LockerOptions): Locker {
  return new Locker(valkeyGlideClient(glide), options);
}
