import { expect, test } from "@jest/globals";
import { companion, failure, waitUntil } from "@redislock/test-kit";

import { Locker, type Lock } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, locker, untilInLine, client } = await startRedis();

const DAY = 24 * 60 * 60 * 1_000;

async function grant(): Promise<number> {
  const lock = await locker().obtain("k", 10_000);
  await lock.release();
  return lock.fencingToken;
}

test("fencing tokens rise with each grant, by whichever locker", async () => {
  const tokens: number[] = [];
  for (let round = 0; round < 20; round++) tokens.push(await grant());
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
});

test("they are whole numbers that JavaScript holds exactly", async () => {
  const token = await grant();
  expect(Number.isSafeInteger(token)).toBe(true);
  expect(token).toBeGreaterThan(0);
});

test("they rise from waiter to waiter in line", async () => {
  const one = locker();
  const lock = await one.obtain("k", 10_000);
  const waiting = Array.from({ length: 5 }, () => one.obtain("k", 10_000, { wait: Infinity }));
  await untilInLine("k", 5, "told");
  await lock.release();
  const tokens = [lock.fencingToken];
  const use = async (granted: Lock): Promise<void> => {
    tokens.push(granted.fencingToken);
    await granted.release();
  };
  await Promise.all(waiting.map((next) => next.then(use)));
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
});

test("they rise after a lock that expired", async () => {
  const { fencingToken } = await locker().obtain("k", 1_000);
  await waitUntil(async () => (await server.command("EXISTS", "k")) === 0, {
    what: "the lock to expire",
  });
  expect(await grant()).toBeGreaterThan(fencingToken);
});

test.each([
  ["the last one was deleted", () => server.command("DEL", companion("k", "fence"))],
  ["FLUSHALL", () => server.command("FLUSHALL")],
  ["SCRIPT FLUSH", () => server.command("SCRIPT", "FLUSH")],
  ["an empty server took its place", () => server.restart({ empty: true })],
  ["a restart that kept the data", () => server.restart()],
])("they rise still after %s", async (_, disturb) => {
  const before = await grant();
  await disturb();
  expect(await grant()).toBeGreaterThan(before);
});

test("they rise although the server's clock was set back", async () => {
  const future = Date.now() * 1_000 + 3_600_000_000;
  await server.command("SET", companion("k", "fence"), String(future));
  expect(await grant()).toBe(future + 1);
  expect(await grant()).toBe(future + 2);
});

test("so they do for who waits in line", async () => {
  const one = locker();
  const lock = await one.obtain("k", 10_000);
  const waiting = one.obtain("k", 10_000, { wait: Infinity });
  await untilInLine("k", 1, "told");
  const future = Date.now() * 1_000 + 3_600_000_000;
  await server.command("SET", companion("k", "fence"), String(future));
  await lock.release();
  expect((await waiting).fencingToken).toBe(future + 1);
});

test("a refused obtain uses none up", async () => {
  await locker().obtain("k", 10_000);
  const before = await server.command("GET", companion("k", "fence"));
  await locker().tryObtain("k", 10_000);
  expect(await server.command("GET", companion("k", "fence"))).toBe(before);
});

test("the last one is remembered for a day and no longer, however short the lock", async () => {
  await locker().obtain("k", 1_000);
  const left = await server.command("PTTL", companion("k", "fence"));
  expect(left).toBeGreaterThan(DAY - 60_000);
  expect(left).toBeLessThanOrEqual(DAY);
});

test("of a lock that lasts for long it is remembered for twice as long", async () => {
  const lock = await locker().obtain("k", 10 * DAY);
  expect(await server.command("PTTL", companion("k", "fence"))).toBeGreaterThan(19 * DAY);
  await lock.release();
  const short = await locker().obtain("k", 10_000);
  await short.refresh(10 * DAY);
  expect(await server.command("PTTL", companion("k", "fence"))).toBeGreaterThan(19 * DAY);
});

test("a refresh remembers it for a day from then on", async () => {
  const lock = await locker().obtain("k", 10_000);
  await server.command("PEXPIRE", companion("k", "fence"), "1000");
  await lock.refresh();
  expect(await server.command("PTTL", companion("k", "fence"))).toBeGreaterThan(DAY - 60_000);
});

test("nothing that a lock leaves in Redis stays for ever", async () => {
  const one = locker();
  const lock = await one.obtain(["k", "{x}y", "a}b"], 10_000, { metadata: "m" });
  const waiting = one.obtain("k", 10_000, { wait: Infinity });
  // Asks for two, and is never told: it stays in both lines until it goes.
  const redis = client();
  const untold = new Locker({ run: (...question) => redis.run(...question) });
  const control = new AbortController();
  const options = { wait: Infinity, signal: control.signal };
  const failed = failure(untold.obtain(["k", "{x}y"], 10_000, options));
  await untilInLine("k", 2);
  await expectNothingForEver();
  control.abort();
  await failed;
  await lock.refresh();
  await lock.release();
  await (await waiting).release();
  await expectNothingForEver();
});

test("after the release only the last fencing token is left", async () => {
  const one = locker();
  const lock = await one.obtain("k", 10_000);
  const waiting = one.obtain("k", 10_000, { wait: Infinity });
  await untilInLine("k", 1);
  await lock.release();
  await (await waiting).release();
  expect(await server.command("KEYS", "*")).toEqual([companion("k", "fence")]);
});

async function expectNothingForEver(): Promise<void> {
  const keys = await server.command("KEYS", "*");
  for (const key of Array.isArray(keys) ? keys : []) {
    expect([key, await server.command("PTTL", String(key))]).not.toEqual([key, -1]);
  }
}
