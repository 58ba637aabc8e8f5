/** Takes a lock, standing in line, and gives it back, as told by the lines of its input. */
import type { Lock } from "@redislock/core";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { kinds } from "../clients.js";

const [name, port, key = ""] = process.argv.slice(2);
const kind = kinds.find((one) => one.name === name);
if (!kind) throw new Error(`There is no kind ${name}`);
const user = await kind.connect(Number(port));
const locker = user.locker();
let held: Lock | undefined;

/** The machine's, so that sections of several processes can be compared. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function wait(ttl: number): Promise<void> {
  held = await locker.obtain(key, ttl, { wait: Infinity });
  console.log(`granted ${held.fencingToken}`);
}

async function loop(index: number, times: number, ms: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const lock = await locker.obtain(key, 30_000, { wait: Infinity });
    const from = now();
    if (ms > 0) await sleep(ms);
    const to = now();
    await lock.release();
    console.log(`section ${index} ${lock.fencingToken} ${from} ${to}`);
  }
}

const input = createInterface(process.stdin);
input.on("line", (line) => {
  const [what, ...rest] = line.split(" ");
  const [first = 0, second = 0, third = 0] = rest.map(Number);
  switch (what) {
    case "wait":
      for (let i = 0; i < second; i++) void wait(first);
      break;
    case "release":
      void held?.release().then(() => console.log("released"));
      break;
    case "run":
      for (let i = 0; i < first; i++) void loop(i, second, third);
      break;
    case "quit":
      input.close();
      process.stdin.destroy();
      void user.quit().then(() => console.log("quit"));
      break;
    case undefined:
  }
});
console.log("ready");
