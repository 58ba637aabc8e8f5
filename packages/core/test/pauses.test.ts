/** Pauses that the monotonic clock does not see: a suspended machine, a frozen virtual machine or function. */
import { describe, expect, test } from "@jest/globals";
import { failure, seededRandom, VirtualClock } from "@redislock/test-kit";

import { type Clock, type Lock, type LockEvent, LockLostError } from "../src/index.js";
import { Timers } from "../src/time/timers.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, asked, untilInLine } = await startRedis();

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

test.each([0, 86_400_000])(
  "a pause is seen whatever the wall clock was set back by, %i ms after the start",
  (start) => {
    const clock = new VirtualClock(start);
    const timers = new Timers(clock);
    const before = timers.now();
    for (const back of [3_600_000, 5, 100]) {
      clock.suspend(-back);
      timers.now();
    }
    clock.suspend(21);
    expect(timers.now() - before).toBe(21);
  },
);

describe("time", () => {
  test("is not moved by the grain of a wall clock, in a day of looks", () => {
    const clock = new VirtualClock(0.3);
    const random = seededRandom(7);
    const coarse: Clock = {
      now: () => clock.now(),
      wall: () => Math.floor(clock.wall() / 16) * 16,
      after: (ms, run) => clock.after(ms, run),
    };
    const timers = new Timers(coarse);
    let furthest = 0;
    for (let looks = 0; looks < 100_000; looks++) {
      clock.stall(random(1_728_000) / 1_000);
      furthest = Math.max(furthest, timers.now() - clock.now());
    }
    expect(furthest).toBe(0);
  });

  test("is not moved when the process is kept waiting between the looks at the two clocks", () => {
    const clock = new VirtualClock();
    const random = seededRandom(7);
    const busy: Clock = {
      now: () => clock.now(),
      wall: () => {
        clock.stall(random(2) * 500);
        return clock.wall();
      },
      after: (ms, run) => clock.after(ms, run),
    };
    const timers = new Timers(busy);
    for (let looks = 0; looks < 100; looks++) expect(timers.now()).toBeLessThanOrEqual(clock.now());
    // Nor by so little that it may be the grain, whatever the process waited for.
    clock.suspend(20);
    for (let looks = 0; looks < 100; looks++) expect(timers.now()).toBeLessThanOrEqual(clock.now());
  });

  test("goes on by all of many short pauses", () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const before = timers.now();
    for (let pause = 1; pause <= 1_000; pause++) {
      clock.suspend(3);
      clock.stall(1);
      const passed = timers.now() - before;
      expect(passed).toBeGreaterThan(pause * 4 - 22);
      expect(passed).toBeLessThanOrEqual(pause * 4);
    }
  });

  test("is the same for all who use a clock, whenever they began", () => {
    const clock = new VirtualClock();
    const early = new Timers(clock);
    early.now();
    clock.suspend(60_000);
    const late = new Timers(clock);
    expect(late.now()).toBe(early.now());
  });

  test("is what a clock says that has no wall clock beside it", async () => {
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
});
