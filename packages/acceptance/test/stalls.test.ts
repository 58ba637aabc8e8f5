/** The process itself stands still: a long computation, a synchronous call, a garbage collection. */
import { expect, test } from "@jest/globals";
import { LockLostError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";

import { runs, startStage } from "./scenes.js";

const stage = await startStage();

/** Long enough for a busy machine to take a lock through every kind of client. */
const TTL = 2_000;

/** Nothing runs in this process for so long. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test("after the event loop was blocked for three ttl, the first code that runs sees that nothing is held", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, TTL, { renew: true }));
  expect(locks.map(({ held }) => held)).toEqual(locks.map(() => true));
  block(3 * TTL);
  expect(locks.map(({ held }) => held)).toEqual(locks.map(() => false));
  expect(locks.map(({ remaining }) => remaining)).toEqual(locks.map(() => 0));
  for (const { signal } of locks) expect(signal.reason).toBeInstanceOf(LockLostError);
});

test("after the event loop was blocked for three ttl, whoever looks at the signal first sees it aborted", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, TTL, { renew: true }));
  const signals = locks.map(({ signal }) => signal);
  block(3 * TTL);
  expect(locks.map(({ signal }) => signal.aborted)).toEqual(locks.map(() => true));
  expect(signals.map(({ aborted }) => aborted)).toEqual(locks.map(() => true));
});

test("whatever was waiting for the event loop to be free again runs after the loss", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, TTL, { renew: true }));
  const seen: boolean[] = [];
  const look = (): void => {
    seen.push(...locks.map(({ held }) => held));
  };
  const looks = [
    new Promise((resolve) => setImmediate(resolve)),
    new Promise((resolve) => setTimeout(resolve, 1)),
    new Promise((resolve) => setTimeout(resolve, TTL)),
    new Promise((resolve) => process.nextTick(resolve)),
    Promise.resolve(),
    stage.server.command("PING"),
  ].map((moment) => moment.then(look));
  block(3 * TTL);
  await Promise.all(looks);
  expect(seen).toEqual(looks.flatMap(() => locks.map(() => false)));
});

test("a listener of the signal hears of the loss within one turn of the event loop", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, TTL));
  const told = new Set<unknown>();
  for (const { signal, key } of locks) signal.addEventListener("abort", () => told.add(key));
  block(2 * TTL);
  await new Promise((resolve) => setTimeout(resolve, 1)); // Due after every deadline.
  expect(told.size).toBe(locks.length);
});

test("a lock that was lost in a stall is not renewed afterwards, and not brought back", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ locker, key }) => locker.obtain(key, TTL, { renew: true }));
  block(2 * TTL);
  await all.each(async ({ proxy, value }) => {
    await waitUntil(async () => (await value()) === null, { what: "the key to expire" });
    proxy.commands.clear();
  });
  await new Promise((resolve) => setTimeout(resolve, TTL));
  await all.each(async ({ proxy, value, events }) => {
    expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
    expect(await value()).toBeNull();
    expect(events.filter(({ type }) => type === "lost")).toHaveLength(1);
  });
  for (const lock of locks)
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
});

test("a grant whose answer was read after a stall longer than the ttl is no lock", async () => {
  await using all = await stage.openAll();
  await all.each(({ locker, key }) => locker.inspect(key));
  const obtaining = all.each(({ locker, key }) => failure(locker.obtain(key, TTL)));
  await new Promise((resolve) => setImmediate(resolve)); // So that the questions are sent.
  block(2 * TTL);
  for (const error of await obtaining) {
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "obtain" });
  }
});
