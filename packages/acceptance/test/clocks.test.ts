import { expect, jest, test } from "@jest/globals";
import type { Clock } from "@redislock/core";
import { waitUntil } from "@redislock/test-kit";

import { kinds, ioredis } from "./clients.js";
import { realEnd } from "./proof.js";
import { startStage } from "./scenes.js";

const stage = await startStage({}, kinds);

const HOUR = 3_600_000;

/** Runs with a wall clock that `step` sets: forward or, with a negative number, back. */
async function withSteps(run: (step: (ms: number) => void) => Promise<void>): Promise<void> {
  const real = Date.now;
  let ahead = 0;
  jest.spyOn(Date, "now").mockImplementation(() => real.call(Date) + ahead);
  try {
    await run((ms) => (ahead += ms));
  } finally {
    jest.restoreAllMocks();
  }
}

test("steps of the process' wall clock back by an hour do nothing", async () => {
  await using all = await stage.openAll();
  await withSteps(async (step) => {
    const held = await all.each(async ({ locker, key, events }) => {
      const lock = await locker.obtain(key, 9_000, { renew: true });
      const waiting = locker.obtain(`${key} b`, 9_000, { wait: 20_000, renew: true });
      return { locks: [lock, await waiting], events };
    });
    for (const renewals of [1, 2]) {
      step(-HOUR);
      for (const { locks, events } of held) {
        const isRenewed = (): boolean =>
          events.filter(({ type }) => type === "renewed").length >= renewals * locks.length;
        await waitUntil(isRenewed, { what: "the renewals" });
        for (const lock of locks) {
          expect(lock.held).toBe(true);
          expect(lock.remaining).toBeLessThan(9_000);
        }
      }
    }
    for (const { locks, events } of held) {
      await Promise.all(locks.map((lock) => lock.release()));
      expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
    }
  });
});

test("a wall clock that ran ahead, as while the machine was suspended, ends leases at once, and no later", async () => {
  await using all = await stage.openAll();
  await withSteps(async (step) => {
    const held = await all.each(async ({ locker, key, events }) => {
      const seen = await locker.obtain(key, 9_000, { renew: true });
      const unseen = await locker.obtain(`${key} b`, 9_000, { renew: true });
      return { seen, signal: unseen.signal, events };
    });
    step(HOUR);
    for (const { seen } of held) expect(seen.held).toBe(false);
    for (const { signal, events } of held) {
      await waitUntil(() => signal.aborted, { what: "the abort" });
      expect(signal.reason).toMatchObject({ code: "LOST" });
      expect(events.filter(({ type }) => type === "lost")).toHaveLength(2);
    }
    // Whoever comes later is served as ever.
    await all.each(async ({ locker, key }) => {
      const lock = await locker.obtain(`${key} c`, 9_000);
      expect(lock.remaining).toBeGreaterThan(5_000);
      await lock.release();
    });
  });
});

/** A clock that goes slow or fast: while it counts `speed` milliseconds, one passes. */
function clockOf(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    after: (ms, run) => {
      const timer = setTimeout(run, ms / speed).unref();
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

test.each([0.991, 1.009])(
  "a process whose clock runs at %d of the server's speed holds no lock that has ended",
  async (speed) => {
    await using scene = await stage.open(ioredis(6), { clock: clockOf(speed) });
    const lock = await scene.locker.obtain(scene.key, 60_000);
    const provenUntil = Date.now() + lock.remaining / speed;
    expect(await realEnd(scene)).toBeGreaterThanOrEqual(Math.floor(provenUntil));
  },
);

test("a clock that is more than 1 % slow breaks the promise: that much is allowed for, and no more", async () => {
  const speed = 0.985;
  await using scene = await stage.open(ioredis(6), { clock: clockOf(speed) });
  // So long that what it is slow by is more than a command takes on its way.
  const lock = await scene.locker.obtain(scene.key, HOUR);
  const provenUntil = Date.now() + lock.remaining / speed;
  expect(await realEnd(scene)).toBeLessThan(provenUntil);
});

test("the longest ttl there is makes no storm of timers or commands", async () => {
  await using scene = await stage.open(ioredis(6));
  const lock = await scene.locker.obtain(scene.key, 2 ** 31 - 1, { renew: true });
  expect(await lock.ttl()).toBeGreaterThan(2 ** 31 - 10_000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(scene.asked().filter((name) => name === "refresh")).toEqual([]);
  expect(lock.held).toBe(true);
  await lock.release();
});
