/**
 * Holds very many locks at once, and says what that costs: timers, memory, commands, and how near to
 * its end any lease came.
 */
import type { Clock, Lock } from "@redislock/core";
import v8 from "node:v8";
import vm from "node:vm";

import { kinds } from "../clients.js";

const [name, port, count, ttl] = process.argv.slice(2);
const kind = kinds.find((each) => each.name === name);
if (!kind) throw new Error(`There is no kind ${name ?? ""}`);

v8.setFlagsFromString("--expose-gc");
const collect: unknown = vm.runInNewContext("gc");
function heap(): number {
  if (typeof collect === "function") Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed;
}

/** The platform's clock, which counts the timers that are set. */
let timers = 0;
let mostTimers = 0;
const clock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    mostTimers = Math.max(mostTimers, ++timers);
    const timer = setTimeout(() => {
      timers--;
      run();
    }, ms).unref();
    return {
      cancel: () => {
        timers--;
        clearTimeout(timer);
      },
    };
  },
};

const TTL = Number(ttl);
const user = await kind.connect(Number(port));
let lost = 0;
let renewed = 0;
const locker = user.locker({
  commandTimeout: 30_000,
  clock,
  namespace: `${kind.name}:`,
  onEvent: (event) => {
    if (event.type === "lost") lost++;
    if (event.type === "renewed") renewed++;
  },
});
// The client's own buffers and the like are not ours.
await locker.using("warm-up", TTL, () => undefined);
const before = heap();
const locks: Lock[] = [];
const keys = Array.from({ length: Number(count) }, (_, index) => `{${index % 100}} ${index}`);
for (let i = 0; i < keys.length; i += 500) {
  const some = keys.slice(i, i + 500);
  locks.push(...(await Promise.all(some.map((key) => locker.obtain(key, TTL, { renew: true })))));
}
const bytes = (heap() - before) / locks.length;

let least = Infinity;
const target = 2 * locks.length;
while (renewed < target) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const { remaining } of locks) least = Math.min(least, remaining);
}
const held = locks.filter((lock) => lock.held).length;
await Promise.all(locks.map((lock) => lock.release()));
console.log(["held", held, lost, least, bytes, mostTimers].join(" "));
await locker.close();
user.destroy();
