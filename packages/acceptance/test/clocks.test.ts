import { expect, jest, test } from "@jest/globals";
import type { Clock } from "@redislock/core";
import { waitUntil } from "@redislock/test-kit";

import { kinds, ioredis } from "./clients.js";
import { realEnd } from "./proof.js";
import { startStage } from "./scenes.js";

const stage = await startStage({}, kinds);

const HOUR = 3_600_000;

test("steps of the process' wall clock by an hour in both directions do nothing", async () => {
  await using all = await stage.openAll();
  const real = Date.now;
  let step = 0;
  jest.spyOn(Date, "now").mockImplementation(() => real.call(Date) + step);
  try {
    await all.each(async ({ locker, key, events }) => {
      const lock = await locker.obtain(key, 9_000, { renew: true });
      const waiting = locker.obtain(`${key} b`, 9_000, { wait: 20_000, renew: true });
      for (const [renewals, next] of [HOUR, -HOUR, 0].entries()) {
        step = next;
        const isRenewed = (): boolean =>
          events.filter(({ type }) => type === "renewed").length >= 2 * renewals;
        await waitUntil(isRenewed, { what: "the renewals" });
        expect(lock.held).toBe(true);
        expect(lock.remaining).toBeLessThan(9_000);
      }
      expect((await waiting).held).toBe(true);
      await Promise.all([lock.release(), (await waiting).release()]);
      expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
    });
  } finally {
    jest.restoreAllMocks();
  }
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
  const lock = await scene.locker.obtain(scene.key, 60_000);
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
