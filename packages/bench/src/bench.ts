import type { RedisServer } from "@redislock/test-kit";
import type { Crew } from "./crew.js";

/** How often each contender is measured at the least, so that a figure's scatter is seen. */
export const ROUNDS = 7;

/** What every scenario works with. */
export interface Bench {
  readonly server: RedisServer;
  readonly crew: Crew;
  /** Only try everything out: the figures will mean nothing. */
  readonly quick: boolean;
  /** Where a scenario writes what must not be: two holders at once, a fencing token that falls. */
  readonly violations: string[];
}
