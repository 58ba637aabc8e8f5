/** How a schedule goes on, one event after the other. */
import type { Scene } from "./world.js";

/** Milliseconds in which every waiter must have been served. */
const LIMIT = 120_000;

/** Somebody who has something to do. */
export interface Busy {
  readonly busy: boolean;
  readonly waiting: readonly string[];
}

export async function untilIdle(world: Scene, crews: readonly Busy[]): Promise<void> {
  const end = world.timeline.now + LIMIT;
  while (crews.some((crew) => crew.busy)) {
    if (await step(world, end)) continue;
    const waiting = crews.flatMap((crew) => crew.waiting).join(", ");
    world.watch.report("a waiter that is never served", waiting);
    return;
  }
}

export async function until(world: Scene, end: number): Promise<void> {
  world.timeline.at(end, () => undefined);
  while (await step(world, end));
}

/** One event, all that it sets off, and a look at what has become of it. */
async function step(world: Scene, end: number): Promise<boolean> {
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
