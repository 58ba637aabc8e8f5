import { describe, expect, test } from "@jest/globals";
import { VirtualClock, seededRandom } from "@redislock/test-kit";

import { type Clock } from "../src/index.js";
import { Timers } from "../src/time/timers.js";

function start(): { clock: VirtualClock; alarm: Timers; ran: number[] } {
  const clock = new VirtualClock(1_000);
  return { clock, alarm: new Timers(clock), ran: [] };
}

test("entries run at their times, in the order of their times", () => {
  const { clock, alarm, ran } = start();
  for (const at of [1_030, 1_010, 1_020]) alarm.set(at, () => ran.push(at));
  clock.advance(9);
  expect(ran).toEqual([]);
  clock.advance(1);
  expect(ran).toEqual([1_010]);
  clock.advance(1_000);
  expect(ran).toEqual([1_010, 1_020, 1_030]);
});

test("entries for the same time run in the order in which they were set", () => {
  const { clock, alarm, ran } = start();
  const entries = Array.from({ length: 100 }, (_, index) =>
    alarm.set(index % 2 === 0 ? 1_010 : 1_020, () => ran.push(index)),
  );
  for (const index of [0, 7, 40, 99]) if (entries[index]) alarm.clear(entries[index]);
  clock.advance(1_000);
  const left = [...entries.keys()].filter((index) => ![0, 7, 40, 99].includes(index));
  const isEven = (index: number): boolean => index % 2 === 0;
  expect(ran).toEqual([...left.filter(isEven), ...left.filter((index) => !isEven(index))]);
});

test("an entry that was called off does not run", () => {
  const { clock, alarm, ran } = start();
  const entries = [1_010, 1_020, 1_030].map((at) => alarm.set(at, () => ran.push(at)));
  expect(entries[1] && alarm.clear(entries[1])).toBe(true);
  expect(entries[1] && alarm.clear(entries[1])).toBe(false);
  clock.advance(1_000);
  expect(ran).toEqual([1_010, 1_030]);
  expect(entries[0] && alarm.clear(entries[0])).toBe(false);
});

test("an entry for a time that has passed runs at once, but not before set returns", () => {
  const { clock, alarm, ran } = start();
  alarm.set(500, () => ran.push(500));
  expect(ran).toEqual([]);
  clock.advance(0);
  expect(ran).toEqual([500]);
});

describe("whoever takes silence for a fault", () => {
  test("is called at its time", () => {
    const { clock, alarm, ran } = start();
    alarm.setAfterReading(1_030, () => ran.push(clock.now()));
    clock.advance(29);
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual([1_030]);
  });

  test("is called after another turn of the event loop, if that was blocked until then", () => {
    const { clock, alarm, ran } = start();
    alarm.setAfterReading(1_030, () => ran.push(clock.now()));
    clock.stall(100);
    clock.advance(0);
    expect(ran).toEqual([]);
    clock.advance(1);
    expect(ran).toEqual([1_101]);
  });

  test.each([0, 29, 30])("is not called once that was called off, after %i ms", (ms) => {
    const { clock, alarm, ran } = start();
    const callOff = alarm.setAfterReading(1_030, () => ran.push(0));
    clock.stall(ms);
    clock.advance(0);
    callOff();
    clock.advance(1_000);
    expect(ran).toEqual([]);
  });
});

test("an entry for Infinity never runs, and sets no timer", () => {
  const { clock, alarm, ran } = start();
  const entry = alarm.set(Infinity, () => ran.push(0));
  expect(clock.timers).toBe(0);
  expect(alarm.clear(entry)).toBe(false);
});

test("ten thousand entries are one timer of the platform, and run in order", () => {
  const { clock, alarm, ran } = start();
  const random = seededRandom(3);
  const entries = Array.from({ length: 10_000 }, () => {
    const at = 1_000 + random(100_000);
    return alarm.set(at, () => ran.push(at));
  });
  expect(clock.timers).toBe(1);
  const called = entries.filter(() => random(2) === 0);
  for (const entry of called) expect(alarm.clear(entry)).toBe(true);
  expect(clock.timers).toBe(1);
  clock.advance(100_000);
  const left = entries.filter((entry) => !called.includes(entry)).map(({ at }) => at);
  expect(ran).toEqual(left.sort((a, b) => a - b));
  expect(clock.timers).toBe(0);
}, 60_000);

test("entries may set and call off others while they run", () => {
  const { clock, alarm, ran } = start();
  const victim = alarm.set(1_010, () => ran.push(-1));
  alarm.set(1_005, () => {
    ran.push(1_005);
    alarm.clear(victim);
    alarm.set(1_005, () => ran.push(1_006));
    alarm.set(1_020, () => ran.push(1_020));
  });
  clock.advance(10);
  expect(ran).toEqual([1_005, 1_006]);
  clock.advance(10);
  expect(ran).toEqual([1_005, 1_006, 1_020]);
});

