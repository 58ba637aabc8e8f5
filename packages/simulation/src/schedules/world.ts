import type { Chance } from "../chance.js";
import type { Library } from "../library.js";
import type { FrozenScripts } from "../frozen.js";
import type { SimulatedServer } from "../server.js";
import type { Timeline } from "../timeline.js";
import type { History } from "./history.js";
import type { Watch } from "./watch.js";

const NAMES = [
  "delay",
  "reorder",
  "loseRequest",
  "loseReply",
  "loseMessage",
  "duplicate",
  "refuse",
  "cut",
  "pause",
  "crash",
  // A subscription whose connection lives, and on which nothing comes any more.
  "deaf",
  // What happens to the server: it loses one of the keys beside the lock, or has no memory left, or many
  // of those in line are dead.
  "evict",
  "full",
  "crowd",
  // Where Redis runs: subscriptions are to a replica, or the listeners are counted wrongly.
  "replica",
  "countZero",
  "countOne",
  // What users do: two calls have one token of their own; some share locks, up to limits of their own.
  "sharedToken",
  "sharing",
  // What breaks that which the lock is documented to rely on.
  "restartEmpty",
  "evictLock",
  "clockForward",
  "clockBack",
] as const;

/** What may go wrong. */
export type Trouble = (typeof NAMES)[number];

export function isTrouble(text: string): text is Trouble {
  return NAMES.some((name) => name === text);
}

/** What everything in one schedule shares. */
export interface World {
  readonly library: Library;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly server: SimulatedServer;
  /** What some of the processes run instead of the scripts as they are, as while a new version is rolled out. */
  readonly frozen: FrozenScripts | undefined;
  readonly watch: Watch;
  readonly troubles: ReadonlySet<Trouble>;
  /** Faults happen: in the first part of a schedule, not in the second. */
  stormy: boolean;
  /** A process was told something, and its promises have to run. */
  touched: boolean;
  /** What went wrong in a worker. */
  failure: Error | undefined;
  /** How many tokens were given out. */
  tokens: number;
  /** How many dead waiters came. */
  dead: number;
}

/** Whether this trouble happens now, of those that the schedule has, while it has any. */
export function happens(
  world: World,
  trouble: Trouble,
  where: string,
  probability: number,
): boolean {
  if (!world.stormy || !world.troubles.has(trouble)) return false;
  if (!world.chance.strikes(`${trouble} ${where}`, probability)) return false;
  world.history.note(where, () => `* ${trouble}`);
  return true;
}
