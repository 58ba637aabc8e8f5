/**
 * Takes three locks that are renewed, forgets one of them, keeps another, and of the third its signal
 * only; and collects its garbage.
 */
import v8 from "node:v8";
import vm from "node:vm";

import { args, connectUser } from "./user.js";

const [dropped = "", kept = "", signalled = ""] = args;
v8.setFlagsFromString("--expose-gc");
const collect: unknown = vm.runInNewContext("gc");

const user = await connectUser();
const locker = user.locker({
  onEvent(event) {
    if (event.type === "lost") console.log(`lost: ${event.keys.join()}: ${event.error.reason}`);
  },
});

async function forget(): Promise<void> {
  const lock = await locker.obtain(dropped, 9_000, { renew: true });
  console.log(`held: ${lock.held}`);
}

/** Some of what a signal is handed to lives on, and nothing else of the lock. */
async function signalOf(key: string): Promise<AbortSignal> {
  const lock = await locker.obtain(key, 9_000, { renew: true });
  return lock.signal;
}

let signal: AbortSignal | undefined = await signalOf(signalled);
const lock = await locker.obtain(kept, 9_000, { renew: true });
await forget();
setInterval(() => {
  if (typeof collect === "function") Reflect.apply(collect, undefined, []);
}, 1_000);
process.stdin.on("data", () => {
  console.log(`still held: ${lock.held}, and not aborted: ${signal?.aborted === false}`);
  signal = undefined;
});