test("random setting and calling off leaves exactly what it should", () => {
  const { clock, alarm, ran } = start();
  const random = seededRandom(5);
  const model = new Map<ReturnType<Timers["set"]>, number>();
  const expected: number[] = [];
  for (let step = 0; step < 5_000; step++) {
    const [some] = [...model.keys()].slice(random(model.size || 1));
    const what = random(4);
    if (what < 2) {
      const at = clock.now() + random(200);
      model.set(
        alarm.set(at, () => ran.push(at)),
        at,
      );
    } else if (what === 2 && some) {
      alarm.clear(some);
      model.delete(some);
    } else {
      clock.advance(random(20));
      const due = [...model].filter(([, at]) => at <= clock.now());
      for (const [entry] of due) model.delete(entry);
      expected.push(...due.map(([, at]) => at).sort((a, b) => a - b));
    }
  }
  // Those of one advance run in order; over all of them the times only rise.
  expect(ran).toEqual(expected);
});

test("an entry further away than timers go runs at its time", () => {
  const { clock, alarm, ran } = start();
  const delays: number[] = [];
  const after = clock.after.bind(clock);
  clock.after = (ms, run) => {
    delays.push(ms);
    return after(ms, run);
  };
  const at = 1_000 + 3 * 2 ** 31;
  alarm.set(at, () => ran.push(clock.now()));
  clock.advance(at - 1_001);
  expect(ran).toEqual([]);
  clock.advance(1);
  expect(ran).toEqual([at]);
  expect(Math.max(...delays)).toBeLessThan(2 ** 31);
});

test("sleep resolves after its time", async () => {
  const { clock, alarm, ran } = start();
  const slept = alarm.sleep(100).then(() => ran.push(1));
  clock.advance(99);
  await Promise.resolve();
  expect(ran).toEqual([]);
  clock.advance(1);
  await slept;
  expect(ran).toEqual([1]);
});

test("after the event loop was blocked, all that is overdue runs at once", () => {
  const { clock, alarm, ran } = start();
  for (const at of [1_030, 1_010, 1_020]) alarm.set(at, () => ran.push(at));
  clock.stall(25);
  expect(ran).toEqual([]);
  clock.advance(0);
  expect(ran).toEqual([1_010, 1_020]);
  clock.advance(5);
  expect(ran).toEqual([1_010, 1_020, 1_030]);
});

/** A clock that tells how often its timer was set, and whether the one that is set keeps the process alive. */
class Watched extends VirtualClock {
  armed = 0;
  alive = false;

  override after(ms: number, run: () => void): { cancel: () => void; ref(): void; unref(): void } {
    this.armed++;
    this.alive = false;
    const { cancel } = super.after(ms, run);
    return { cancel, ref: () => (this.alive = true), unref: () => (this.alive = false) };
  }
}

describe("the platform's timer", () => {
  test("is set anew only for what is due sooner", () => {
    const clock = new Watched(1_000);
    const alarm = new Timers(clock);
    for (const at of [1_020, 1_020, 1_030]) {
      alarm.set(at, () => undefined);
      alarm.now();
    }
    expect(clock.armed).toBe(1);
    alarm.set(1_010, () => alarm.set(1_015, () => undefined));
    expect(clock.armed).toBe(2);
    clock.advance(10);
    expect(clock.armed).toBe(3);
    clock.advance(5);
    expect(clock.armed).toBe(4);
  });

  test("keeps the process alive while a call is awaited, and no longer", async () => {
    const clock = new Watched(1_000);
    const alarm = new Timers(clock);
    alarm.set(1_010, () => undefined);
    alarm.set(1_020, () => undefined);
    expect(clock.alive).toBe(false);
    const ends: (() => void)[] = [];
    const call = (): Promise<void> => new Promise((resolve) => ends.push(resolve));
    const first = alarm.awaited(call());
    expect(clock.alive).toBe(true);
    clock.advance(10);
    expect(clock.alive).toBe(true); // So does the next one.
    const second = alarm.awaited(call());
    ends[0]?.();
    await first;
    expect(clock.alive).toBe(true);
    ends[1]?.();
    await second;
    expect(clock.alive).toBe(false);
    clock.advance(10);
    alarm.set(1_040, () => undefined);
    expect(clock.alive).toBe(false);
  });

  test("does so once more for a call after one that failed", async () => {
    const clock = new Watched(1_000);
    const alarm = new Timers(clock);
    alarm.set(1_010, () => undefined);
    await expect(alarm.awaited(Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(clock.alive).toBe(false);
    let end: (() => void) | undefined;
    const call = alarm.awaited(new Promise<void>((resolve) => (end = resolve)));
    expect(clock.alive).toBe(true);
    end?.();
    await call;
    expect(clock.alive).toBe(false);
  });
});

test("a look that sees a pause has all run that came due in it, as soon as the event loop is free", () => {
  const { clock, alarm, ran } = start();
  alarm.set(61_000, () => ran.push(1));
  alarm.now();
  clock.suspend(60_000);
  alarm.now();
  expect(ran).toEqual([]);
  clock.advance(0);
  expect(ran).toEqual([1]);
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
});
