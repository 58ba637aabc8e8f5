import { Chance } from "../chance.js";
import type { FrozenScripts } from "../frozen.js";
import type { Library } from "../library.js";
import { type ServerBug, SimulatedServer } from "../server.js";
import { Timeline } from "../timeline.js";
import { Violation, type Wrong } from "../violation.js";
import { Crew } from "./crew.js";
import { GuardedStore } from "./guarded-store.js";
import { History } from "./history.js";
import { miscount, planCalmMishaps, planServerMishaps } from "./server-mishaps.js";
import { Watch } from "./watch.js";
import type { Trouble, World } from "./world.js";

export interface Setting {
  readonly seed: number;
  readonly library: Library;
  readonly serverBug?: ServerBug;
  /** Scripts of an earlier version, which some of the processes run. */
  readonly frozen?: FrozenScripts;
  /** What breaks the lock's assumptions, besides the troubles that the seed chooses. */
  readonly beyond?: readonly Trouble[];
  /** Troubles that it is spared, though the seed may choose them. */
  readonly spared?: readonly Trouble[];
  /** What is then allowed to go wrong. */
  readonly accepted?: readonly Wrong[];
  /** Mishaps and rounds that must not happen. */
  readonly prevented?: ReadonlySet<string>;
  /** Whether to write down what happens. */
  readonly written?: boolean;
}

export interface Result {
  readonly violation: Violation | undefined;
  /** By name, each mishap that happened and each round that was worked. */
  readonly happened: readonly string[];
  readonly history: readonly string[];
  /** How many batches the server ran, by script. */
  readonly batches: ReadonlyMap<string, number>;
}

/** Troubles of the server, of its memory and of subscriptions. */
export const MISHAPS: readonly Trouble[] = ["deaf", "evict", "full", "crowd"];

/** Troubles that the lock promises to stand. */
const TROUBLES: readonly Trouble[] = [
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
  ...MISHAPS,
];

/** Milliseconds in which things go wrong. */
const STORM = 3_000;
/** Milliseconds after which nothing is left of the storm: no lease, no place in line, no late message. */
const SETTLING = 15_000;
/** Milliseconds in which every waiter must have been served. */
const LIMIT = 120_000;
/** How many locks each worker takes, or tries to, in the storm and in the calm. */
const STORMY_ROUNDS = 3;
const CALM_ROUNDS = 2;

/** Runs one schedule: first a storm, then calm. Everything in it comes from the seed. */
export async function simulate(setting: Setting): Promise<Result> {
  const { seed, library, serverBug, beyond = [], spared = [], accepted, prevented } = setting;
  const chance = new Chance(seed, prevented);
  const timeline = new Timeline();
  const history = new History(timeline, setting.written ?? false);
  const watch = new Watch(timeline, history, new Set(accepted));
  const server = new SimulatedServer(timeline, serverBug, watch);
  const chosen = TROUBLES.filter((trouble) => chance.draw(trouble) < 0.5);
  const troubles = chosen.filter((trouble) => !spared.includes(trouble));
  const world: World = {
    library,
    timeline,
    chance,
    history,
    server,
    frozen: setting.frozen,
    watch,
    troubles: new Set([...troubles, ...beyond]),
    stormy: true,
    touched: false,
    failure: undefined,
    tokens: 0,
    dead: 0,
  };
  let violation: Violation | undefined;
  try {
    await run(world);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
    history.note("", () => `VIOLATION: ${error.message}`);
  }
  const { happened } = chance;
  return { violation, happened, history: history.lines, batches: server.batches };
}

async function run(world: World): Promise<void> {
  const { timeline, watch, history } = world;
  miscount(world);
  const crews = assemble(world);
  planServerMishaps(world, STORM, () => crews.forEach((crew) => crew.cut()));

  for (const crew of crews) crew.start(STORMY_ROUNDS);
  await until(world, STORM);
  world.stormy = false;
  history.note("", () => "From here on nothing goes wrong any more.");
  await untilIdle(world, crews);
  await until(world, timeline.now + SETTLING);

  watch.calm = true;
  history.note("", () => "From here on everything has to be in order.");
  for (const crew of crews) crew.calm();
  planCalmMishaps(world);
  for (const crew of crews) crew.start(CALM_ROUNDS);
  await untilIdle(world, crews);
  await until(world, timeline.now + SETTLING);
}

function assemble(world: World): Crew[] {
  const { chance } = world;
  const store = new GuardedStore();
  const cluster = chance.draw("cluster") < 0.2;
  const names = ["p1", "p2", "p3", "p4"].slice(0, chance.pick("processes", [2, 3, 3, 4]));
  return names.map((name) => new Crew(name, world, store, cluster));
}

async function untilIdle(world: World, crews: readonly Crew[]): Promise<void> {
  const end = world.timeline.now + LIMIT;
  while (crews.some((crew) => crew.busy)) {
    if (await step(world, end)) continue;
    const waiting = crews.flatMap((crew) => crew.waiting).join(", ");
    world.watch.report("a waiter that is never served", waiting);
    return;
  }
}

async function until(world: World, end: number): Promise<void> {
  world.timeline.at(end, () => undefined);
  while (await step(world, end));
}

/** One event, all that it sets off, and a look at what has become of it. */
async function step(world: World, end: number): Promise<boolean> {
  world.touched = false;
  if (!world.timeline.step(end)) return false;
  // What happened on the way or at the server has set nothing off yet.
  if (!world.touched) return true;
  // Behind it, every promise that could go on has done so.
  await new Promise((resolve) => setImmediate(resolve));
  if (world.failure) throw world.failure;
  world.watch.look();
  return true;
}
