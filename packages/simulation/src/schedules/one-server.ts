/** Schedules with one server, and perhaps with processes that run scripts of two versions. */
import { SimulatedServer } from "../server.js";
import { Connection } from "./connection.js";
import { Crew } from "./crew.js";
import { GuardedStore } from "./guarded-store.js";
import { miscount, planCalmMishaps, planServerMishaps } from "./server-mishaps.js";
import { until, untilIdle } from "./stepping.js";
import { Watch } from "./watch.js";
import { type Basics, happens, type Play, type Trouble, type World } from "./world.js";

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
/** How many locks each worker takes, or tries to, in the storm and in the calm. */
const STORMY_ROUNDS = 3;
const CALM_ROUNDS = 2;

export function oneServer({ scene, troublesOf, serverBug, frozen, accepted }: Basics): Play {
  const { timeline, history } = scene;
  const watch = new Watch(timeline, history, accepted);
  const server = new SimulatedServer(timeline, serverBug, watch);
  const troubles = troublesOf(TROUBLES);
  const world: World = Object.assign(scene, { watch, troubles, server, frozen, dead: 0 });
  return { run: () => run(world), batches: server.batches };
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
  return names.map((name) => crew(name, world, store, cluster));
}

function crew(name: string, world: World, store: GuardedStore, cluster: boolean): Crew {
  const { chance, library, frozen, server } = world;
  const subscribes = chance.draw(`${name} subscribes`) < 0.85;
  const replica = happens(world, "replica", name, 0.5);
  const listensTo = subscribes ? (replica ? "replica" : "master") : undefined;
  const commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
  return new Crew(name, world, store, {
    keys: cluster ? ["{k}a", "{k}b"] : ["a", "b"],
    commandTimeout,
    launch: (process) => {
      // Started again, it may be of the other version.
      const isOld = frozen !== undefined && chance.draw(`${name} version`) < 0.5;
      const own = isOld ? frozen : undefined;
      const connection = new Connection(process, { server, cluster, listensTo, frozen: own });
      const { clock } = process;
      const locker = new library.Locker(connection, { clock, commandTimeout });
      return { locker, lines: [connection] };
    },
  });
}
