import assert from "node:assert/strict";
import { test } from "@jest/globals";

import { createLocker, ManualClock, memoryClient, MemoryServer } from "../../src/index.js";

// #region manual-clock
test("a lock ends with its ttl", async () => {
  const clock = new ManualClock();
  const client = memoryClient(new MemoryServer({ clock }));
  const locker = createLocker(client, { clock });

  const lock = await locker.obtain("invoice:42", 10_000);
  await clock.advance(10_001);
  assert.equal(lock.held, false);
  assert.ok(await locker.tryObtain("invoice:42", 10_000));
});
// #endregion

test("a lock ends while the machine is suspended, and the next in line has it when it wakes up", async () => {
  const clock = new ManualClock();
  const client = memoryClient(new MemoryServer({ clock }));
  const locker = createLocker(client, { clock });
  const lock = await locker.obtain("a", 10_000, { renew: true });
  const { signal } = lock;
  const waiting = locker.obtain("a", 10_000, { wait: Infinity });
  await clock.advance(1);
  clock.suspend(3_600_000);
  assert.equal(signal.aborted, false);
  await clock.advance(1_000);
  assert.equal(signal.aborted, true);
  assert.equal((await waiting).held, true);
});
