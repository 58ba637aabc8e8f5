/** Schedules with a master, of whose replicas so many must have a lock before it counts. */
import { assemble, calm, settle, type Storm, storm } from "./acts.js";
import type { Rig } from "./crew.js";
import type { ForeignRig } from "./foreign-program.js";
import { ReplicaSet, type Server } from "./replica-set.js";
import { ReplicasWatch } from "./replicas-watch.js";
import { ReplicatedConnection } from "./side.js";
import { until } from "./stepping.js";
import {
  type Basics,
  happens,
  type Play,
  PROCESS_TROUBLES,
  type Scene,
  type Trouble,
} from "./world.js";

/** Troubles that locks with `minReplicas` promise to stand. */
const TROUBLES: readonly Trouble[] = [
  ...PROCESS_TROUBLES,
  "deaf",
  "hang",
  "part",
  "failover",
  "lag",
  "cutOff",
  "restartReplica",
  "foreign",
];

/** Well below a third of the ttls in the calm, as is recommended. */
const REPLICA_TIMEOUT = 40;
const STORM: Storm = { length: 4_000, rounds: 4 };
const KEYS: Rig["keys"] = ["a", "b"];
/** Milliseconds without replicas: longer than any command takes. */
const HUNGER = 3_000;

interface Stage extends Scene {
  readonly watch: ReplicasWatch;
  readonly set: ReplicaSet;
  readonly lines: Set<ReplicatedConnection>;
}

export function replicated({ scene, troublesOf, serverBug, accepted }: Basics): Play {
  const { timeline, history, chance } = scene;
  const watch = new ReplicasWatch(timeline, history, accepted);
  const troubles = troublesOf(TROUBLES);
  const [replicas, minReplicas] = chance.pick<readonly [number, number]>("replicas", [
    [1, 1],
    [2, 1],
    [2, 2],
    [3, 2],
  ]);
  watch.minReplicas = minReplicas;
  const lag = (replica: Server): number => {
    const lags = happens(stage, "lag", replica.name, 0.1);
    const longest = lags ? chance.pick(`${replica.name} longest lag`, [50, 300, 1_500]) : 3;
    return chance.between(`${replica.name} lag`, 0.1, longest);
  };
  const bug = serverBug;
  const set = new ReplicaSet({ ...{ replicas, timeline, chance, history, watch, bug }, lag });
  watch.current = () => (set.current.server.up ? set.current.server.memory : undefined);
  const lines = new Set<ReplicatedConnection>();
  const stage: Stage = Object.assign(scene, { watch, troubles, set, lines });
  return { run: () => run(stage), batches: new Map() };
}

async function run(stage: Stage): Promise<void> {
  const { timeline, watch, history, set } = stage;
  const actors = assemble(
    stage,
    (name) => rig(name, stage),
    () => foreignRig(stage),
  );
  planMishaps(stage);
  await storm(stage, actors, STORM);

  history.note("", () => "From here on there are no replicas for a while.");
  watch.starved = true;
  for (const replica of set.replicas) replica.hangsUntil = timeline.now + HUNGER;
  for (const actor of actors) actor.start(1);
  await until(stage, timeline.now + HUNGER);
  watch.starved = false;
  await settle(stage, actors);

  await calm(stage, actors);
}

/** It is content with the master alone, so all that it has is void once another takes over. */
function foreignRig({ set, lines }: Stage): ForeignRig {
  return {
    keys: KEYS,
    launch: (process) => {
      const { server } = set.current;
      const line = new ReplicatedConnection(process, set, {
        ...{ server, cluster: false, listensTo: undefined, frozen: undefined },
      });
      lines.add(line);
      const voidLater = (): (() => boolean) => {
        const { server } = line;
        return () => set.current.server !== server;
      };
      return { lines: [line], voidLater };
    },
  };
}

