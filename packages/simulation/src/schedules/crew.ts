import type { Locker } from "@redislock/core";

import { Connection, type ConnectionOptions } from "./connection.js";
import type { GuardedStore } from "./guarded-store.js";
import { SimulatedProcess } from "./process.js";
import { Worker } from "./worker.js";
import { happens, type Trouble, type World } from "./world.js";

/** Milliseconds into a schedule in which the last mishap is planned. */
const LAST_MISHAP = 3_000;

/** What runs while a process does not crash. */
interface Running {
  readonly process: SimulatedProcess;
  readonly connection: Connection;
  readonly locker: Locker;
}

/** A process with two workers, which is started anew when it has crashed. */
export class Crew {
  readonly #name: string;
  readonly #world: World;
  readonly #store: GuardedStore;
  readonly #cluster: boolean;
  readonly #listensTo: ConnectionOptions["listensTo"];
  readonly #commandTimeout: number;
  /** How many rounds are to be worked yet, by worker. */
  readonly #rounds = new Map<string, number>();
  #running: Running;

  constructor(name: string, world: World, store: GuardedStore, cluster: boolean) {
    const { chance } = world;
    this.#name = name;
    this.#world = world;
    this.#store = store;
    this.#cluster = cluster;
    const subscribes = chance.draw(`${name} subscribes`) < 0.85;
    const replica = happens(world, "replica", name, 0.5);
    this.#listensTo = subscribes ? (replica ? "replica" : "master") : undefined;
    this.#commandTimeout = chance.pick(`${name} timeout`, [200, 1_000, 2_000]);
    this.#running = this.#launch();
    this.#plan("pause", 3, () =>
      this.#running.process.pause(chance.between(`${name} pause`, 5, 1_500)),
    );
    this.#plan("cut", 2, () => this.cut());
    this.#plan("crash", 1, () => this.#crash());
    this.#plan("deaf", 2, () => this.#running.connection.deafen());
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
    this.#running.connection.deafen();
  }

  cut(): void {
    this.#running.connection.cut();
  }

  #plan(trouble: Trouble, most: number, run: () => void): void {
    const { timeline, chance } = this.#world;
    for (let i = 0; i < most; i++) {
      const at = chance.between(`${this.#name} ${trouble} at`, 0, LAST_MISHAP);
      if (happens(this.#world, trouble, this.#name, 0.5)) timeline.at(at, run);
    }
  }

  #launch(): Running {
    const { library, frozen, chance } = this.#world;
    const process = new SimulatedProcess(this.#name, this.#world);
    // Started again, it may be of the other version.
    const isOld = frozen !== undefined && chance.draw(`${this.#name} version`) < 0.5;
    const connection = new Connection(process, {
      cluster: this.#cluster,
      listensTo: this.#listensTo,
      frozen: isOld ? frozen : undefined,
    });
    const locker = new library.Locker(connection, {
      clock: process.clock,
      commandTimeout: this.#commandTimeout,
    });
    return { process, connection, locker };
  }

  #crash(): void {
    const { timeline, chance } = this.#world;
    this.#running.process.crash();
    this.#running.connection.cut();
    timeline.at(timeline.now + chance.between(`${this.#name} down`, 0, 1_000), () => {
      this.#running = this.#launch();
      this.#world.history.note(this.#name, () => "is started again");
      this.#work();
    });
  }

  #work(): void {
    const { process, locker } = this.#running;
    const keys = this.#cluster ? (["{k}a", "{k}b"] as const) : (["a", "b"] as const);
    for (const name of this.#rounds.keys()) {
      const settings = { keys, commandTimeout: this.#commandTimeout };
      const worker = new Worker(name, process, locker, this.#store, settings);
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
