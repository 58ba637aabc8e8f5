/** The acts of a schedule: a storm, and then the calm, in which everything has to be in order. */
import { Crew, type Rig } from "./crew.js";
import { GuardedStore } from "./guarded-store.js";
import { until, untilIdle } from "./stepping.js";
import type { Scene, Trouble } from "./world.js";

/** Troubles of processes and of what is on its way, which every kind of schedule has. */
export const PROCESS_TROUBLES: readonly Trouble[] = [
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
];

/** Milliseconds after which nothing is left of the storm: no lease, no place in line, no late message. */
const SETTLING = 15_000;
/** How many locks each worker takes, or tries to, in the calm. */
const CALM_ROUNDS = 2;

/** Some processes that work on the same things. */
export function assemble(scene: Scene, rigOf: (name: string) => Rig): Crew[] {
  const store = new GuardedStore();
  const count = scene.chance.pick("processes", [2, 3, 3, 4]);
  const names = ["p1", "p2", "p3", "p4"].slice(0, count);
  return names.map((name) => new Crew(name, scene, store, rigOf(name)));
}

/** How long a storm is, in milliseconds, and how many locks each worker takes in it, or tries to. */
export interface Storm {
  readonly length: number;
  readonly rounds: number;
}

/** Things go wrong, until everything that was begun has come to its end. */
export async function storm(scene: Scene, crews: readonly Crew[], storm: Storm): Promise<void> {
  for (const crew of crews) crew.start(storm.rounds);
  await until(scene, storm.length);
  scene.stormy = false;
  scene.history.note("", () => "From here on nothing goes wrong any more.");
  await settle(scene, crews);
}

/** Nothing goes wrong that `hinder` does not plan. */
export async function calm(
  scene: Scene,
  crews: readonly Crew[],
  hinder: () => void = () => undefined,
): Promise<void> {
  scene.watch.calm = true;
  scene.history.note("", () => "From here on everything has to be in order.");
  for (const crew of crews) crew.calm();
  hinder();
  for (const crew of crews) crew.start(CALM_ROUNDS);
  await settle(scene, crews);
}

export async function settle(scene: Scene, crews: readonly Crew[]): Promise<void> {
  await untilIdle(scene, crews);
  await until(scene, scene.timeline.now + SETTLING);
}
