/** `locker.held`: the locks that a locker holds now. */
import { expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import v8 from "node:v8";
import vm from "node:vm";

import type { Lock, LockEvent, Locker } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker } = await startRedis();

function heldBy({ held }: Locker): string[] {
  return Array.from(held, ({ key }) => key);
}

test("has a lock from its obtain to its release, and is the lock itself", async () => {
  const one = locker();
  const { held } = one;
  expect([...held]).toEqual([]);
  const a = await one.obtain("a", 10_000);
  const b = await one.obtain(["b", "c"], 10_000, { renew: true });
  expect([...held][0]).toBe(a);
  expect([...held][1]).toBe(b);
  expect(await one.using("d", 10_000, () => heldBy(one))).toEqual(["a", "b", "d"]);
  await a.release();
  expect([...held]).toEqual([b]);
  await b[Symbol.asyncDispose]();
  expect([...held]).toEqual([]);
});

test("has none of another locker's, and none that was not obtained", async () => {
  const [one, other] = [locker(), locker()];
  await other.obtain("k", 10_000);
  expect(await one.tryObtain("k", 10_000)).toBeNull();
  expect(heldBy(one)).toEqual([]);
});

test("has no lock from the call of its release on, whatever comes of that", async () => {
  const one = locker({ commandTimeout: 1_000 });
  const lock = await one.obtain("k", 10_000);
  proxy.silence();
  const failed = failure(lock.release());
  expect(heldBy(one)).toEqual([]);
  await failed;
  expect(heldBy(one)).toEqual([]);
});

test("has no lock that was lost, or whose lease is over, though no timer ran", async () => {
  const clock = new VirtualClock();
  const one = locker({ clock });
  await one.obtain("a", 1_000);
  const b = await one.obtain("b", 10_000);
  clock.stall(2_000);
  expect(heldBy(one)).toEqual(["b"]);
  await server.command("DEL", "b");
  await failure(b.refresh());
  expect(heldBy(one)).toEqual([]);
});

test("is live: what is released or obtained while one goes through it is left out, or comes", async () => {
  const one = locker();
  for (const key of ["a", "b", "c"]) await one.obtain(key, 10_000);
  const seen: string[] = [];
  for (const lock of one.held) {
    seen.push(lock.key);
    if (lock.key !== "a") continue;
    for (const other of one.held) if (other.key === "b") await other.release();
    await one.obtain("d", 10_000);
  }
  expect(seen).toEqual(["a", "c", "d"]);
  for (const lock of one.held) await lock.release();
  expect(await server.command("EXISTS", "a", "b", "c", "d")).toBe(0);
});

test("goes through them in the order in which they were obtained, whatever was released", async () => {
  const one = locker();
  const locks: Lock[] = [];
  for (const key of ["a", "b", "c", "d", "e"]) locks.push(await one.obtain(key, 10_000));
  for (const lock of locks) if (["a", "c"].includes(lock.key)) await lock.release();
  expect(heldBy(one)).toEqual(["b", "d", "e"]);
});

test("keeps no lock: one that its user dropped is not renewed for ever", async () => {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  const events: LockEvent[] = [];
  const one = locker({ onEvent: (event) => void events.push(event) });
  await one.obtain("k", 6_000, { renew: true });
  const isLost = (): boolean => {
    if (typeof collect === "function") Reflect.apply(collect, undefined, []);
    return events.some(({ type }) => type === "lost");
  };
  // Each look takes the longer the more there is to collect.
  await waitUntil(isLost, { what: "the lock to be lost", interval: 300 });
  expect(events.at(-1)).toMatchObject({ type: "lost", error: { reason: "dropped" } });
  expect(heldBy(one)).toEqual([]);
});

test("whose signal somebody has is renewed, until nobody has that either", async () => {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  const events: LockEvent[] = [];
  const clock = new VirtualClock();
  const one = locker({ clock, onEvent: (event) => void events.push(event) });
  const kept = await signalOf(one);
  const pass = async (): Promise<void> => {
    if (typeof collect === "function") Reflect.apply(collect, undefined, []);
    // Each third of the ttl it is renewed.
    for (let ms = 0; ms < 10_000; ms += 1_000) {
      clock.advance(1_000);
      await one.inspect("other"); // So a renewal that came due was answered.
    }
  };
  for (let ms = 0; ms < 100_000; ms += 10_000) await pass();
  expect(kept[0]?.aborted).toBe(false);
  expect(events.filter(({ type }) => type === "renewed").length).toBeGreaterThanOrEqual(9);
  kept.pop();
  const isLost = async (): Promise<boolean> => {
    await pass();
    return events.some(({ type }) => type === "lost");
  };
  await waitUntil(isLost, { what: "the lock to be lost", timeout: 60_000 });
  expect(events.at(-1)).toMatchObject({ type: "lost", error: { reason: "dropped" } });
});

/**
 * Of a lock that nobody has; in a list, from which it can be taken away. For so long that Redis, by whose
 * clock little time passes, does not end it before it is renewed.
 */
async function signalOf(one: Locker): Promise<AbortSignal[]> {
  const { signal } = await one.obtain("k", 30_000, { renew: true });
  return [signal];
}
