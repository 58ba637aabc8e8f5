import { expect, test } from "@jest/globals";
import { companion, failure, VirtualClock } from "@redislock/test-kit";

import { LockNotHeldError, NotObtainedError } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, asked, untilInLine } = await startRedis();

function values(...keys: string[]): Promise<unknown> {
  return server.command("MGET", ...keys);
}

test("several locks are taken, refreshed, asked for and released by one command each", async () => {
  const lock = await locker().obtain(["a", "b", "c"], 10_000, { metadata: "m" });
  expect(lock.keys).toEqual(["a", "b", "c"]);
  expect(lock.key).toBe("a");
  const value = `${lock.token}m`;
  expect(await values("a", "b", "c")).toEqual([value, value, value]);
  await lock.refresh(20_000);
  for (const key of lock.keys) {
    expect(await server.command("PTTL", key)).toBeGreaterThan(10_000);
  }
  expect(await lock.ttl()).toBeGreaterThan(10_000);
  await lock.release();
  expect(await values("a", "b", "c")).toEqual([null, null, null]);
  expect(asked()).toEqual(["obtain", "refresh", "ttl", "release"]);
});

test("they are taken all or not at all", async () => {
  const b = await locker().obtain("b", 10_000, { metadata: "b's" });
  const error = await failure(locker().obtain(["a", "b", "c"], 10_000));
  expect(error).toBeInstanceOf(NotObtainedError);
  expect(error).toMatchObject({ keys: ["a", "b", "c"], holder: { metadata: "b's" } });
  expect(await values("a", "b", "c")).toEqual([null, `${b.token}b's`, null]);
});

test("of several holders, the error tells of the one that lasts longest", async () => {
  await locker().obtain("a", 10_000, { metadata: "short" });
  await locker().obtain("b", 30_000, { metadata: "long" });
  await locker().obtain("c", 20_000, { metadata: "middle" });
  const error = await failure(locker().obtain(["a", "b", "c"], 10_000));
  expect(error).toMatchObject({ holder: { metadata: "long" } });
  await server.command("PERSIST", "a");
  const endless = await failure(locker().obtain(["a", "b", "c"], 10_000));
  expect(endless).toMatchObject({ holder: { metadata: "short", remaining: Infinity } });
});

test("a key named twice is taken once", async () => {
  const lock = await locker().obtain(["a", "b", "a"], 10_000);
  expect(lock.keys).toEqual(["a", "b"]);
  await lock.release();
  expect(await values("a", "b")).toEqual([null, null]);
});

test("overlapping sets exclude each other, whatever their order", async () => {
  const lock = await locker().obtain(["a", "b"], 10_000);
  expect(await locker().tryObtain(["c", "b"], 10_000)).toBeNull();
  expect(await locker().tryObtain(["b", "a"], 10_000)).toBeNull();
  expect(await locker().tryObtain(["c", "d"], 10_000)).not.toBeNull();
  await lock.release();
  expect(await locker().tryObtain(["b", "a"], 10_000)).not.toBeNull();
});

test("a hundred keys are taken at once", async () => {
  const keys = Array.from({ length: 100 }, (_, index) => `key ${index}`);
  const lock = await locker().obtain(keys, 10_000);
  expect(await server.command("EXISTS", ...keys)).toBe(100);
  await lock.release();
  expect(await server.command("EXISTS", ...keys)).toBe(0);
  expect(asked()).toEqual(["obtain", "release"]);
});

test("the fencing token is above the last of each key", async () => {
  await server.command("SET", companion("b", "fence"), "8000000000000000");
  await server.command("SET", companion("c", "fence"), "8000000000000005");
  const lock = await locker().obtain(["a", "b", "c"], 10_000);
  expect(lock.fencingToken).toBe(8_000_000_000_000_006);
  await lock.release();
  for (const key of ["a", "b", "c"]) {
    expect((await locker().obtain(key, 10_000)).fencingToken).toBe(8_000_000_000_000_007);
  }
});

test("ttl is that of the key which ends first", async () => {
  const lock = await locker().obtain(["a", "b"], 60_000);
  await server.command("PEXPIRE", "b", "20000");
  expect(await lock.ttl()).toBeLessThanOrEqual(20_000);
  await server.command("PERSIST", "b");
  expect(await lock.ttl()).toBeGreaterThan(20_000);
});

test("one key that was lost is enough to have lost them all; the others are given back", async () => {
  const clock = new VirtualClock();
  const lock = await locker({ clock }).obtain(["a", "b"], 10_000);
  await server.command("SET", "b", "another's");
  expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);
  expect(lock.held).toBe(false);
  proxy.commands.clear();
  expect(await failure(lock.release())).toBeInstanceOf(LockNotHeldError);
  expect(asked()).toEqual(["release"]);
  expect(await values("a", "b")).toEqual([null, "another's"]);
});

test("who gives up leaves the lines of all keys, also where one holds other data", async () => {
  const [one, two] = [locker(), locker()];
  await two.obtain(["a", "b"], 30_000);
  const giveUp = new AbortController();
  const waiting = one.obtain(["a", "b"], 30_000, { wait: Infinity, signal: giveUp.signal });
  await untilInLine("b", 1, "told");
  await server.command("DEL", "a");
  await server.command("HSET", "a", "field", "value");
  giveUp.abort(new Error("over"));
  expect(String(await failure(waiting))).toContain("over");
  await one.close();
  expect((await two.inspect("b")).waiters).toBe(0);
  expect(await server.command("HGET", "a", "field")).toBe("value");
});
