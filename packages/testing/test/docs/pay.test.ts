import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";

import { createLocker, linearBackoff, memoryClient, MemoryServer } from "../../src/index.js";
import { pay } from "./invoices.js";

const nothing = (): Promise<void> => Promise.resolve();

// #region plain
test("an invoice is paid", async () => {
  expect(await pay(42, createLocker(), nothing)).toBe(true);
});

test("an invoice that somebody else is about to pay is left alone", async () => {
  const locker = createLocker();
  await locker.obtain("invoice:42", 10_000);
  expect(await pay(42, locker, nothing)).toBe(false);
});
// #endregion

// #region two-processes
test("of two processes, one pays", async () => {
  const server = new MemoryServer();
  const [here, there] = [createLocker(memoryClient(server)), createLocker(memoryClient(server))];
  const paid = await Promise.all([pay(42, here, nothing), pay(42, there, nothing)]);
  expect(paid.filter(Boolean)).toHaveLength(1);
});
// #endregion

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

// #region loss
test("whoever loses the lock while paying does not say that it has paid", async () => {
  const client = memoryClient();
  const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60_000));

  const paying = pay(42, createLocker(client), slowly).catch((error: unknown) => error);
  client.takeAway("invoice:42");
  await jest.advanceTimersByTimeAsync(60_000);

  expect(await paying).toMatchObject({ code: "LOST", reason: "taken" });
});
// #endregion

// #region outage
test("an outage of two seconds is sat out", async () => {
  const client = memoryClient();
  const locker = createLocker(client);
  const lock = await locker.obtain("invoice:42", 10_000, { renew: true });
  await jest.advanceTimersByTimeAsync(3_000);

  client.silence();
  await jest.advanceTimersByTimeAsync(2_000);
  client.speak({ lose: true });
  await jest.advanceTimersByTimeAsync(30_000);

  expect(lock.held).toBe(true);
});
// #endregion

// #region polling
test("who polls gets the lock when it is free", async () => {
  const locker = createLocker();
  const lock = await locker.obtain("invoice:42", 10_000);
  const polling = locker.obtain("invoice:42", 10_000, { retry: linearBackoff(500) });
  await jest.advanceTimersByTimeAsync(2_000);
  await lock.release();
  await jest.advanceTimersByTimeAsync(500);
  expect((await polling).held).toBe(true);
});
// #endregion
