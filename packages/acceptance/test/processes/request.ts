/**
 * Serves a request that is the first to wait for a lock, and says whether what it had in an
 * `AsyncLocalStorage` is free for garbage collection when it is over; and in whose context what.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";

import { args, connectUser } from "./user.js";

interface Request {
  readonly name: string;
}

const [key = ""] = args;
v8.setFlagsFromString("--expose-gc");
const collect: unknown = vm.runInNewContext("gc");
const storage = new AsyncLocalStorage<Request>();

const user = await connectUser();
const told: string[] = [];
const locker = user.locker({
  onEvent({ type }) {
    // It is told, or not, by how many tries it took.
    if (type !== "waited") told.push(`${type} in ${storage.getStore()?.name ?? "none"}`);
  },
});

async function serve(name: string): Promise<WeakRef<Request>> {
  const request = { name };
  await storage.run(request, async () => {
    const held = await locker.obtain(key, 60_000, { renew: true });
    const waiting = locker.obtain(key, 60_000, { wait: Infinity, renew: true });
    // It is in line then. Who asks Redis instead may have the answer before, on another connection.
    while (!told.includes(`waitingForOwn in ${name}`)) await turn();
    await held.release();
    await (await waiting).release();
  });
  return new WeakRef(request);
}

async function isCollected(ref: WeakRef<Request>): Promise<boolean> {
  for (let tries = 0; tries < 50; tries++) {
    await turn();
    if (typeof collect === "function") Reflect.apply(collect, undefined, []);
    if (ref.deref() === undefined) return true;
  }
  return false;
}

const first = await serve("one");
await serve("two");
for (const name of ["one", "two", "none"]) {
  const own = told.filter((what) => what.endsWith(` in ${name}`)).map((what) => what.split(" ")[0]);
  console.log(`${name}: ${own.join()}`);
}
// Its timers and its subscription go on for somebody else.
const other = await locker.obtain(`${key} other`, 60_000, { renew: true });
console.log(`collected while others hold locks: ${await isCollected(first)}`);
await other.release();
await locker.close();
console.log(`collected after close: ${await isCollected(first)}`);
await user.quit();
