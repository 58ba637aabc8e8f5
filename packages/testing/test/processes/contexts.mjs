/**
 * A program that serves a request: what the request keeps in an `AsyncLocalStorage` must be free for
 * garbage collection when it is over, whatever of the locker's it was the first to need.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import v8 from "node:v8";
import vm from "node:vm";
import { createLocker } from "@redislock/testing";

v8.setFlagsFromString("--expose-gc");
/** @type {() => void} */
const collect = vm.runInNewContext("gc");
const request = new AsyncLocalStorage();

const locker = createLocker();
const told = createLocker(undefined, { onEvent: () => undefined });

/**
 * The first to arm timers, to wait and to be told.
 *
 * @param {import("@redislock/testing").Locker} one
 */
async function serve(one) {
  const store = { of: "a request" };
  await request.run(store, async () => {
    const held = await one.obtain("k", 60_000, { renew: true });
    const waiting = one.obtain("k", 60_000, { wait: Infinity, renew: true });
    while ((await one.inspect("k")).waiters === 0);
    await held.release();
    const lock = await waiting;
    lock.signal.addEventListener("abort", () => undefined);
    await lock.release();
  });
  return new WeakRef(store);
}

/** @param {WeakRef<object>} ref */
async function isCollected(ref) {
  for (let tries = 0; tries < 50; tries++) {
    await turn();
    collect();
    if (ref.deref() === undefined) return true;
  }
  return false;
}

for (const one of [locker, told]) {
  const ref = await serve(one);
  // Its timers go on for somebody else.
  const other = await one.obtain("other", 60_000, { renew: true });
  console.log(`collected while others hold locks: ${await isCollected(ref)}`);
  await other.release();
  await one.close();
  console.log(`collected after close: ${await isCollected(ref)}`);
}
