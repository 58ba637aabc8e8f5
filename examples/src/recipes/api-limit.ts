/** An API that takes two requests at a time, asked by two machines that have much to ask. */
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";
import { startMachines, untilEnded } from "./machines.js";

const [machine] = process.argv.slice(2);
if (machine === undefined) await serveApi();
else await askApi(Number(process.env["API_PORT"]));

// #region ask
async function askApi(port: number): Promise<void> {
  const redis = new Redis();
  const locker = createLocker(redis);
  // For all processes together, first come, first served: nobody is refused with 429.
  const options = { limit: 2, wait: 30_000 };
  const ask = (question: number) =>
    locker.using("api", 10_000, options, async ({ signal }) => {
      const { status } = await fetch(`http://localhost:${port}/${question}`, { signal });
      return status;
    });
  const answers = await Promise.all([1, 2, 3, 4, 5].map(ask));
  console.log(`answers: ${answers.join(", ")}`);
  await locker.close();
  redis.disconnect();
}
// #endregion

/** Refuses whoever comes while it has two requests. */
async function serveApi(): Promise<void> {
  let [running, most] = [0, 0];
  const api = createServer((_, response) => {
    running++;
    most = Math.max(most, running);
    const status = running > 2 ? 429 : 200;
    void sleep(30).then(() => {
      running--;
      response.writeHead(status, { connection: "close" }).end();
    });
  });
  await once(api.listen(0, "localhost"), "listening");
  const address = api.address();
  process.env["API_PORT"] = String(typeof address === "object" ? address?.port : address);
  await untilEnded(startMachines(import.meta.url, ["a", "b"]));
  console.log(`at most ${most} requests at once`);
  api.close();
}
