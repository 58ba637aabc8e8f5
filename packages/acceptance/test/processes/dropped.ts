/** Takes two locks that are renewed, forgets one of them and keeps the other, and collects its garbage. */
import v8 from "node:v8";
import vm from "node:vm";

import { args, connectUser } from "./user.js";

const [dropped = "", kept = ""] = args;
v8.setFlagsFromString("--expose-gc");
const collect: unknown = vm.runInNewContext("gc");

const user = await connectUser();
const locker = user.locker();

async function forget(): Promise<void> {
  const lock = await locker.obtain(dropped, 3_000, { renew: true });
  console.log(`held: ${lock.held}`);
}

const lock = await locker.obtain(kept, 3_000, { renew: true });
await forget();
setInterval(() => {
  if (typeof collect === "function") Reflect.apply(collect, undefined, []);
}, 300);
process.stdin.on("data", () => {
  console.log(`still held: ${lock.held}`);
});
