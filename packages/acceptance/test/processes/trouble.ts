/**
 * Goes through every kind of trouble, and hears nothing of it but from the calls it made: no promise is
 * rejected that nobody has, no warning is given, no listener stays behind.
 */
import { connect, startProxy } from "@redislock/test-kit";
import { getEventListeners } from "node:events";

import { kinds } from "../clients.js";

const [name, serverPort] = process.argv.slice(2);
process.on("warning", (warning) => console.log(`warning: ${warning.message}`));
process.on("unhandledRejection", (reason) => console.log(`unhandled: ${String(reason)}`));
process.on("uncaughtException", (error) => console.log(`uncaught: ${String(error)}`));

const kind = kinds.find((each) => each.name === name);
if (!kind) throw new Error(`There is no kind ${name ?? ""}`);
const proxy = await startProxy(Number(serverPort));
const somebody = await connect(Number(serverPort));
const user = await kind.connect(proxy.port, "proxied");
const before = user.listeners();
const locker = user.locker({ commandTimeout: 300 });
const signal = new AbortController().signal;
const key = (what: string): string => `${kind.name} ${what}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const ignore = (): undefined => undefined;

// Many at once on one signal: held, refused, waiting, polling.
await somebody.send("SET", key("taken"), "somebody's", "PX", "60000");
await Promise.allSettled(
  Array.from({ length: 30 }, (_, index) => [
    locker.using(key(`mine ${index}`), 1_000, { signal }, () => pause(5)),
    locker.tryObtain(key("taken"), 1_000, { signal }),
    locker.obtain(key("taken"), 1_000, { signal, wait: 200 }),
    locker.obtain(key("taken"), 200, { retry: () => 20 }),
  ]).flat(),
);

// Nobody waits for these any more when they fail.
const controller = new AbortController();
void locker.obtain(key("taken"), 1_000, { wait: 5_000, signal: controller.signal }).catch(ignore);
await pause(50);
controller.abort();

// Renewed locks, while connections break and Redis is silent, until they are lost; with listeners and
// without.
const locks = await Promise.all(
  Array.from({ length: 10 }, (_, index) =>
    locker.obtain(key(`renewed ${index}`), 900, { renew: true, retry: () => 50 }),
  ),
).catch(() => []);
for (const lock of locks.slice(5)) lock.signal.addEventListener("abort", ignore);
const waiting = locker.obtain(key("taken"), 1_000, { wait: 1_500 }).catch(ignore);
await pause(100);
await proxy.cutAll();
await pause(200);
proxy.silence();
await pause(1_000);
proxy.speak();
await pause(200);
await waiting;
await Promise.allSettled(locks.map((lock) => lock.release()));
await Promise.allSettled(locks.map((lock) => lock[Symbol.asyncDispose]()));

// A function that outlives its lock, with nobody looking at the signal.
await locker
  .using(key("outlived"), 300, async () => {
    await somebody.send("DEL", key("outlived"));
    await pause(500);
  })
  .catch(ignore);

// Replies that come when nobody waits for them.
proxy.silenceReplies();
await Promise.allSettled([
  locker.obtain(key("late"), 1_000),
  locker.inspect(key("late")),
  locker.forceRelease(key("late")),
]);
proxy.speak({ deliver: true });
await pause(100);

// The server is gone, and back.
proxy.refuse();
await proxy.cutAll();
await locker.obtain(key("gone"), 1_000).catch(ignore);
await proxy.accept();
await pause(500);

await locker.close();
// A client that is about to connect again listens to itself.
for (let looks = 0; looks < 100 && user.listeners() > before; looks++) await pause(100);
console.log(`listeners on the client: ${user.listeners() - before}`);
console.log(`listeners on the signal: ${getEventListeners(signal, "abort").length}`);
await Promise.race([user.quit(), pause(1_000)]);
user.destroy();
await proxy.stop();
await somebody.close();
console.log("done");
