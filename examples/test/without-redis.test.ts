/** How to test code that takes locks: in memory, with the troubles of a real server on demand. */
import { expect, test } from "@jest/globals";
import {
  createLocker,
  type Locker,
  LockLostError,
  ManualClock,
  memoryClient,
  MemoryServer,
  OutcomeUnknownError,
} from "@redislock/testing";

// #region under-test
/** The code under test is handed its locker, and does not know where the locks are. */
async function chargeOnce(locker: Locker, invoice: number): Promise<string> {
  await using lock = await locker.tryObtain(`invoice:${invoice}`, 10_000);
  return lock ? "charged" : "another charges it";
}
// #endregion

// #region in-memory
test("an invoice is charged once", async () => {
  const locker = createLocker();
  const outcomes = await Promise.all([chargeOnce(locker, 42), chargeOnce(locker, 42)]);
  expect(outcomes).toEqual(["charged", "another charges it"]);
});
// #endregion

// #region two-processes
test("another process has the lock", async () => {
  const server = new MemoryServer();
  const here = createLocker(memoryClient(server));
  const elsewhere = createLocker(memoryClient(server));
  await using _ = await elsewhere.obtain("invoice:42", 10_000);
  expect(await chargeOnce(here, 42)).toBe("another charges it");
});
// #endregion

// #region trouble
test("Redis does not answer", async () => {
  const client = memoryClient();
  const locker = createLocker(client, { commandTimeout: 50 });
  client.silence();
  await expect(chargeOnce(locker, 42)).rejects.toThrow(OutcomeUnknownError);
});
// #endregion

// #region time
test("the work stops when somebody takes the lock away", async () => {
  const clock = new ManualClock(); // Stands still until it is told to go on.
  const client = memoryClient(new MemoryServer({ clock }));
  const locker = createLocker(client, { clock });

  const lock = await locker.obtain("invoice:42", 30_000, { renew: true });
  client.takeAway("invoice:42");
  expect(lock.held).toBe(true); // Nobody told us yet:
  await clock.advance(10_000); // the next renewal will.
  expect(lock.signal.reason).toBeInstanceOf(LockLostError);
});
// #endregion
