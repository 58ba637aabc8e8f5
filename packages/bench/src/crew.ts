import { Worker } from "./worker-handle.js";

/** The processes that hold and wait. */
export class Crew {
  readonly #workers: Worker[];

  constructor(size: number) {
    this.#workers = Array.from({ length: size }, (_, self) => new Worker(self));
  }

  get all(): readonly Worker[] {
    return this.#workers;
  }

  get first(): Worker {
    return this.#at(0);
  }

  get second(): Worker {
    return this.#at(1);
  }

  /** Does away with the processes and what they have under way, and starts others in their place. */
  async renew(): Promise<void> {
    const size = this.#workers.length;
    await this.end();
    this.#workers.push(...Array.from({ length: size }, (_, self) => new Worker(self)));
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.splice(0).map((worker) => worker.kill()));
  }

  #at(index: number): Worker {
    const worker = this.#workers[index];
    if (!worker) throw new RangeError(`There is no process ${index}`);
    return worker;
  }
}
