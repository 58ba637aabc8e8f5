/** Schedules with a quorum of three or five servers. */
import { MemoryServer } from "@redislock/testing";

import { type ServerBug, SimulatedServer } from "../server.js";
import { assemble, calm, type Storm, storm } from "./acts.js";
import { Connection } from "./connection.js";
import type { Rig } from "./crew.js";
import type { ForeignRig } from "./foreign-program.js";
import type { SimulatedProcess } from "./process.js";
import { QuorumWatch } from "./quorum-watch.js";
import type { Ttls } from "./worker.js";
import {
  type Basics,
  happens,
  type Play,
  PROCESS_TROUBLES,
  type Scene,
  type Trouble,
} from "./world.js";

/** Troubles that a quorum promises to stand, or that it is documented not to stand where too many have them. */
const TROUBLES: readonly Trouble[] = [
  ...PROCESS_TROUBLES,
  "deaf",
  "hang",
  "restart",
  "restartEmpty",
  "restartOld",
  "part",
  "clockBack",
  "clockForward",
  "forget",
  "foreign",
];

/** Long enough for a server to come back and vote again. */
const STORM: Storm = { length: 5_000, rounds: 4 };
const KEYS: Rig["keys"] = ["a", "b"];
const MAX_TTL = 1_000;
const TTLS: Ttls = {
  stormy: [40, 150, 300, 300, 1_000],
  calm: [150, 300, 1_000],
  longest: MAX_TTL,
};

interface Stage extends Scene {
  readonly watch: QuorumWatch;
  readonly nodes: readonly Node[];
}

/** One of the servers. */
interface Node {
  readonly name: string;
  readonly server: SimulatedServer;
  readonly connections: Set<Connection>;
  /** By how much its clock is ahead of the true time. */
  ahead: number;
}

export function quorum({ scene, troublesOf, serverBug, accepted }: Basics): Play {
  const { timeline, history, chance } = scene;
  const watch = new QuorumWatch(timeline, history, accepted);
  watch.maxTtl = MAX_TTL;
  const apart = chance.pick("clocks apart", [0, 20, 3_000, 100_000]);
  const names = ["s1", "s2", "s3", "s4", "s5"].slice(0, chance.pick("servers", [3, 3, 3, 5]));
  const nodes = names.map((name): Node => {
    const ahead = chance.between(`${name} ahead`, -apart, apart);
    const memory = new MemoryServer({ clock: timeline.clock(ahead) });
    const server = watch.add(
      name,
      (sees) => new SimulatedServer(timeline, bugOf(serverBug), sees, memory),
    );
    return { name, server, ahead, connections: new Set() };
  });
  const troubles = troublesOf(TROUBLES);
  const stage: Stage = Object.assign(scene, { watch, troubles, nodes });
  return { run: () => run(stage), batches: new Map() };
}

function bugOf(bug: ServerBug | undefined): ServerBug {
  return bug ?? {};
}

async function run(stage: Stage): Promise<void> {
  const actors = assemble(
    stage,
    (name) => rig(name, stage),
    () => foreignRig(stage),
  );
  for (const node of stage.nodes) planMishaps(stage, node);
  await storm(stage, actors, STORM);
  await calm(stage, actors, () => hinderFew(stage));
  stage.watch.checkEnd();
}

/** It takes locks at a majority of the servers, as plainly as others do at one. */
function foreignRig({ nodes }: Stage): ForeignRig {
  return {
    keys: KEYS,
    launch: (process) => ({ lines: nodes.map((node) => lineTo(node, process, false)) }),
  };
}

function lineTo(node: Node, process: SimulatedProcess, subscribes: boolean): Connection {
  const line = new Connection(process, {
    server: node.server,
    name: `${process.name}-${node.name}`,
    cluster: false,
    listensTo: subscribes ? "master" : undefined,
    frozen: undefined,
  });
  node.connections.add(line);
  return line;
}

