import assert from "node:assert/strict";

import { LockNotHeldError, NotObtainedError } from "@redislock/core";

import { eventually, type Register, rejection } from "./bench.js";

const LONG = 60_000;
const SHARED = { mode: "shared" } as const;

/** What shared and counted locks promise. */
export function sharingTests(test: Register): void {
  test("readers share a lock, and keep out whoever wants it alone", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const key = bench.key("a");
    const readers = [await one.obtain(key, LONG, SHARED), await other.obtain(key, LONG, SHARED)];
    assert.equal(readers[0]?.fencingToken, readers[1]?.fencingToken);
    assert.ok((await rejection(one.obtain(key, LONG))) instanceof NotObtainedError);
    assert.equal(await bench.command("SET", key, "plain", "NX"), null);
    for (const reader of readers) await reader.release();
    const writer = await one.obtain(key, LONG);
    assert.ok(writer.fencingToken > (readers[0]?.fencingToken ?? Infinity));
    assert.equal(await other.tryObtain(key, LONG, SHARED), null);
  });

  test("no more permits are out than there are", async (bench) => {
    const lockers = await Promise.all([1, 2, 3].map(() => bench.locker()));
    const key = bench.key("a");
    const tries = [...lockers, ...lockers].map((locker) =>
      locker.tryObtain(key, LONG, { limit: 3 }),
    );
    const locks = (await Promise.all(tries)).filter((lock) => lock !== null);
    assert.equal(locks.length, 3);
    await locks[0]?.release();
    assert.equal(await lockers[0]?.tryObtain(key, LONG, { limit: 3, permits: 2 }), null);
    const last = await lockers[0]?.obtain(key, LONG, { limit: 3 });
    assert.equal((await lockers[1]?.inspect(key))?.permits, 3);
    await last?.release();
  });

  test("a share is refreshed, and ends by itself", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const key = bench.key("a");
    const [long, short] = [
      await one.obtain(key, 5_000, SHARED),
      await one.obtain(key, 1_000, SHARED),
    ];
    await long.refresh(LONG);
    assert.ok((await long.ttl()) > 5_000);
    await eventually("one is over", async () => (await other.inspect(key)).holders.length === 1);
    assert.ok((await rejection(short.refresh())) instanceof LockNotHeldError);
    await long.release();
    await (await other.obtain(key, LONG)).release();
  });

  test("readers and writers stand in one line", async (bench) => {
    const [holder, one, other] = await Promise.all([1, 2, 3].map(() => bench.locker()));
    assert.ok(holder && one && other);
    const key = bench.key("a");
    const first = await holder.obtain(key, LONG, SHARED);
    const served: string[] = [];
    const waiting: Promise<unknown>[] = [];
    const kinds = [{}, SHARED, SHARED, { limit: 3, permits: 3 }, {}];
    for (const [turn, kind] of kinds.entries()) {
      const locker = turn % 2 === 0 ? one : other;
      const options = { wait: LONG, ...kind };
      waiting.push(locker.using(key, LONG, options, ({ mode }) => served.push(mode)));
      await eventually("one more is in line", async () => {
        return (await holder.inspect(key)).waiters === turn + 1;
      });
    }
    assert.equal(await holder.tryObtain(key, LONG, SHARED), null);
    await first.release();
    await Promise.all(waiting);
    assert.deepEqual(served, ["exclusive", "shared", "shared", "counted", "exclusive"]);
  });

  test("whoever shares a lock loses it by a forced release, and nobody else", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const key = bench.key("a");
    const lost = await one.obtain(key, LONG, SHARED);
    assert.equal(await other.forceRelease(key), true);
    const next = await other.obtain(key, LONG, SHARED);
    assert.ok((await rejection(lost.refresh())) instanceof LockNotHeldError);
    assert.ok((await next.ttl()) > 0);
    assert.equal((await one.inspect(key)).held, 1);
  });
}
