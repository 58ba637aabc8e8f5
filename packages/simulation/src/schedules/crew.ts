import type { GuardedStore } from "./guarded-store.js";
import { SimulatedProcess } from "./process.js";
import { type Gear, Worker, type WorkerSettings } from "./worker.js";
import { happens, type Scene, type Trouble } from "./world.js";

/** Milliseconds into a schedule in which the last mishap is planned. */
const LAST_MISHAP = 3_000;

/** Of a crew: how it works, and what each of its processes gets when it is started. */
export interface Rig extends WorkerSettings {
  readonly launch: (process: SimulatedProcess) => Gear;
}

/** What runs while a process does not crash. */
interface Running extends Gear {
  readonly process: SimulatedProcess;
}

/** A process with two workers, which is started anew when it has crashed. */
export class Crew {
  readonly #name: string;
  readonly #world: Scene;
  readonly #store: GuardedStore;
  readonly #rig: Rig;
  /** How many rounds are to be worked yet, by worker. */
  readonly #rounds = new Map<string, number>();
  #running: Running;

  constructor(name: string, world: Scene, store: GuardedStore, rig: Rig) {
    const { chance } = world;
    this.#name = name;
    this.#world = world;
    this.#store = store;
    this.#rig = rig;
    this.#running = this.#launch();
    this.#plan("pause", 3, () =>
      this.#running.process.pause(chance.between(`${name} pause`, 5, 1_500)),
    );
    this.#plan("cut", 2, () => this.cut());
    this.#plan("crash", 1, () => this.#crash());
    this.#plan("deaf", 2, () => this.#deafen());
  }

  get busy(): boolean {
    return [...this.#rounds.values()].some((rounds) => rounds > 0);
  }

  /** The workers that have something to do yet. */
  get waiting(): string[] {
    return [...this.#rounds].filter(([, rounds]) => rounds > 0).map(([worker]) => worker);
  }

  start(rounds: number): void {
    for (const letter of ["a", "b"]) this.#rounds.set(`${this.#name}${letter}`, rounds);
    this.#work();
  }

  /** The storm is over; what went deaf before the calm or at its beginning finds that out by itself. */
  calm(): void {
    const { troubles, chance } = this.#world;
    if (!troubles.has("deaf") || chance.draw(`${this.#name} deaf in the calm`) < 0.5) return;
    this.#deafen();
  }

  cut(): void {
    for (const line of this.#running.lines) line.cut();
  }

  #deafen(): void {
    for (const line of this.#running.lines) line.deafen();
  }

  #plan(trouble: Trouble, most: number, run: () => void): void {
    const { timeline, chance } = this.#world;
    for (let i = 0; i < most; i++) {
      const at = chance.between(`${this.#name} ${trouble} at`, 0, LAST_MISHAP);
      if (happens(this.#world, trouble, this.#name, 0.5)) timeline.at(at, run);
    }
  }

  #launch(): Running {
    const process = new SimulatedProcess(this.#name, this.#world);
    return { process, ...this.#rig.launch(process) };
  }

  #crash(): void {
    const { timeline, chance } = this.#world;
    this.#running.process.crash();
    this.cut();
    timeline.at(timeline.now + chance.between(`${this.#name} down`, 0, 1_000), () => {
      this.#running = this.#launch();
      this.#world.history.note(this.#name, () => "is started again");
      this.#work();
    });
  }

  #work(): void {
    const { process, ...gear } = this.#running;
    for (const name of this.#rounds.keys()) {
      const worker = new Worker(name, process, gear, this.#store, this.#rig);
      this.#untilDone(name, process, worker).catch((error: unknown) => {
        this.#world.failure ??= error instanceof Error ? error : new Error(String(error));
      });
    }
  }

  async #untilDone(name: string, process: SimulatedProcess, worker: Worker): Promise<void> {
    for (let left = this.#left(name); left > 0 && process.alive; left = this.#left(name)) {
      await worker.round();
      this.#rounds.set(name, left - 1);
    }
  }

  #left(name: string): number {
    return this.#rounds.get(name) ?? 0;
  }
}
