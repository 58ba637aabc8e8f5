/** Pauses that the monotonic clock does not see: a suspended machine, a frozen virtual machine or function. */
import { describe, expect, jest, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import {
  type Clock,
  type Lock,
  Locker,
  type LockEvent,
  LockLostError,
  NotObtainedError,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

const TTL = 10_000;
const USABLE = 9_898;

interface Scene {
  readonly clock: VirtualClock;
  /** Resolves when all replies are here that Redis has sent before: they come in order. */
  readonly repliesAreHere: () => Promise<unknown>;
  readonly events: LockEvent[];
  readonly obtain: (key: string, options?: { wait?: number; renew?: boolean }) => Promise<Lock>;
}

function start(): Scene {
  const clock = new VirtualClock(500);
  const events: LockEvent[] = [];
  const one = locker({ clock, onEvent: (event) => events.push(event) });
  return {
    ...{ clock, events, repliesAreHere: () => one.inspect("k") },
    obtain: (key, options = {}) => one.obtain(key, TTL, options),
  };
}

function typesOf(events: readonly LockEvent[]): string[] {
  return events.map(({ type }) => type);
}

describe("after a pause that is longer than the lease", () => {
  test.each(["held", "remaining", "signal"] as const)(
    "%s tells the truth at once",
    async (look) => {
      const { clock, events, obtain } = start();
      const lock = await obtain("k");
      clock.suspend(60_000);
      const seen = lock[look];
      expect(seen instanceof AbortSignal ? seen.aborted : !seen).toBe(true);
      expect(lock.signal.reason).toBeInstanceOf(LockLostError);
      expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "expired" });
      expect(typesOf(events)).toEqual(["obtained", "lost"]);
    },
  );

  test("the signal aborts within a second though nobody looks", async () => {
    const { clock, events, obtain } = start();
    const { signal } = await obtain("k");
    clock.suspend(60_000);
    clock.advance(1_000);
    expect(signal.aborted).toBe(true);
    expect(typesOf(events)).toEqual(["obtained", "lost"]);
  });

  test("one look ends all locks, as soon as the event loop is free", async () => {
    const { clock, obtain } = start();
    const [one, two] = await Promise.all([obtain("a"), obtain("b")]);
    const { signal } = two;
    clock.suspend(60_000);
    expect(one.held).toBe(false);
    expect(signal.aborted).toBe(false);
    clock.advance(0);
    expect(signal.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  test("a lock that was renewed is renewed no more", async () => {
    const { clock, events, obtain } = start();
    const lock = await obtain("k", { renew: true });
    clock.suspend(60_000);
    clock.advance(60_000);
    expect(lock.held).toBe(false);
    expect(typesOf(events)).toEqual(["obtained", "lost"]);
    expect(asked()).toEqual(["obtain"]);
  });

  test("it is refreshed no more, and released without a claim to have had it", async () => {
    const { clock, obtain } = start();
    const lock = await obtain("k");
    clock.suspend(60_000);
    await server.command("DEL", "k");
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
    expect(await failure(lock.release())).toMatchObject({ code: "NOT_HELD" });
  });
});

test("after a shorter pause the lease is that much shorter, and its renewal comes at once", async () => {
  const { clock, obtain } = start();
  const lock = await obtain("k", { renew: true });
  clock.suspend(7_000);
  expect(lock.remaining).toBeCloseTo(USABLE - 7_000, 0);
  proxy.commands.clear();
  clock.advance(0);
  await proxy.commands.waitFor("EVALSHA");
});

test("an answer that came over a pause counts from before it", async () => {
  const { clock, obtain } = start();
  const obtaining = obtain("k");
  clock.suspend(1_500);
  expect((await obtaining).remaining).toBeCloseTo(USABLE - 1_500, 0);
});

test("a command that had no answer over a pause is past its deadline", async () => {
  const { clock, obtain } = start();
  const silence = proxy.silence();
  const failed = failure(obtain("k"));
  await silence.happened;
  clock.suspend(3_000);
  clock.advance(1_000);
  expect(await failed).toMatchObject({ code: "UNKNOWN" });
});

test("a waiter whose time went by in a pause gives up", async () => {
  const { clock, obtain, repliesAreHere } = start();
  await locker().obtain("k", 60_000);
  const failed = failure(obtain("k", { wait: 60_000 }));
  await untilInLine("k", 1, "told");
  await repliesAreHere();
  clock.suspend(60_001);
  clock.advance(2_000);
  expect(await failed).toMatchObject({ code: "NOT_OBTAINED" });
});

test("a waiter asks at once after a pause, as it may have missed its turn", async () => {
  const { clock, obtain, repliesAreHere } = start();
  await locker().obtain("k", 60_000);
  const waiting = obtain("k", { wait: Infinity });
  await untilInLine("k", 1, "told");
  await repliesAreHere();
  proxy.commands.clear();
  await server.command("DEL", "k");
  clock.suspend(20_000);
  clock.advance(1_000);
  expect((await waiting).held).toBe(true);
});

describe("the wall clock set back", () => {
  test("by an hour changes nothing", async () => {
    const { clock, events, obtain } = start();
    const lock = await obtain("k");
    clock.suspend(-3_600_000);
    expect(lock.remaining).toBeCloseTo(USABLE, 5);
    clock.advance(USABLE - 1);
    expect(lock.held).toBe(true);
    clock.advance(1);
    expect(lock.held).toBe(false);
    expect(typesOf(events)).toEqual(["obtained", "lost"]);
  });

  test("does not hide a pause after it", async () => {
    const { clock, obtain } = start();
    const lock = await obtain("k");
    clock.suspend(-3_600_000);
    expect(lock.held).toBe(true);
    clock.suspend(60_000);
    expect(lock.held).toBe(false);
  });
});

test("time is what a clock says that has no wall clock beside it", async () => {
  const clock = new VirtualClock();
  const plain: Clock = {
    now: () => clock.now(),
    after: (ms, run) => clock.after(ms, run),
  };
  const lock = await locker({ clock: plain }).obtain("k", TTL);
  clock.suspend(60_000);
  expect(lock.remaining).toBe(USABLE);
  clock.advance(USABLE);
  expect(lock.held).toBe(false);
});

test("a locker that was used under fake timers has timers when those were taken away", async () => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
  const one = new Locker(client(), { commandTimeout: 100 });
  try {
    await one.obtain("a", TTL);
  } finally {
    jest.useRealTimers();
  }
  await server.command("SET", "k", "another's", "PX", "60000");
  // Its time is that of the process again.
  await waitUntil(() => performance.now() > 2_000, { what: "the process to have run for a while" });
  expect(await failure(one.obtain("k", TTL, { wait: 10 }))).toBeInstanceOf(NotObtainedError);
  const lock = await one.obtain("renewed", 300, { renew: true });
  await waitUntil(() => asked().includes("refresh"), { what: "a renewal" });
  await lock.release();
});
