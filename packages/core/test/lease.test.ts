import { expect, test } from "@jest/globals";
import { VirtualClock } from "@redislock/test-kit";

import { Timers } from "../src/time/timers.js";
import { LockLostError, type Lock } from "../src/index.js";
import { Lease } from "../src/lease/lease.js";
import { startRedis } from "./redis.js";

const { server, locker } = await startRedis();

/** A ttl of 10 s less 1 % and 2 ms. */
const TTL = 10_000;
const TERMS = { sentAt: 0, granted: TTL, ttl: TTL };
const USABLE = 9_898;

async function hold(ttl: number = TTL): Promise<{ clock: VirtualClock; lock: Lock }> {
  const clock = new VirtualClock(500);
  return { clock, lock: await locker({ clock }).obtain("k", ttl) };
}

test.each([
  [10, 7.9],
  [1_000, 988],
  [TTL, USABLE],
  [2 ** 31 - 1, 2126008808.53],
])("of a ttl of %d ms, all but 1 %% and 2 ms can be relied on: %d", async (ttl, usable) => {
  const { lock } = await hold(ttl);
  expect(lock.remaining).toBeCloseTo(usable, 1);
});

test("the lease counts from before the question was sent", async () => {
  const clock = new VirtualClock();
  const one = locker({ clock });
  const obtaining = one.obtain("k", TTL);
  clock.stall(3_000);
  const lock = await obtaining;
  expect(lock.remaining).toBe(USABLE - 3_000);
});

test("remaining falls with the clock, and the lock is held until it is 0, and no longer", async () => {
  const { clock, lock } = await hold();
  clock.stall(USABLE - 1);
  expect([lock.held, lock.remaining]).toEqual([true, 1]);
  clock.stall(1);
  expect([lock.held, lock.remaining]).toEqual([false, 0]);
  clock.stall(1e9);
  expect([lock.held, lock.remaining]).toEqual([false, 0]);
});

test("the signal aborts when the lease ends, not before and not after", async () => {
  const { clock, lock } = await hold();
  const aborts: number[] = [];
  lock.signal.addEventListener("abort", () => aborts.push(clock.now()));
  clock.advance(USABLE - 1);
  expect(aborts).toEqual([]);
  clock.advance(1_000);
  expect(aborts).toEqual([500 + USABLE]);
  expect(lock.signal.reason).toBeInstanceOf(LockLostError);
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "expired", key: "k" });
});

test("a lease that ends between two milliseconds aborts before the next is over", async () => {
  const clock = new VirtualClock(0.25);
  const lock = await locker({ clock }).obtain("k", 1_050); // Relied on for 1 037.5 ms.
  const aborts: number[] = [];
  lock.signal.addEventListener("abort", () => aborts.push(clock.now()));
  clock.stall(0.1);
  clock.advance(2_000);
  expect(aborts).toHaveLength(1);
  expect(aborts[0]).toBeGreaterThanOrEqual(1_037.75);
  expect(aborts[0]).toBeLessThan(1_038.75);
});

test("right after the event loop was blocked, held tells the truth before any timer could run", async () => {
  const { clock, lock } = await hold();
  const { signal } = lock;
  clock.stall(USABLE);
  expect(lock.held).toBe(false);
  expect(signal.aborted).toBe(true);
  expect(signal.reason).toMatchObject({ reason: "expired" });
});

test("a signal that is asked for after a stall has aborted already", async () => {
  const { clock, lock } = await hold();
  clock.stall(USABLE);
  expect(lock.signal.aborted).toBe(true);
  expect(lock.signal).toBe(lock.signal);
});

test("a signal that was asked for early hears of the end though nobody asks", async () => {
  const { clock, lock } = await hold();
  const { signal } = lock;
  clock.stall(2 * TTL);
  expect(signal.aborted).toBe(false); // The event loop is blocked: nobody can look.
  clock.advance(0);
  expect(signal.aborted).toBe(true);
});

test("a refresh moves the end, counted from before it was sent", async () => {
  const { clock, lock } = await hold();
  const { signal } = lock;
  clock.advance(5_000);
  const refreshing = lock.refresh();
  clock.stall(1_000);
  await refreshing;
  expect(lock.remaining).toBe(USABLE - 1_000);
  clock.advance(USABLE - 1_001);
  expect(signal.aborted).toBe(false);
  clock.advance(1);
  expect(signal.aborted).toBe(true);
});

test("a refresh to less moves the end nearer", async () => {
  const { clock, lock } = await hold();
  await lock.refresh(1_000);
  expect(lock.remaining).toBe(988);
  clock.advance(988);
  expect(lock.held).toBe(false);
});

