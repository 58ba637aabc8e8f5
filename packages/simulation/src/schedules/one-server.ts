/** Schedules with one server, and perhaps with processes that run scripts of two versions. */
import { SimulatedServer } from "../server.js";
import { assemble, calm, PROCESS_TROUBLES, type Storm, storm } from "./acts.js";
import { Connection } from "./connection.js";
import type { Rig } from "./crew.js";
import { miscount, planCalmMishaps, planServerMishaps } from "./server-mishaps.js";
import { Watch } from "./watch.js";
import { type Basics, happens, type Play, type Trouble, type World } from "./world.js";

/** Troubles of the server, of its memory and of subscriptions. */
export const MISHAPS: readonly Trouble[] = ["deaf", "evict", "full", "crowd"];

/** Troubles that the lock promises to stand. */
const TROUBLES: readonly Trouble[] = [...PROCESS_TROUBLES, ...MISHAPS];

const STORM: Storm = { length: 3_000, rounds: 3 };

export function oneServer({ scene, troublesOf, serverBug, frozen, accepted }: Basics): Play {
  const { timeline, history } = scene;
  const watch = new Watch(timeline, history, accepted);
  const server = new SimulatedServer(timeline, serverBug, watch);
  const troubles = troublesOf(TROUBLES);
  const world: World = Object.assign(scene, { watch, troubles, server, frozen, dead: 0 });
  return { run: () => run(world), batches: server.batches };
}

async function run(world: World): Promise<void> {
  miscount(world);
  const cluster = world.chance.draw("cluster") < 0.2;
  const crews = assemble(world, (name) => rig(name, world, cluster));
  planServerMishaps(world, STORM.length, () => crews.forEach((crew) => crew.cut()));
  await storm(world, crews, STORM);
  await calm(world, crews, () => planCalmMishaps(world));
}

function rig(name: string, world: World, cluster: boolean): Rig {
  const { chance, library, frozen, server } = world;
  const subscribes = chance.draw(`${name} subscribes`) < 0.85;
  const replica = happens(world, "replica", name, 0.5);
  const listensTo = subscribes ? (replica ? "replica" : "master") : undefined;
  const commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
  return {
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
  };
}
