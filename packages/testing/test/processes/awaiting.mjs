/**
 * A program that has nothing open but what it awaits: no socket, no timer of its own. Says at each step
 * what it has come to; a program that ends in the middle of an await says less.
 */
import { createLocker, memoryClient, MemoryServer } from "@redislock/testing";

const server = new MemoryServer();
const held = await createLocker(memoryClient(server)).obtain("k", 60_000);
const [what = ""] = process.argv.slice(2);

/** @param {string} line */
const say = (line) => console.log(line);

/** @type {Record<string, () => Promise<unknown>>} */
const programs = {
  async wait() {
    const waiter = createLocker(memoryClient(server));
    say(`waited in vain: ${(await waiter.tryObtain("k", 60_000, { wait: 300 })) === null}`);
  },
  async untold() {
    const waiter = createLocker(memoryClient(server, { subscribes: false }));
    say(`waited in vain: ${(await waiter.tryObtain("k", 60_000, { wait: 300 })) === null}`);
  },
  async retry() {
    const poller = createLocker(memoryClient(server));
    say(`polled in vain: ${(await poller.tryObtain("k", 300, { retry: () => 50 })) === null}`);
  },
  async using() {
    const waiter = createLocker(memoryClient(server));
    await waiter.using("k", 60_000, { wait: 200 }, () => undefined).catch(() => say("not used"));
  },
  async silence() {
    const client = memoryClient(server);
    client.silence();
    const locker = createLocker(client, { commandTimeout: 200 });
    for (const call of [
      locker.obtain("k", 60_000),
      locker.inspect("k"),
      locker.forceRelease("k"),
    ]) {
      await call.catch(() => say("unknown"));
    }
  },
  async lock() {
    const client = memoryClient(server);
    const locker = createLocker(client, { commandTimeout: 200 });
    const lock = await locker.obtain("l", 60_000);
    client.silence();
    for (const call of [() => lock.ttl(), () => lock.refresh(), () => lock.release()]) {
      await call().catch(() => say("unknown"));
    }
    await lock[Symbol.asyncDispose]();
    await locker.close();
  },
  // The ones that may end: what nobody awaits keeps nothing alive.
  async holds() {
    const locker = createLocker(memoryClient(server));
    await locker.obtain("l", 60_000, { renew: true });
    await locker.obtain("m", 60_000);
    process.on("exit", () => say(`ended, the lock ${held.held ? "held" : "lost"}`));
  },
};

await programs[what]?.();
say("done");
