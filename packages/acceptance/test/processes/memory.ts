/**
 * Says what one more lock, or one more waiter, adds to the heap of a process: bytes, and objects. Both
 * are the difference between many and twice as many, so that all that is there once falls out. To be run
 * with --expose-gc.
 */
import { getHeapSnapshot } from "node:v8";
import { setImmediate } from "node:timers/promises";

import { kinds } from "../clients.js";

const [name, port, what, count] = process.argv.slice(2);
const kind = kinds.find((each) => each.name === name);
if (!kind) throw new Error(`There is no kind ${name}`);
/** Of how many more the bytes are counted, and of how many the objects, which takes long. */
const many = Number(count);
const few = many / 4;

const TTL = 600_000;
const KEY = "the lock of others";
/** So many at a time, so that what is sent does not pile up. */
const SOME = 250;

const user = await kind.connect(Number(port));
const locker = user.locker({ commandTimeout: 30_000 });
const kept: unknown[] = [];

/** As many locks, or waiters, as that. */
async function growTo(count: number): Promise<void> {
  while (kept.length < count) {
    const numbers = Array.from({ length: Math.min(SOME, count - kept.length) }, (_, i) => i);
    const first = kept.length;
    if (what === "waiter") {
      kept.push(...numbers.map(() => locker.obtain(KEY, TTL, { wait: TTL })));
      while ((await locker.inspect(KEY)).waiters < kept.length);
    } else {
      const names = numbers.map((n) => `lock ${first + n}`);
      const obtaining = names.map((key) => locker.obtain(key, TTL, { renew: true }));
      kept.push(...(await Promise.all(obtaining)));
    }
  }
}

async function heap(): Promise<number> {
  // More than once, since what was kept weakly goes one round later.
  for (let round = 0; round < 4; round++) {
    await setImmediate();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

/** How many objects of any kind there are. */
async function objects(): Promise<number> {
  await heap();
  let count: string | undefined;
  // Says so in its first lines; the rest has to be read all the same.
  for await (const text of getHeapSnapshot().setEncoding("latin1")) {
    count ??= /"node_count":(\d+)/.exec(String(text))?.[1];
  }
  return Number(count);
}

const other = await kind.connect(Number(port));
await other.locker().obtain(KEY, TTL);
await growTo(few);
const fewObjects = await objects();
await growTo(2 * few);
const objectsPerOne = ((await objects()) - fewObjects) / few;
await growTo(many);
const bytes = await heap();
await growTo(2 * many);
const bytesPerOne = ((await heap()) - bytes) / many;
console.log(`one more: ${bytesPerOne} ${objectsPerOne}`);
process.exit();
