/** Processes that stand in line, each with a client and a locker of its own. */
import { startProcess, type Compiled, type NodeProcess } from "@redislock/test-kit";

import type { Kind } from "./clients.js";

/** What a process had of a lock. Times are of the machine's monotonic clock, in milliseconds. */
export interface Section {
  readonly loop: number;
  readonly fence: number;
  readonly from: number;
  readonly to: number;
}

/** A process that does as it is told. */
export class Worker {
  readonly process: NodeProcess;

  private constructor(process: NodeProcess) {
    this.process = process;
  }

  static async start(compiled: Compiled, kind: Kind, port: number, key: string): Promise<Worker> {
    const args = [kind.name, String(port), key];
    const worker = new Worker(startProcess(compiled.file("waiting-worker"), { args }));
    await worker.process.waitForLine("ready", { timeout: 60_000 });
    return worker;
  }

  /** Takes the lock, standing in line `times` over. */
  wait(ttl: number, times: number = 1): void {
    this.process.send(`wait ${ttl} ${times}`);
  }

  /** Resolves to the fencing token of the next grant. */
  async granted(): Promise<number> {
    return Number((await this.process.waitForLine(/^granted /, { timeout: 20_000 })).split(" ")[1]);
  }

  /** Gives back the lock that was granted last. */
  async release(): Promise<void> {
    this.process.send("release");
    await this.process.waitForLine("released");
  }

  /** So many loops take the lock so many times each, for so many milliseconds. */
  async run(loops: number, times: number, ms: number): Promise<Section[]> {
    this.process.send(`run ${loops} ${times} ${ms}`);
    const sections: Section[] = [];
    while (sections.length < loops * times) {
      const line = await this.process.waitForLine(/^section /, { timeout: 30_000 });
      const [loop = NaN, fence = NaN, from = NaN, to = NaN] = line.split(" ").slice(1).map(Number);
      sections.push({ loop, fence, from, to });
    }
    return sections;
  }

  /** Closes its client, and neither the locker nor what that has opened. */
  quit(): void {
    this.process.send("quit");
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    this.process.kill();
    await this.process.exited;
  }
}
