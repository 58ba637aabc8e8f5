/** Schedules with one server, and perhaps with processes that run scripts of two versions. */
import { SimulatedServer } from "../server.js";
import { assemble, calm, type Storm, storm } from "./acts.js";
import { Connection } from "./connection.js";
import type { Rig } from "./crew.js";
import type { ForeignRig } from "./foreign-program.js";
import { miscount, planCalmMishaps, planServerMishaps } from "./server-mishaps.js";
import { Watch } from "./watch.js";
import {
  type Basics,
  happens,
  type Play,
  PROCESS_TROUBLES,
  type Trouble,
  type World,
} from "./world.js";

/** Troubles of the server, of its memory and of subscriptions; another program; and all kinds of locks. */
export const MISHAPS: readonly Trouble[] = ["deaf", "evict", "full", "crowd", "foreign", "sharing"];

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
  const keys = cluster ? (["{k}a", "{k}b"] as const) : (["a", "b"] as const);
  const actors = assemble(
    world,
    (name) => rig(name, world, keys, cluster),
    () => foreignRig(world, keys),
  );
  planServerMishaps(world, STORM.length, () => actors.forEach((actor) => actor.cut()));
  await storm(world, actors, STORM);
  await calm(world, actors, () => planCalmMishaps(world));
}

/** Works on the same two locks, which each of several keys is one of. */
function foreignRig({ server }: World, keys: Rig["keys"]): ForeignRig {
  return {
    keys,
    launch: (process) => {
      const options = { server, cluster: false, listensTo: undefined, frozen: undefined };
      return { lines: [new Connection(process, options)] };
    },
  };
}

function rig(name: string, world: World, keys: Rig["keys"], cluster: boolean): Rig {
  const { chance, library, frozen, server } = world;
  const subscribes = chance.draw(`${name} subscribes`) < 0.85;
  const replica = happens(world, "replica", name, 0.5);
  const listensTo = subscribes ? (replica ? "replica" : "master") : undefined;
  const commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
  return {
    keys,
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
