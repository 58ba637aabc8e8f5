import { type NodeProcess, startProcess } from "@redislock/test-kit";
import type { Contention, Crowd, FreeKeys, Lockful, Loop, Where } from "./jobs.js";
import { type Order, readResponse, type Response, type Result } from "./protocol.js";

/** A worker process as the main process sees it. What it can do is told in `jobs`. */
export class Worker {
  readonly #process: NodeProcess;
  readonly #pending = new Map<number, (response: Response) => void>();
  #lastId = 0;
  /** Why it does nothing any more. */
  #ended: string | undefined;

  /** @param self - Which of the processes it is, from 0. */
  constructor(self: number) {
    const file = new URL("./worker.js", import.meta.url);
    this.#process = startProcess(file, { args: [String(self)] });
    void this.#listen();
  }

  async open(where: Where): Promise<void> {
    await this.#do({ job: "open", argument: where });
  }

  async close(where: Where): Promise<void> {
    await this.#do({ job: "close", argument: where });
  }

  async take(where: Lockful): Promise<number> {
    return numberIn(await this.#do({ job: "take", argument: where }));
  }

  async waitFor(where: Lockful): Promise<number> {
    return numberIn(await this.#do({ job: "waitFor", argument: where }));
  }

  async release(where: Lockful): Promise<number> {
    return numberIn(await this.#do({ job: "release", argument: where }));
  }

  async freeKeys(work: FreeKeys): Promise<number> {
    return numberIn(await this.#do({ job: "freeKeys", argument: work }));
  }

  async crowd(work: Crowd): Promise<number> {
    return numberIn(await this.#do({ job: "crowd", argument: work }));
  }

  async contend(work: Contention): Promise<Loop[]> {
    const result = await this.#do({ job: "contend", argument: work });
    return Array.isArray(result) ? result : [];
  }

  async watch(where: Where): Promise<void> {
    await this.#do({ job: "watch", argument: where });
  }

  async sent(where: Where): Promise<number> {
    return numberIn(await this.#do({ job: "sent", argument: where }));
  }

  async heard(where: Where): Promise<number> {
    return numberIn(await this.#do({ job: "heard", argument: where }));
  }

  /** Kills it, without a word to anyone. */
  async kill(): Promise<void> {
    await this.#process.stop();
  }

  #do(order: Order): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = (response: Response): void => {
        this.#pending.delete(id);
        if ("result" in response) resolve(response.result);
        else reject(new Error(`${order.job} of ${order.argument.contender}: ${response.error}`));
      };
      if (this.#ended !== undefined) {
        settle({ id, error: this.#ended });
        return;
      }
      this.#pending.set(id, settle);
      this.#process.send(JSON.stringify({ id, ...order }));
    });
  }

  async #listen(): Promise<void> {
    for await (const line of this.#process.lines) {
      const response = readResponse(line);
      this.#pending.get(response.id)?.(response);
    }
    this.#ended = `the process has ended: ${this.#process.stderr}`;
    for (const [id, settle] of this.#pending) settle({ id, error: this.#ended });
  }
}

function numberIn(result: Result): number {
  if (typeof result === "number") return result;
  throw new TypeError(`a number was expected, not ${JSON.stringify(result)}`);
}
