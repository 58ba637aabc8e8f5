import type { RedisServer } from "@redislock/test-kit";
import type { Crew } from "./crew.js";

/** What every scenario works with. */
export interface Bench {
  readonly server: RedisServer;
  readonly crew: Crew;
  /** Only try everything out: the figures will mean nothing. */
  readonly quick: boolean;
  /** Where a scenario writes what must not be: two holders at once, a fencing token that falls. */
  readonly violations: string[];
}