function rig(name: string, stage: Stage): Rig {
  const { chance, library, set, lines, watch } = stage;
  const subscribes = chance.draw(`${name} subscribes`) < 0.85;
  const commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
  const { minReplicas } = watch;
  return {
    keys: KEYS,
    commandTimeout,
    lastCommands: 3,
    launch: (process) => {
      const line = new ReplicatedConnection(process, set, {
        server: set.current.server,
        cluster: false,
        listensTo: subscribes ? "master" : undefined,
        frozen: undefined,
      });
      lines.add(line);
      const { clock } = process;
      const locker = new library.Locker(line, {
        ...{ clock, commandTimeout, minReplicas },
        replicaTimeout: REPLICA_TIMEOUT,
      });
      return { locker, lines: [line] };
    },
  };
}

function planMishaps(stage: Stage): void {
  const { timeline, chance, set, history, lines } = stage;
  const plan = (trouble: Trouble, run: () => void): void => {
    for (let i = 0; i < 3; i++) {
      const at = chance.between(`${trouble} at`, 0, STORM.length);
      if (happens(stage, trouble, "servers", 0.6)) timeline.at(at, run);
    }
  };
  const some = (about: string): Server | undefined => {
    const { replicas } = set;
    return replicas[Math.floor(chance.draw(about) * replicas.length)];
  };
  plan("hang", () => {
    const replica = some("hangs");
    if (!replica) return;
    const ms = chance.between("replica hangs", 50, 1_500);
    history.note(replica.name, () => `hangs for ${ms.toFixed(0)} ms`);
    replica.hangsUntil = timeline.now + ms;
  });
  plan("cutOff", () => {
    history.note(set.current.name, () => "is cut off from its replicas");
    for (const replica of set.replicas) {
      if (replica.master !== set.current) continue;
      set.follow(replica, set.current, chance.between("cut off for", 50, 1_500));
    }
  });
  plan("restartReplica", () => {
    const replica = some("restarts");
    if (!replica) return;
    history.note(replica.name, () => "is started anew, empty");
    set.forget(replica, chance.between("starts anew", 20, 500));
  });
  plan("part", () => {
    const all = [...lines];
    const line = all[Math.floor(chance.draw("parted") * all.length)];
    line?.part(chance.between("parted for", 50, 1_500));
  });
  plan("failover", () => failOver(stage, true));
  plan("badFailover", () => {
    // One falls behind, and then takes over.
    const replica = some("falls behind");
    if (!replica) return;
    replica.hangsUntil = timeline.now + chance.between("behind for", 100, 800);
    timeline.at(replica.hangsUntil, () => failOver(stage, false));
  });
}

/** A replica takes over: one that has all that was confirmed, or else the one that has the least. */
function failOver(stage: Stage, safe: boolean): void {
  const { timeline, chance, set, history, lines, watch } = stage;
  const { current } = set;
  const own = set.replicas.filter(({ master }) => master === current);
  const areAllAsked = watch.minReplicas === set.servers.length - 1;
  const able = own.filter(
    ({ data, applied, hangsUntil }) =>
      data !== undefined &&
      hangsUntil <= timeline.now &&
      (!safe || areAllAsked || applied >= current.highestConfirmed),
  );
  const least = able.reduce<Server | undefined>(
    (a, b) => (a && a.applied <= b.applied ? a : b),
    undefined,
  );
  const drawn = able[Math.floor(chance.draw("takes over") * able.length)];
  const replica = safe ? drawn : least;
  if (!replica) return;
  const before = set.promote(replica);
  const dies = chance.draw("old master dies") < 0.5;
  history.note(
    replica.name,
    () => `takes over from ${before.name}, which ${dies ? "dies" : "goes on"}`,
  );
  if (dies) before.server.goDown();
  for (const other of own) {
    if (other === replica) continue;
    // Where not all must confirm, one that goes on to confirm to the old master would keep that alive.
    const after = chance.between("others follow", 5, 800);
    if (dies || !areAllAsked) set.follow(other, replica, after);
    else timeline.at(timeline.now + after, () => set.follow(other, set.current, 20));
  }
  for (const line of lines) {
    const noticed = chance.between(`${line.name} notices`, 5, 1_500);
    if (dies) line.cut();
    timeline.at(timeline.now + noticed, () => {
      if (line.server !== set.current.server) line.leadTo(set.current.server);
    });
  }
  timeline.at(timeline.now + chance.between("old master comes back", 100, 2_000), () => {
    history.note(before.name, () => "is a replica from now on");
    set.demote(before, chance.between("catches up", 20, 300));
  });
}
