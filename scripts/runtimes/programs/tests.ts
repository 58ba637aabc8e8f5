/** Tests as a user writes them, without Redis; for any runner that has a `test`. */
import { appendFileSync } from "node:fs";
import * as core from "@redislock/core";
import * as adapterKit from "@redislock/core/adapter";
import * as ioredis from "@redislock/ioredis";
import * as nodeRedis from "@redislock/node-redis";
import { createLocker } from "@redislock/testing";

type Test = (name: string, run: () => Promise<void>) => unknown;

/** @param report - The file that each test writes a line to at its end, however the runner counts. */
export function define(test: Test, report: string, label: string): void {
  const done = (what: string): void => appendFileSync(report, `${label}: ${what}\n`);

  test("waits 800 ms in vain", async () => {
    const locker = createLocker();
    await locker.obtain("taken", 60_000);
    const answer = await locker.tryObtain("taken", 60_000, { wait: 800 });
    if (answer !== null) throw new Error("two have it");
    await locker.close();
    done("waited");
  });

  test("polls for 800 ms in vain", async () => {
    const locker = createLocker();
    await locker.obtain("taken", 60_000);
    const retry = core.limitRetry(core.linearBackoff(200), 4);
    if ((await locker.tryObtain("taken", 60_000, { retry })) !== null)
      throw new Error("two have it");
    done("polled");
  });

  test("uses a lock, renewed and released", async () => {
    const locker = createLocker();
    await locker.using("free", 60_000, (lock) => lock.refresh());
    if ((await locker.inspect("free")).holder) throw new Error("not released");
    done("used");
  });

  test("everything can be imported", async () => {
    const makers = [ioredis.createLocker, nodeRedis.createLocker, core.obtain, adapterKit.toReply];
    for (const made of makers) if (typeof made !== "function") throw new Error("not there");
    if (ioredis.Locker !== core.Locker || nodeRedis.Locker !== core.Locker) {
      throw new Error("an adapter brought another core");
    }
    done("imported");
  });
}
