/** `holdAtLeast`: what is released earlier stays taken for the rest of that time. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import {
  linearBackoff,
  LockNotHeldError,
  Locker,
  type LockEvent,
  OutcomeUnknownError,
  type RedisClient,
} from "../src/index.js";
import { scripts } from "../src/adapter.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

/** How long a key goes on by itself, in milliseconds. */
async function left(key: string): Promise<number> {
  return Number(await server.command("PTTL", key));
}

describe("a lock that is released earlier", () => {
  test("stays taken for the rest of that time, of which its holder's clock knows", async () => {
    const clock = new VirtualClock();
    const one = locker({ clock });
    const lock = await one.obtain("k", 60_000, { holdAtLeast: 30_000, metadata: "host 7" });
    clock.stall(20_000);
    await lock.release();
    expect(await left("k")).toBeGreaterThan(5_000);
    expect(await left("k")).toBeLessThanOrEqual(10_000);
    expect(await locker().tryObtain("k", 10_000)).toBeNull();
    expect(await one.tryObtain("k", 10_000)).toBeNull();
    const { holder } = await one.inspect("k");
    expect(holder).toMatchObject({ metadata: "host 7", fencingToken: lock.fencingToken });
  });

  test("stays taken also if its lease would have ended before", async () => {
    const lock = await locker().obtain("k", 10_000, { holdAtLeast: 60_000 });
    await lock.release();
    expect(await left("k")).toBeGreaterThan(50_000);
  });

  test("so does one of which another command of its obtain is answered late", async () => {
    const inner = client();
    const late: (() => void)[] = [];
    const slow: RedisClient = {
      run: async (script, keys, args) => {
        const reply = await inner.run(script, keys, args);
        const isFirst = late.length === 0;
        if (isFirst) await new Promise<void>((resolve) => late.push(resolve));
        return reply;
      },
    };
    const one = new Locker(slow, { commandTimeout: 1_000 });
    const options = { holdAtLeast: 30_000, retry: linearBackoff(10) };
    const lock = await one.obtain("k", 60_000, options);
    await lock.release();
    // As the late command does that comes after the release.
    await server.command("PEXPIRE", "k", "60000");
    for (const answer of late) answer();
    await waitUntil(async () => (await left("k")) <= 30_000, { what: "it to be cut again" });
    expect(await left("k")).toBeGreaterThan(20_000);
    expect(asked()).not.toContain("leave");
    await one.close();
  });

  test("so do several locks that were obtained together", async () => {
    const lock = await locker().obtain(["a", "b"], 10_000, { holdAtLeast: 60_000 });
    await lock.release();
    expect(await left("a")).toBeGreaterThan(50_000);
    expect(await left("b")).toBeGreaterThan(50_000);
  });

  test("so does one whose lease was cut and made longer before", async () => {
    const lock = await locker().obtain("k", 60_000, { holdAtLeast: 30_000 });
    await lock.refresh(10_000);
    await lock.refresh(90_000);
    await lock.release();
    expect(await left("k")).toBeGreaterThan(20_000);
    expect(await left("k")).toBeLessThanOrEqual(30_000);
  });

  test.each([
    ["shared", { mode: "shared" as const }],
    ["counted", { limit: 2, permits: 2 }],
  ])("so does one that is %s, whether its lease is longer or shorter", async (_, sharing) => {
    for (const ttl of [10_000, 60_000]) {
      const lock = await locker().obtain("k", ttl, { ...sharing, holdAtLeast: 30_000 });
      await lock.release();
      expect(await left("k")).toBeGreaterThan(20_000);
      expect(await left("k")).toBeLessThanOrEqual(30_002); // Shares are told by whole milliseconds.
      expect(await locker().tryObtain("k", 10_000)).toBeNull();
      await locker().forceRelease("k");
    }
  });

  test.each([
    ["using", (one: Locker) => one.using("k", 10_000, { holdAtLeast: 60_000 }, () => undefined)],
    [
      "await using",
      async (one: Locker) => {
        await using _lock = await one.obtain("k", 10_000, { holdAtLeast: 60_000 });
      },
    ],
  ])("so does one of %s", async (_, hold) => {
    await hold(locker());
    expect(await left("k")).toBeGreaterThan(50_000);
  });

  test("is over for its holder: not held, not lost, and not renewed any more", async () => {
    const clock = new VirtualClock();
    const events: LockEvent[] = [];
    const one = locker({ clock, onEvent: (event) => void events.push(event) });
    const lock = await one.obtain("k", 9_000, { holdAtLeast: 60_000, renew: true });
    const { signal } = lock;
    clock.stall(700);
    await lock.release();
    expect(lock).toMatchObject({ held: false, remaining: 0 });
    proxy.commands.clear();
    clock.advance(100_000);
    expect(await failure(lock.release())).toBeInstanceOf(LockNotHeldError);
    expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);
    await lock[Symbol.asyncDispose]();
    expect(asked()).toEqual([]);
    expect(signal.aborted).toBe(false);
    expect(events).toEqual([
      expect.objectContaining({ type: "obtained" }),
      { type: "released", keys: ["k"], held: 700 },
    ]);
  });

  test("is granted to nobody in line before that time is over, and then to the first", async () => {
    const before = performance.now();
    const lock = await locker().obtain("k", 60_000, { holdAtLeast: 600 });
    const waiting = locker().obtain("k", 60_000, { wait: Infinity });
    await untilInLine("k", 1, "told");
    await lock.release();
    const next = await waiting;
    expect(performance.now() - before).toBeGreaterThanOrEqual(599); // Redis cuts fractions off.
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  });
});

