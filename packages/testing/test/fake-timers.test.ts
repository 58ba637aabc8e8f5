import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";

import { createLocker, linearBackoff } from "../src/index.js";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("a lock ends when its ttl has passed on the fake clock", async () => {
  const locker = createLocker();
  const lock = await locker.obtain("a", 60_000);
  await jest.advanceTimersByTimeAsync(59_000);
  expect(lock.held).toBe(true);
  expect(await locker.tryObtain("a", 60_000)).toBeNull();
  await jest.advanceTimersByTimeAsync(1_001);
  expect(lock.held).toBe(false);
  expect(await locker.tryObtain("a", 60_000)).not.toBeNull();
});

test("a lock that is renewed goes on for as long as the fake clock does", async () => {
  const locker = createLocker();
  const lock = await locker.obtain("a", 1_000, { renew: true });
  await jest.advanceTimersByTimeAsync(3_600_000);
  expect(lock.held).toBe(true);
});

test("a lock ends when the fake wall clock is set past its end, as after a suspended machine woke up", async () => {
  const lock = await createLocker().obtain("a", 60_000);
  jest.setSystemTime(Date.now() - 3_600_000);
  expect(lock.held).toBe(true);
  jest.setSystemTime(Date.now() + 60_000);
  expect(lock.held).toBe(false);
  expect(lock.signal.aborted).toBe(true);
});

test("who polls or stands in line needs no real time", async () => {
  const locker = createLocker();
  await locker.obtain("a", 60_000);
  const polling = locker.obtain("a", 120_000, { retry: linearBackoff(10_000) });
  await jest.advanceTimersByTimeAsync(70_000);
  const lock = await polling;
  const waiting = locker.obtain("a", 60_000, { wait: Infinity });
  await jest.advanceTimersByTimeAsync(10);
  await lock.release();
  await jest.advanceTimersByTimeAsync(0);
  expect((await waiting).held).toBe(true);
});
