import { expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import { type Lock, LockLostError, LockNotHeldError } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, asked } = await startRedis();

/** A lock whose holder's clock stands still: its key expired in Redis, and it does not know. */
async function expired(clock: VirtualClock = new VirtualClock()): Promise<Lock> {
  const lock = await locker({ clock }).obtain("k", 50);
  await waitUntil(async () => (await server.command("EXISTS", "k")) === 0, {
    what: "the lock to expire",
  });
  return lock;
}

test("a lock frees itself when its ttl is over", async () => {
  await expired();
  expect(await locker().tryObtain("k", 10_000)).not.toBeNull();
});

test("refresh of an expired lock is a LockNotHeldError, and does not bring it back", async () => {
  const lock = await expired();
  expect(lock.held).toBe(true); // As far as it knows.
  proxy.commands.clear();
  const error = await failure(lock.refresh());
  expect(error).toBeInstanceOf(LockNotHeldError);
  expect(error).toMatchObject({ key: "k", cause: { code: "LOST", reason: "deleted" } });
  expect(asked()).toEqual(["refresh"]);
  expect(await server.command("EXISTS", "k")).toBe(0);
  expect(lock.held).toBe(false);
});

test("refresh leaves the lock alone that another has taken", async () => {
  const lock = await expired();
  const { token } = await locker().obtain("k", 30_000);
  const error = await failure(lock.refresh(90_000));
  expect(error).toBeInstanceOf(LockNotHeldError);
  expect(error).toMatchObject({ cause: { code: "LOST", reason: "taken" } });
  expect(await server.command("GET", "k")).toBe(token);
  expect(await server.command("PTTL", "k")).toBeLessThanOrEqual(30_000);
});

test("release leaves the lock alone that another has taken", async () => {
  const clock = new VirtualClock();
  const lock = await expired(clock);
  const { token } = await locker().obtain("k", 30_000);
  clock.stall(50);
  const error = await failure(lock.release());
  expect(error).toBeInstanceOf(LockNotHeldError);
  expect(error).toMatchObject({ cause: { code: "LOST", reason: "expired" } });
  expect(await server.command("GET", "k")).toBe(token);
});

test("release of an expired lock that nobody has is a LockNotHeldError", async () => {
  const clock = new VirtualClock();
  const lock = await expired(clock);
  clock.stall(50);
  expect(await failure(lock.release())).toBeInstanceOf(LockNotHeldError);
});

test("once its lease is over by its own clock, a lock is not refreshed any more, and says so unasked", async () => {
  const clock = new VirtualClock();
  const lock = await locker({ clock }).obtain("k", 10_000);
  clock.stall(10_000);
  proxy.commands.clear();
  const error = await failure(lock.refresh());
  expect(error).toMatchObject({ code: "NOT_HELD", cause: { reason: "expired" } });
  expect(asked()).toEqual([]);
  expect(lock.signal.reason).toBeInstanceOf(LockLostError);
});

test("ttl of a lock that is gone is 0, and the holder learns of the loss", async () => {
  const lock = await expired();
  expect(await lock.ttl()).toBe(0);
  expect(lock.held).toBe(false);
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
});

test("ttl of a lock that another has taken is 0, and the holder learns who has it", async () => {
  const lock = await locker().obtain("k", 10_000);
  await server.command("SET", "k", "another's");
  expect(await lock.ttl()).toBe(0);
  expect(lock.held).toBe(false);
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "taken" });
});

test("a lost lock aborts its signal with a LockLostError that says why", async () => {
  const lock = await locker().obtain("k", 10_000);
  const { signal } = lock;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
  await server.command("SET", "k", "another's");
  await failure(lock.refresh());
  await aborted;
  expect(signal.reason).toBeInstanceOf(LockLostError);
  expect(signal.reason).toMatchObject({ code: "LOST", reason: "taken", key: "k" });
  expect(lock.signal).toBe(signal);
});

test("a lost lock cannot be refreshed back, and refreshing it again sends nothing", async () => {
  const lock = await locker().obtain("k", 10_000);
  await server.command("DEL", "k");
  await failure(lock.refresh());
  await server.command("SET", "k", lock.token, "PX", "10000");
  proxy.commands.clear();
  expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);
  expect(asked()).toEqual([]);
  expect(lock.held).toBe(false);
});
