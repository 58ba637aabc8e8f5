import { createLocker, memoryClient } from "@redislock/testing";
import { afterEach, expect, test, vi } from "vitest";
import { pay } from "./invoices.mjs";

const at = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
afterEach(() => vi.useRealTimers());

test("an invoice is paid", async () => {
  expect(await pay(42, createLocker(), () => at(0))).toBe(true);
});

test("an invoice that somebody else is about to pay is left alone", async () => {
  const locker = createLocker();
  await locker.obtain("invoice:42", 10_000);
  expect(await pay(42, locker, () => at(0))).toBe(false);
});

test("whoever loses the lock while paying does not say that it has paid", async () => {
  vi.useFakeTimers(); // The time of the lock and of its server, too.
  const client = memoryClient();
  const paying = pay(42, createLocker(client), () => at(60_000)).catch((error) => error);
  client.takeAway("invoice:42");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await paying).toMatchObject({ code: "LOST", reason: "taken" });
});