function rig(name: string, stage: Stage): Rig {
  const { chance, library, nodes } = stage;
  const subscribes = chance.draw(`${name} subscribes`) < 0.85;
  const commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
  return {
    keys: KEYS,
    oneByOne: true,
    commandTimeout,
    lastCommands: 2,
    ttls: TTLS,
    launch: (process) => {
      const lines = nodes.map((node) => lineTo(node, process, subscribes));
      const { clock } = process;
      const locker = new library.QuorumLocker(lines, { clock, commandTimeout, maxTtl: MAX_TTL });
      return {
        lines,
        locker: { tryObtain: ([key = ""], ttl, options) => locker.tryObtain(key, ttl, options) },
      };
    },
  };
}

function planMishaps(stage: Stage, node: Node): void {
  const { timeline, chance, watch, history } = stage;
  const { name, server } = node;
  const plan = (trouble: Trouble, run: () => void, before?: (at: number) => void): void => {
    for (let i = 0; i < 2; i++) {
      const at = chance.between(`${trouble} at ${name}`, 0, STORM.length);
      if (!happens(stage, trouble, name, 0.4)) continue;
      before?.(at);
      timeline.at(at, () => server.up && run());
    }
  };
  const note = (line: string): void => history.note(name, () => line);
  const again = (how: string, forgot: boolean, memory: () => MemoryServer | undefined): void => {
    note("is gone");
    const was = server.memory;
    server.goDown();
    for (const line of node.connections) line.cut();
    const down = chance.between(`${name} down`, 10, 800);
    timeline.at(timeline.now + down, () => {
      note(`is there again, ${how}`);
      const clock = timeline.clock(timeline.now + node.ahead);
      const copyOf = forgot ? memory() : was;
      server.start(new MemoryServer({ clock, uptime: 0, copyOf }));
      watch.started(server, forgot);
    });
  };
  plan("restart", () => again("and has forgotten nothing", false, () => undefined));
  plan("restartEmpty", () => again("empty", true, () => undefined));
  let saved: MemoryServer | undefined;
  plan(
    "restartOld",
    () => again("with what it had saved", true, () => saved),
    (at) => {
      const age = chance.between(`${name} saves`, 5, 1_000);
      timeline.at(at - age, () => {
        const clock = timeline.clock(timeline.now + node.ahead);
        saved = new MemoryServer({ clock, copyOf: server.memory });
      });
    },
  );
  plan("hang", () => {
    const ms = chance.between(`${name} hangs`, 20, 1_500);
    hang(stage, node, ms);
  });
  plan("part", () => {
    const lines = [...node.connections];
    const line = lines[Math.floor(chance.draw(`${name} parted`) * lines.length)];
    line?.part(chance.between(`${name} parted for`, 50, 1_500));
  });
  plan("forget", () => {
    note("forgets everything");
    server.memory.command("FLUSHALL");
    watch.forgets(server, "everything");
  });
  for (const [trouble, sign] of [
    ["clockForward", 1],
    ["clockBack", -1],
  ] as const) {
    plan(trouble, () => {
      const by = sign * chance.between(`${trouble} of ${name}`, 50, 2_000);
      note(`its clock jumps by ${by.toFixed(0)} ms`);
      node.ahead += by;
      server.memory.moveClock(by);
      if (sign > 0) watch.forgets(server, "clock");
    });
  }
}

function hang({ timeline, history }: Stage, { name, server }: Node, ms: number): void {
  history.note(name, () => `hangs for ${ms.toFixed(0)} ms`);
  server.hang();
  timeline.at(timeline.now + ms, () => {
    history.note(name, () => "goes on");
    server.goOn();
  });
}

/** A majority is enough for everything to go on: of the others, some hang, and some are gone. */
function hinderFew(stage: Stage): void {
  const { chance, nodes, history, timeline } = stage;
  const from = Math.floor(chance.draw("calm from") * nodes.length);
  const few = Math.floor((nodes.length - 1) / 2);
  const those = Array.from({ length: few }, (_, i) => nodes[(from + i) % nodes.length]);
  const how = chance.pick("calm how", ["not", "hangs", "gone"]);
  stage.watch.hindered = how !== "not";
  for (const node of those) {
    if (!node || how === "not") continue;
    if (how === "hangs") {
      const at = timeline.now + chance.between("calm hang at", 0, 500);
      timeline.at(at, () => hang(stage, node, chance.between("calm hang", 100, 1_500)));
    } else {
      history.note(node.name, () => "is gone for good");
      node.server.goDown();
      for (const line of node.connections) line.cut();
    }
  }
}
