/** A process that does {@link Jobs}. Its argument is which of the processes it is, from 0. */
import { createInterface } from "node:readline";
import { Jobs } from "./jobs.js";
import { type Order, readRequest, type Response, type Result } from "./protocol.js";

const jobs = new Jobs(Number(process.argv[2]));

// Some peers leave rejections behind where a server hangs: they must not end what is measured next.
process.on("unhandledRejection", (reason) => console.error(reason));

createInterface({ input: process.stdin }).on("line", (line) => void answer(line));

async function answer(line: string): Promise<void> {
  const { id, ...order } = readRequest(line);
  let response: Response;
  try {
    response = { id, result: await carryOut(order) };
  } catch (error) {
    response = { id, error: error instanceof Error ? (error.stack ?? "") : String(error) };
  }
  process.stdout.write(`${JSON.stringify(response)}\n`);
}

async function carryOut({ job, argument }: Order): Promise<Result> {
  switch (job) {
    case "open":
      await jobs.open(argument);
      return null;
    case "close":
      await jobs.close(argument);
      return null;
    case "watch":
      jobs.watch();
      return null;
    case "sent":
      return jobs.sent();
    case "heard":
      return jobs.heard();
    case "take":
      return jobs.take(argument);
    case "waitFor":
      return jobs.waitFor(argument);
    case "release":
      return jobs.release(argument);
    case "freeKeys":
      return jobs.freeKeys(argument);
    case "crowd":
      return jobs.crowd(argument);
    case "contend":
      return jobs.contend(argument);
  }
}
