import { describe, expect, test } from "@jest/globals";
import { failure, redisCli } from "@redislock/test-kit";

import {
  limitRetry,
  linearBackoff,
  LockNotHeldError,
  NotALockError,
  NotObtainedError,
  type ObtainOptions,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, locker, asked } = await startRedis();

const setIfFree = ["SET", "k", "cli", "NX", "PX", "60000"];

test("a lock that redis-cli took by SET NX PX is respected", async () => {
  expect(await redisCli(server.port, ...setIfFree)).toBe("OK");
  const error = await failure(locker().obtain("k", 10_000));
  expect(error).toBeInstanceOf(NotObtainedError);
  expect(error).toMatchObject({ holder: { metadata: undefined, fencingToken: undefined } });
  expect(await server.command("GET", "k")).toBe("cli");
});

test("redis-cli cannot take a lock of ours by SET NX PX, until it is released", async () => {
  const lock = await locker().obtain("k", 10_000);
  expect(await redisCli(server.port, ...setIfFree)).toBe("");
  await lock.release();
  expect(await redisCli(server.port, ...setIfFree)).toBe("OK");
});

test("a foreign lock after one of ours is not taken for ours", async () => {
  await (await locker().obtain("k", 10_000, { metadata: "ours" })).release();
  await redisCli(server.port, ...setIfFree);
  expect(await locker().inspect("k")).toMatchObject({
    holder: { metadata: undefined, fencingToken: undefined },
  });
});

test("a waiter gets the lock when the foreign one is deleted or has expired", async () => {
  await redisCli(server.port, "SET", "k", "cli", "NX", "PX", "300");
  const lock = await locker().obtain("k", 10_000, { wait: 20_000 });
  expect(await server.command("GET", "k")).toBe(lock.token);
});

const others: [string, string[]][] = [
  ["hash", ["HSET", "k", "field", "value"]],
  ["list", ["RPUSH", "k", "value"]],
  ["set", ["SADD", "k", "value"]],
];
const ways: [string, ObtainOptions][] = [
  ["one try", {}],
  ["polling", { retry: linearBackoff(5) }],
  ["waiting", { wait: Infinity }],
];

describe.each(others)("a key that holds a %s", (_type, command) => {
  test.each(ways)("is a NotALockError after one question, with %s", async (_way, options) => {
    await server.command(...command);
    const error = await failure(locker().obtain("k", 10_000, options));
    expect(error).toBeInstanceOf(NotALockError);
    expect(error).toMatchObject({ code: "NOT_A_LOCK", key: "k" });
    expect(asked().filter((name) => name === "obtain")).toHaveLength(1);
    expect(await server.command("KEYS", "*")).toEqual(["k"]);
  });

  test("makes an obtain of several keys take none", async () => {
    await server.command(...command);
    const error = await failure(locker().obtain(["a", "k", "z"], 10_000));
    expect(error).toBeInstanceOf(NotALockError);
    expect(await server.command("KEYS", "*")).toEqual(["k"]);
  });

  test("is reported by inspect and forceRelease, and left as it is", async () => {
    await server.command(...command);
    expect(await failure(locker().inspect("k"))).toBeInstanceOf(NotALockError);
    expect(await failure(locker().forceRelease("k"))).toBeInstanceOf(NotALockError);
    expect(await server.command("EXISTS", "k")).toBe(1);
  });

  test("in place of a lock of ours is as good as another's lock", async () => {
    const one = locker();
    const refreshed = await one.obtain("k", 10_000);
    const released = await one.obtain("j", 10_000);
    await server.command("DEL", "k", "j");
    await server.command(...command);
    await server.command(...command.map((part) => (part === "k" ? "j" : part)));
    expect(await failure(refreshed.refresh())).toBeInstanceOf(LockNotHeldError);
    expect(await released.ttl()).toBe(0);
    expect(await failure(released.release())).toBeInstanceOf(LockNotHeldError);
    expect(await server.command("EXISTS", "k", "j")).toBe(2);
  });
});

describe("a lock that someone set without a ttl", () => {
  test("is reported as such", async () => {
    await redisCli(server.port, "SET", "k", "cli");
    const error = await failure(locker().obtain("k", 10_000));
    expect(error).toBeInstanceOf(NotObtainedError);
    expect(error).toMatchObject({ holder: { remaining: Infinity } });
    expect(String(error)).toMatch(/without a ttl/);
  });

  test("is reported as such after waiting, too", async () => {
    await redisCli(server.port, "SET", "k", "cli");
    const error = await failure(locker().obtain("k", 10_000, { wait: 1_000 }));
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder: { remaining: Infinity } });
    expect(String(error)).toMatch(/without a ttl/);
  });

  test("is reported as such after polling, too", async () => {
    await redisCli(server.port, "SET", "k", "cli");
    const retry = limitRetry(linearBackoff(2), 2);
    const error = await failure(locker().obtain("k", 10_000, { retry }));
    expect(error).toMatchObject({ attempts: 3, holder: { remaining: Infinity } });
  });

  test("is seen by inspect", async () => {
    await redisCli(server.port, "SET", "k", "cli");
    expect(await locker().inspect("k")).toMatchObject({ holder: { remaining: Infinity } });
  });
});