test("a released lock ends without a loss", async () => {
  const { clock, lock } = await hold();
  const { signal } = lock;
  await lock.release();
  clock.advance(2 * TTL);
  expect(signal.aborted).toBe(false);
  expect([lock.held, lock.remaining]).toEqual([false, 0]);
});

test("a lock that ended leaves no timer behind but one that finds nothing to do", async () => {
  const { clock, lock } = await hold();
  await lock.release();
  clock.advance(2 * TTL);
  expect(clock.timers).toBe(0);
});

test("many locks share one timer", async () => {
  const clock = new VirtualClock();
  const one = locker({ clock });
  await Promise.all(Array.from({ length: 100 }, (_, index) => one.obtain(`k${index}`, TTL)));
  expect(clock.timers).toBe(1);
});

test("Redis keeps the lock at least as long as the holder relies on it", async () => {
  const lock = await locker().obtain("k", TTL);
  const left = await server.command("PTTL", "k");
  expect(left).toBeGreaterThan(lock.remaining);
});

test("what is lost stays lost, whatever comes later", () => {
  const clock = new VirtualClock();
  const losses: LockLostError[] = [];
  const lease = new Lease(["k"], new Timers(clock), TERMS, (error) => losses.push(error));
  lease.lose("taken");
  lease.refreshed(0, TTL);
  lease.lose("deleted");
  lease.end();
  clock.advance(2 * TTL);
  expect(lease.held).toBe(false);
  expect(lease.lost).toMatchObject({ reason: "taken" });
  expect(losses).toHaveLength(1);
});

test("what is over stays so, also if a refresh is answered before anybody looked", () => {
  const clock = new VirtualClock();
  const lost: LockLostError[] = [];
  const lease = new Lease(["k"], new Timers(clock), TERMS, (error) => lost.push(error));
  lease.refreshing(100, TTL);
  clock.stall(USABLE);
  lease.refreshed(100, TTL);
  expect([lease.held, lease.remaining]).toEqual([false, 0]);
  expect(lost).toMatchObject([{ reason: "unreachable" }]);
});

test("a lease that was ended, or is over, cannot be told to end", () => {
  const clock = new VirtualClock();
  const [ended, over] = [1, 2].map(
    () => new Lease(["k"], new Timers(clock), TERMS, () => undefined),
  );
  ended?.end();
  clock.stall(USABLE);
  for (const lease of [ended, over]) lease?.interrupt(new Error("end"));
  expect(ended?.signal.aborted).toBe(false);
  expect(over?.signal.reason).toMatchObject({ reason: "expired" });
});

test("a lease that was ended cannot be lost", () => {
  const clock = new VirtualClock();
  const losses: LockLostError[] = [];
  const lease = new Lease(["k"], new Timers(clock), TERMS, (error) => losses.push(error));
  lease.end();
  lease.lose("taken");
  clock.advance(2 * TTL);
  expect(lease.lost).toBeUndefined();
  expect(lease.signal.aborted).toBe(false);
  expect(losses).toEqual([]);
});

test("a refresh that is under way may have shortened the lease already", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  lease.refreshing(0, 1_000);
  expect(lease.remaining).toBe(988);
  lease.refreshing(0, 60_000);
  expect(lease.remaining).toBe(988);
});

test("a lease that ends in doubt was unreachable, and says what came instead of an answer", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  const trouble = new Error("no answer");
  lease.doubt(trouble);
  clock.stall(USABLE);
  expect(lease.lost).toMatchObject({ reason: "unreachable", cause: trouble });
});

test("doubt ends with the next answer", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  lease.doubt(new Error("no answer"));
  lease.refreshed(0, TTL);
  clock.stall(USABLE);
  expect(lease.lost).toMatchObject({ reason: "expired" });
});

test("a lease that ends while a refresh is under way was unreachable", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  lease.refreshing(0, TTL);
  clock.stall(USABLE);
  const cause = { message: "no answer to a refresh before the lease ended" };
  expect(lease.lost).toMatchObject({ reason: "unreachable", cause });
});

test("and says what came instead of an answer to an earlier one, if anything did", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  const trouble = new Error("no answer");
  lease.refreshing(0, TTL);
  lease.doubt(trouble);
  lease.refreshing(0, TTL);
  clock.stall(USABLE);
  expect(lease.lost).toMatchObject({ reason: "unreachable", cause: trouble });
});

test("a refresh that was answered leaves nothing to doubt", () => {
  const clock = new VirtualClock();
  const lease = new Lease(["k"], new Timers(clock), TERMS, () => undefined);
  lease.refreshing(0, TTL);
  lease.refreshed(0, TTL);
  clock.stall(USABLE);
  expect(lease.lost).toMatchObject({ reason: "expired" });
  expect(lease.lost?.cause).toBeUndefined();
});