test("the time counts from when the lock was obtained, however long ago its waiter last asked", async () => {
  const clock = new VirtualClock();
  const first = await locker().obtain("k", 60_000);
  const options = { wait: Infinity, holdAtLeast: 20_000 };
  const waiting = locker({ clock }).obtain("k", 60_000, options);
  await untilInLine("k", 1, "told");
  clock.stall(14_000);
  await first.release();
  const second = await waiting;
  clock.stall(1_000);
  await second.release();
  expect(await left("k")).toBeGreaterThan(10_000);
  expect(await left("k")).toBeLessThanOrEqual(19_000);
});

test("a release after that time is a release like any other", async () => {
  const clock = new VirtualClock();
  const lock = await locker({ clock }).obtain("k", 60_000, { holdAtLeast: 30_000 });
  clock.stall(30_000);
  proxy.commands.clear();
  await lock.release();
  expect(asked()).toEqual(["release"]);
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test("a release without an answer is unknown, and can be tried again", async () => {
  const lock = await locker({ commandTimeout: 1_000 }).obtain("k", 60_000, { holdAtLeast: 30_000 });
  proxy.silence();
  const error = await failure(lock.release());
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  expect(error).toMatchObject({ operation: "release", keys: ["k"] });
  proxy.speak();
  await lock.release();
  expect(await left("k")).toBeLessThanOrEqual(30_000);
});

test("a release that is done twice leaves the lock taken for as long", async () => {
  const lock = await locker().obtain("k", 60_000, { holdAtLeast: 30_000 });
  proxy.duplicateNext("EVALSHA");
  await lock.release();
  expect(await left("k")).toBeLessThanOrEqual(30_000);
});

test("a release of a lock that another has taken says so, and leaves theirs alone", async () => {
  const lock = await locker().obtain("k", 60_000, { holdAtLeast: 30_000 });
  await server.command("SET", "k", "another's");
  expect(await failure(lock.release())).toBeInstanceOf(OutcomeUnknownError);
  expect(await left("k")).toBe(-1);
});

test("a release of a lock that was lost says so, and brings nothing back", async () => {
  const lock = await locker().obtain("k", 60_000, { holdAtLeast: 90_000 });
  await server.command("DEL", "k");
  await failure(lock.refresh());
  expect(await failure(lock.release())).toBeInstanceOf(LockNotHeldError);
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test("a renewal that is under way at the release does not make the lease longer again", async () => {
  const clock = new VirtualClock();
  const inner = client();
  const arriving: (() => void)[] = [];
  const slow: RedisClient = {
    run: async (script, keys, args) => {
      // As on another connection, so that what is sent later can come first.
      if (script.name === "refresh") await new Promise<void>((resolve) => arriving.push(resolve));
      return inner.run(script, keys, args);
    },
  };
  const one = new Locker(slow, { clock });
  const lock = await one.obtain("k", 60_000, { holdAtLeast: 30_000, renew: true });
  clock.advance(21_000);
  await waitUntil(() => arriving.length > 0, { what: "the renewal to be sent" });
  const releasing = lock.release();
  await settled();
  for (const arrive of arriving) arrive();
  await releasing;
  await settled();
  expect(await left("k")).toBeLessThanOrEqual(9_000);
});

/** What was sent before this has been answered. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await server.command("PING");
}

test("an obtain that was given up holds nothing", async () => {
  const stop = new AbortController();
  const lock = await locker().obtain("k", 60_000);
  const options = { wait: Infinity, holdAtLeast: 60_000, signal: stop.signal };
  const waiting = failure(locker().obtain("k", 60_000, options));
  await untilInLine("k", 1, "told");
  stop.abort();
  await waiting;
  await lock.release();
  await (await locker().obtain("k", 1_000, { wait: 1_000 })).release();
});

test("the order of a release is above that of every refresh before it", async () => {
  const lock = await locker().obtain("k", 60_000, { holdAtLeast: 30_000 });
  await lock.refresh(50_000);
  await lock.refresh(40_000);
  proxy.commands.clear();
  await lock.release();
  const [[, sha1, , ...words] = []] = proxy.commands.all;
  expect(sha1).toBe(scripts.shorten.sha1);
  expect(words.at(-1)).toBe("3");
});
