import { Chance } from "../chance.js";
import type { FrozenScripts } from "../frozen.js";
import type { Library } from "../library.js";
import { seeded } from "../seeded.js";
import type { ServerBug } from "../server.js";
import { Timeline } from "../timeline.js";
import { Violation, type Wrong } from "../violation.js";
import { History } from "./history.js";
import { oneServer } from "./one-server.js";
import { quorum } from "./quorum.js";
import { replicated } from "./replicated.js";
import type { Basics, Play, Scene, Trouble } from "./world.js";

/** Which servers the processes of a schedule use. */
const PLAYS = { one: oneServer, quorum, replicas: replicated } satisfies Record<
  string,
  (basics: Basics) => Play
>;
export type Servers = keyof typeof PLAYS;

export function isServers(text: string): text is Servers {
  return Object.hasOwn(PLAYS, text);
}

export interface Setting {
  readonly seed: number;
  /** Default: one. */
  readonly servers?: Servers;
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

/** Runs one schedule: first a storm, then calm. Everything in it comes from the seed. */
export async function simulate(setting: Setting): Promise<Result> {
  const { seed, library, servers = "one", serverBug, frozen } = setting;
  const { beyond = [], spared = [], accepted, prevented } = setting;
  const chance = new Chance(seed, prevented);
  const timeline = new Timeline();
  const history = new History(timeline, setting.written ?? false);
  const troublesOf = (all: readonly Trouble[]): ReadonlySet<Trouble> => {
    const chosen = all.filter((trouble) => chance.draw(trouble) < 0.5);
    return new Set([...chosen.filter((trouble) => !spared.includes(trouble)), ...beyond]);
  };
  const scene: Omit<Scene, "watch" | "troubles"> = {
    ...{ library, timeline, chance, history },
    ...{ stormy: true, touched: false, failure: undefined, tokens: 0 },
  };
  const may = new Set(accepted);
  const { run, batches } = PLAYS[servers]({ scene, troublesOf, serverBug, frozen, accepted: may });
  let violation: Violation | undefined;
  try {
    await seeded(chance, run);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error;
    history.note("", () => `VIOLATION: ${error.message}`);
  }
  const { happened } = chance;
  return { violation, happened, history: history.lines, batches };
}
