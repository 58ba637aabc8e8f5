import { expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import {
  LockNotHeldError,
  NotObtainedError,
  obtain,
  type Lock,
  type LockerOptions,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, client, asked } = await startRedis();

test("obtain sends one command, and puts token and metadata into the key with a ttl", async () => {
  const lock = await locker().obtain("k", 10_000, { metadata: "host 7" });
  expect(asked()).toEqual(["obtain"]);
  expect(await server.command("GET", "k")).toBe(`${lock.token}host 7`);
  const left = await server.command("PTTL", "k");
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(10_000);
});

test("a lock tells what it is", async () => {
  const lock = await locker().obtain("k", 10_000, { metadata: "host 7" });
  expect(lock).toMatchObject({ key: "k", keys: ["k"], metadata: "host 7", held: true });
  expect(lock.token).toMatch(/^[\w-]{22}$/);
  expect(lock.remaining).toBeGreaterThan(0);
  expect(lock.remaining).toBeLessThan(10_000);
  expect(lock.signal.aborted).toBe(false);
});

test("without metadata the key holds the token alone", async () => {
  const lock = await locker().obtain("k", 10_000);
  expect(lock.metadata).toBe("");
  expect(await server.command("GET", "k")).toBe(lock.token);
});

test("each obtain has a token of its own", async () => {
  const one = locker();
  const locks = await Promise.all(Array.from({ length: 50 }, (_, i) => one.obtain(`k${i}`, 1_000)));
  expect(new Set(locks.map(({ token }) => token)).size).toBe(50);
});

test("a lock that is held is refused with a NotObtainedError that tells who has it", async () => {
  const held = await locker().obtain("k", 10_000, { metadata: "host 7" });
  proxy.commands.clear();
  const error = await failure(locker().obtain("k", 10_000));
  expect(error).toBeInstanceOf(NotObtainedError);
  expect(error).toMatchObject({
    code: "NOT_OBTAINED",
    key: "k",
    attempts: 1,
    position: undefined,
    holder: { metadata: "host 7", fencingToken: held.fencingToken },
  });
  expect(asked()).toEqual(["obtain"]);
  expect(await server.command("GET", "k")).toBe(`${held.token}host 7`);
});

test("tryObtain gives the lock, or null when another has it", async () => {
  const lock = await locker().tryObtain("k", 10_000);
  expect(lock).toMatchObject({ key: "k", held: true });
  expect(await locker().tryObtain("k", 10_000)).toBeNull();
  expect(asked()).toEqual(["obtain", "obtain"]);
});

test("obtain of a client without a locker does the same", async () => {
  const redis = client();
  const lock = await obtain(redis, "k", 10_000, { metadata: "m" });
  expect(await server.command("GET", "k")).toBe(`${lock.token}m`);
  expect(await failure(obtain(redis, "k", 10_000))).toBeInstanceOf(NotObtainedError);
});

test("release sends one command, and the lock is free", async () => {
  const one = locker();
  const lock = await one.obtain("k", 10_000);
  proxy.commands.clear();
  await lock.release();
  expect(asked()).toEqual(["release"]);
  expect(await server.command("EXISTS", "k")).toBe(0);
  expect(lock.held).toBe(false);
  expect(lock.remaining).toBe(0);
  expect(lock.signal.aborted).toBe(false);
  expect(await one.tryObtain("k", 10_000)).not.toBeNull();
});

test("a second release is a LockNotHeldError, and sends nothing", async () => {
  const lock = await locker().obtain("k", 10_000);
  await lock.release();
  proxy.commands.clear();
  const error = await failure(lock.release());
  expect(error).toBeInstanceOf(LockNotHeldError);
  expect(error).toMatchObject({ code: "NOT_HELD", key: "k" });
  expect(asked()).toEqual([]);
});

test("of two releases at once, one sends a command and the other is a LockNotHeldError", async () => {
  const lock = await locker().obtain("k", 10_000);
  proxy.commands.clear();
  const [first, second] = await Promise.allSettled([lock.release(), lock.release()]);
  expect(first.status).toBe("fulfilled");
  expect(second).toMatchObject({ reason: { code: "NOT_HELD" } });
  expect(asked()).toEqual(["release"]);
});

test("leaving an `await using` block releases; disposing after a release does nothing", async () => {
  {
    await using lock = await locker().obtain("k", 10_000);
    expect(await server.command("GET", "k")).toBe(lock.token);
  }
  expect(await server.command("EXISTS", "k")).toBe(0);
  {
    await using lock = await locker().obtain("k", 10_000);
    await lock.release();
    proxy.commands.clear();
  }
  expect(asked()).toEqual([]);
});

test("refresh sends one command, and starts the ttl anew", async () => {
  const lock = await locker().obtain("k", 60_000);
  await server.command("PEXPIRE", "k", "30000");
  proxy.commands.clear();
  await lock.refresh();
  expect(asked()).toEqual(["refresh"]);
  expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
});

test("refresh takes another ttl, longer or shorter, and keeps to it later", async () => {
  const lock = await locker().obtain("k", 30_000);
  await lock.refresh(90_000);
  expect(await server.command("PTTL", "k")).toBeGreaterThan(80_000);
  expect(lock.remaining).toBeGreaterThan(80_000);
  await server.command("PEXPIRE", "k", "10000");
  await lock.refresh();
  expect(await server.command("PTTL", "k")).toBeGreaterThan(80_000);
  await lock.refresh(10_000);
  expect(await server.command("PTTL", "k")).toBeLessThanOrEqual(10_000);
  expect(lock.remaining).toBeLessThan(10_000);
});

test("refresh after release is a LockNotHeldError, and sends nothing", async () => {
  const lock = await locker().obtain("k", 10_000);
  await lock.release();
  proxy.commands.clear();
  expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);
  expect(asked()).toEqual([]);
});

test("ttl sends one command, and tells what Redis says", async () => {
  const lock = await locker().obtain("k", 60_000);
  await server.command("PEXPIRE", "k", "20000");
  proxy.commands.clear();
  const left = await lock.ttl();
  expect(asked()).toEqual(["ttl"]);
  expect(left).toBeGreaterThan(10_000);
  expect(left).toBeLessThanOrEqual(20_000);
  await server.command("PERSIST", "k");
  expect(await lock.ttl()).toBe(Infinity);
});

test("ttl is 0 once the lock is gone", async () => {
  const lock = await locker().obtain("k", 60_000);
  await lock.release();
  expect(await lock.ttl()).toBe(0);
});

test("an obtain that was not warmed up sends the script's text once, and never again", async () => {
  const one = locker();
  await server.command("SCRIPT", "FLUSH");
  await (await one.obtain("k", 10_000)).release();
  await (await one.obtain("k", 10_000)).release();
  expect(asked()).toEqual(["obtain", "text", "release", "text", "obtain", "release"]);
});

const namespaces: [string, LockerOptions, string][] = [
  ["none", {}, "k"],
  ["a namespace", { namespace: "app:" }, "app:k"],
];
test.each(namespaces)("with %s the key is where it says", async (_, options, name) => {
  const lock: Lock = await locker(options).obtain("k", 10_000);
  expect(await server.command("GET", name)).toBe(lock.token);
  expect(lock.key).toBe("k");
});

test("lockers of different namespaces do not meet", async () => {
  await locker({ namespace: "a:" }).obtain("k", 10_000);
  await locker({ namespace: "b:" }).obtain("k", 10_000);
  await locker().obtain("k", 10_000);
  expect(await locker({ namespace: "a:" }).tryObtain("k", 10_000)).toBeNull();
});
