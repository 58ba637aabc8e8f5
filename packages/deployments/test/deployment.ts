import type { RedisServer } from "@redislock/test-kit";

import type { Access } from "./client.js";

/** Whole numbers from 0 to below the limit, by chance. */
export type Random = (limit: number) => number;

/** Something that goes wrong, and is over when it resolves. */
export interface Fault {
  readonly run: (random: Random) => Promise<void>;
  /** When a server may lose what it has said, or there are two at once. Default: never. */
  readonly loses?: "meanwhile" | "from then on";
}

/** A way in which Redis is deployed. */
export interface Deployment {
  readonly access: Access;
  /** All that may have keys or connections of ours, sentinels included. */
  readonly servers: readonly RedisServer[];
  /** What happens to it, besides processes that die. */
  readonly faults: Readonly<Record<string, Fault>>;
  /** Ends what still goes wrong. */
  readonly heal?: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** What is promised there. */
export interface Promised {
  /**
   * Of those who are never killed or stopped. Long, unless locks get lost: whoever is forgotten would be
   * rescued by the end of a short lease.
   */
  readonly ttl: number;
  /** Milliseconds that nobody waits for longer in the load of a trial. */
  readonly bound: number;
  /** Refusals that are to be expected. Default: none. */
  readonly refusals?: readonly string[];
  /** Starts it. */
  readonly start: () => Promise<Deployment>;
}
