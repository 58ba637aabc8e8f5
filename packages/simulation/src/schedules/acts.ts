/** The acts of a schedule: a storm, and then the calm, in which everything has to be in order. */
import { Crew, type Rig } from "./crew.js";
import { ForeignProgram, type ForeignRig } from "./foreign-program.js";
import { GuardedStore } from "./guarded-store.js";
import { type Busy, until, untilIdle } from "./stepping.js";
import type { Scene } from "./world.js";

/** Somebody who takes locks. */
export interface Actor extends Busy {
  /** Takes so many locks with each of its workers, or tries to. */
  start(rounds: number): void;
  /** The storm is over. */
  calm(): void;
  /** Its connections break. */
  cut(): void;
}

/** Milliseconds after which nothing is left of the storm: no lease, no place in line, no late message. */
const SETTLING = 15_000;
/** How many locks each worker takes, or tries to, in the calm. */
const CALM_ROUNDS = 2;

/** Some processes that work on the same things, and perhaps another program that does so as well. */
export function assemble(
  scene: Scene,
  rigOf: (name: string) => Rig,
  foreignRig: () => ForeignRig,
): Actor[] {
  const store = new GuardedStore();
  const count = scene.chance.pick("processes", [2, 3, 3, 4]);
  const names = ["p1", "p2", "p3", "p4"].slice(0, count);
  const crews = names.map((name) => new Crew(name, scene, store, rigOf(name)));
  if (!scene.troubles.has("foreign")) return crews;
  return [...crews, new ForeignProgram(scene, foreignRig())];
}

/** How long a storm is, in milliseconds, and how many locks each worker takes in it, or tries to. */
export interface Storm {
  readonly length: number;
  readonly rounds: number;
}

/** Things go wrong, until everything that was begun has come to its end. */
export async function storm(scene: Scene, actors: readonly Actor[], storm: Storm): Promise<void> {
  for (const actor of actors) actor.start(storm.rounds);
  await until(scene, storm.length);
  scene.stormy = false;
  scene.history.note("", () => "From here on nothing goes wrong any more.");
  await settle(scene, actors);
}

/** Nothing goes wrong that `hinder` does not plan. */
export async function calm(
  scene: Scene,
  actors: readonly Actor[],
  hinder: () => void = () => undefined,
): Promise<void> {
  scene.watch.calm = true;
  scene.history.note("", () => "From here on everything has to be in order.");
  for (const actor of actors) actor.calm();
  hinder();
  for (const actor of actors) actor.start(CALM_ROUNDS);
  await settle(scene, actors);
}

export async function settle(scene: Scene, actors: readonly Actor[]): Promise<void> {
  await untilIdle(scene, actors);
  await until(scene, scene.timeline.now + SETTLING);
}
