import type { Clock } from "@redislock/core";

import type { Scene } from "./world.js";

/**
 * A process with a clock of its own. Nothing happens in it but through {@link enter}: while it is
 * paused, what comes has to wait, and when it has crashed, nothing comes any more.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly world: Scene;
  readonly clock: Clock;
  /** How fast that goes. */
  readonly rate: number;
  /** What is sent to its subscription does not arrive, though its connection lives. */
  deaf = false;
  #state: "running" | "paused" | "crashed" = "running";
  #waiting: (() => void)[] = [];
  #resumedAt = -Infinity;

  constructor(name: string, world: Scene) {
    this.name = name;
    this.world = world;
    const { timeline, chance } = world;
    const offset = chance.between(`${name} clock`, 0, 1e6);
    // Two clocks that are half a percent off differ by the one percent that the lock allows for.
    this.rate = chance.between(`${name} rate`, 0.9955, 1.0045);
    this.clock = timeline.clock(offset, this.rate, (run) => this.enter(run));
  }

  get alive(): boolean {
    return this.#state !== "crashed";
  }

  /** For how many milliseconds it has been running; 0 while it is paused or crashed. */
  get awake(): number {
    return this.#state === "running" ? this.world.timeline.now - this.#resumedAt : 0;
  }

  enter(run: () => void): void {
    this.world.touched = true;
    if (this.#state === "running") run();
    else if (this.#state === "paused") this.#waiting.push(run);
  }

  pause(ms: number): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.world.history.note(this.name, () => `is paused for ${ms.toFixed(0)} ms`);
    this.world.timeline.at(this.world.timeline.now + ms, () => this.#resume());
  }

  crash(): void {
    this.#state = "crashed";
    this.world.history.note(this.name, () => "crashes");
  }

  /** After so many milliseconds of its own clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  #resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.world.history.note(this.name, () => "goes on");
    const { timeline } = this.world;
    this.#resumedAt = timeline.now;
    for (const run of this.#waiting.splice(0)) timeline.at(timeline.now, () => this.enter(run));
  }
}
