import assert from "node:assert/strict";

import { type LockEvent, LockNotHeldError, NotObtainedError } from "@redislock/core";

import { eventually, type Register, rejection } from "./bench.js";
import type { ConformanceOptions } from "./options.js";

const LONG = 60_000;

/** What the lock promises its users, seen from outside and through the adapter. */
export function lockTests(test: Register, options: ConformanceOptions): void {
  test("one of many gets the lock", async (bench) => {
    const lockers = await Promise.all([1, 2, 3, 4].map(() => bench.locker()));
    const tries = [...lockers, ...lockers, ...lockers].map((locker) =>
      locker.tryObtain(bench.key("a"), LONG),
    );
    const locks = (await Promise.all(tries)).filter((lock) => lock !== null);
    assert.equal(locks.length, 1);
    const error = await rejection((await bench.locker()).obtain(bench.key("a"), LONG));
    assert.ok(error instanceof NotObtainedError);
    assert.equal(error.holder?.fencingToken, locks[0]?.fencingToken);
  });

  test("several keys are taken together or not at all", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const [a, b, c] = [bench.key("a"), bench.key("b"), bench.key("c")];
    const lock = await one.obtain([a, b], LONG);
    assert.equal(await other.tryObtain([b, c], LONG), null);
    assert.equal((await other.inspect(c)).holder, undefined);
    await lock.release();
    assert.ok(await other.tryObtain([b, c], LONG));
  });

  test("a lock ends with its ttl", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const lock = await one.obtain(bench.key("a"), 1_000);
    await eventually("it is free", async () => {
      return (await other.tryObtain(bench.key("a"), LONG)) !== null;
    });
    assert.equal(lock.held, false);
  });

  test("a refresh starts the lease anew", async (bench) => {
    const locker = await bench.locker();
    const lock = await locker.obtain(bench.key("a"), 5_000);
    assert.ok((await lock.ttl()) <= 5_000);
    await lock.refresh(LONG);
    assert.ok((await lock.ttl()) > 5_000);
    assert.ok(lock.remaining > 5_000);
  });

  test("a lock that is renewed outlives its ttl", async (bench) => {
    let renewals = 0;
    const onEvent = ({ type }: LockEvent): void => {
      if (type === "renewed") renewals++;
    };
    const [one, other] = [await bench.locker({ onEvent }), await bench.locker()];
    const lock = await one.obtain(bench.key("a"), 1_500, { renew: true });
    // Each comes a third of the ttl after the one before it.
    await eventually("it was renewed for longer than its ttl", () => renewals >= 4);
    assert.equal(lock.held, true);
    assert.equal(await other.tryObtain(bench.key("a"), LONG), null);
  });

  test("what is another's is neither refreshed nor released", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const lock = await one.obtain(bench.key("a"), LONG);
    await other.forceRelease(bench.key("a"));
    const others = await other.obtain(bench.key("a"), LONG);
    assert.ok((await rejection(lock.refresh())) instanceof LockNotHeldError);
    assert.ok((await rejection(lock.release())) instanceof LockNotHeldError);
    assert.ok((await others.ttl()) > 0);
  });

  test("who stands in line is served in order", async (bench) => {
    const [holder, ...lockers] = await Promise.all([1, 2, 3].map(() => bench.locker()));
    assert.ok(holder);
    const key = bench.key("a");
    const lock = await holder.obtain(key, LONG);
    const served: number[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const turn of [0, 1, 2, 3]) {
      const locker = lockers[turn % 2];
      waiting.push(
        Promise.resolve(locker?.using(key, LONG, { wait: LONG }, () => served.push(turn))),
      );
      await eventually("one more is in line", async () => {
        return (await holder.inspect(key)).waiters === turn + 1;
      });
    }
    assert.equal(await holder.tryObtain(key, LONG), null);
    await lock.release();
    await Promise.all(waiting);
    assert.deepEqual(served, [0, 1, 2, 3]);
  });

  test("who cancels leaves the line, and nothing behind", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const key = bench.key("a");
    const lock = await one.obtain(key, LONG);
    const controller = new AbortController();
    const waiting = other.obtain(key, LONG, { wait: LONG, signal: controller.signal });
    await eventually("it is in line", async () => (await one.inspect(key)).waiters === 1);
    const reason = new Error("cancelled");
    controller.abort(reason);
    assert.equal(await rejection(waiting), reason);
    await eventually("it has left", async () => (await one.inspect(key)).waiters === 0);
    await lock.release();
    assert.equal((await one.inspect(key)).holder, undefined);
  });

  test("whoever loses the lock is told", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const lock = await one.obtain(bench.key("a"), 1_500, { renew: true });
    const { signal } = lock;
    await other.forceRelease(bench.key("a"));
    await eventually("the signal aborts", () => signal.aborted);
    assert.equal(lock.held, false);
  });

  test("fencing tokens go up, also when Redis has lost the last one", async (bench) => {
    // The fence of a namespace with a hash tag is its own.
    const namespace = bench.key(":");
    const lockers = [await bench.locker({ namespace }), await bench.locker({ namespace })];
    const client = await bench.client();
    const tokens: number[] = [];
    for (let round = 0; round < 6; round++) {
      const locker = lockers[round % 2];
      const lock = await locker?.obtain("a", LONG);
      tokens.push(lock?.fencingToken ?? NaN);
      await lock?.release();
      const fence = `${client.keyPrefix ?? ""}${namespace}redislock`;
      if (round === 3) assert.equal(Number(await bench.command("DEL", fence)), 1, "no fence");
    }
    assert.deepEqual(
      tokens,
      [...new Set(tokens)].sort((a, b) => a - b),
    );
  });

  test("others can read who has the lock, whatever it says of itself", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    const metadata = "worker é𝕏\r\n\0 7";
    const { fencingToken } = await one.obtain(bench.key("a"), LONG, { metadata });
    const { holder } = await other.inspect(bench.key("a"));
    assert.equal(holder?.metadata, metadata);
    assert.equal(holder.fencingToken, fencingToken);
  });

  if (!options.loseNextReply) return;

  test("a lock whose reply was lost is obtained all the same, once", async (bench) => {
    const [one, other] = [await bench.locker(), await bench.locker()];
    await one.inspect(bench.key("a"));
    await bench.loseNextReply();
    const lock = await one.obtain(bench.key("a"), LONG);
    const { holder } = await other.inspect(bench.key("a"));
    assert.equal(holder?.fencingToken, lock.fencingToken);
    await lock.release();
  });

  test("a refresh whose reply was lost is done", async (bench) => {
    const locker = await bench.locker();
    const lock = await locker.obtain(bench.key("a"), 10_000);
    await bench.loseNextReply();
    await lock.refresh(LONG);
    assert.ok((await lock.ttl()) > 10_000);
  });
}
