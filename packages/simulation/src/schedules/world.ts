import type { Chance } from "../chance.js";
import type { Library } from "../library.js";
import type { FrozenScripts } from "../frozen.js";
import type { ServerBug, SimulatedServer } from "../server.js";
import type { Timeline } from "../timeline.js";
import type { Wrong } from "../violation.js";
import type { Beliefs } from "./beliefs.js";
import type { History } from "./history.js";
import type { Watch } from "./watch.js";

/** Troubles of processes and of what is on its way, which every kind of schedule has. */
export const PROCESS_TROUBLES = [
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
] as const;

const NAMES = [
  ...PROCESS_TROUBLES,
  // A subscription whose connection lives, and on which nothing comes any more.
  "deaf",
  // What happens to the server: it loses one of the keys beside the lock, or has no memory left, or many
  // of those in line are dead.
  "evict",
  "full",
  "crowd",
  // Another program takes the same locks by a plain SET NX, and knows nothing of this library.
  "foreign",
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
  // What happens to one of several servers: it hangs, it is started again with all that it had, or with what
  // it had some time before, it forgets everything without that, or a process cannot reach it for a while.
  "hang",
  "restart",
  "restartOld",
  "forget",
  "part",
  // What happens to a master with replicas: one of these takes over, all of them lag or are cut off for a
  // while, or forget what they had; or one takes over that has not got all that some have confirmed.
  "failover",
  "lag",
  "cutOff",
  "restartReplica",
  "badFailover",
] as const;

/** What may go wrong. */
export type Trouble = (typeof NAMES)[number];

export function isTrouble(text: string): text is Trouble {
  return NAMES.some((name) => name === text);
}

/** What everything in one schedule shares, whatever servers it has. */
export interface Scene {
  readonly library: Library;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly watch: Beliefs;
  readonly troubles: ReadonlySet<Trouble>;
  /** Faults happen: in the first part of a schedule, not in the second. */
  stormy: boolean;
  /** A process was told something, and its promises have to run. */
  touched: boolean;
  /** What went wrong in a worker. */
  failure: Error | undefined;
  /** How many tokens were given out. */
  tokens: number;
}

/** What a kind of schedule is made of. */
export interface Basics {
  /** To which the rest is added. */
  readonly scene: Omit<Scene, "watch" | "troubles">;
  /** Those of all these troubles that the schedule has. */
  readonly troublesOf: (all: readonly Trouble[]) => ReadonlySet<Trouble>;
  readonly serverBug: ServerBug | undefined;
  readonly frozen: FrozenScripts | undefined;
  readonly accepted: ReadonlySet<Wrong>;
}

/** A schedule that is ready to be run. */
export interface Play {
  readonly run: () => Promise<void>;
  /** How many batches its servers ran, by script. */
  readonly batches: ReadonlyMap<string, number>;
}

/** A scene with one server. */
export interface World extends Scene {
  readonly server: SimulatedServer;
  readonly watch: Watch;
  /** What some of the processes run instead of the scripts as they are, as while a new version is rolled out. */
  readonly frozen: FrozenScripts | undefined;
  /** How many dead waiters came. */
  dead: number;
}

/** Whether this trouble happens now, of those that the schedule has, while it has any. */
export function happens(
  scene: Scene,
  trouble: Trouble,
  where: string,
  probability: number,
): boolean {
  if (!scene.stormy || !scene.troubles.has(trouble)) return false;
  if (!scene.chance.strikes(`${trouble} ${where}`, probability)) return false;
  scene.history.note(where, () => `* ${trouble}`);
  return true;
}
