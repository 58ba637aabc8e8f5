/** What the scripts make of times that no real server can be brought to: the very microsecond. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import type { Reply } from "@redislock/core";
import { scripts, type ScriptName } from "@redislock/core/adapter";

import { ManualClock, MemoryServer } from "../src/index.js";

const HOUR = 3_600_000;
const [LOCK, GRANT, FENCE, LINE, WAITERS] = [
  "a",
  "a:grant",
  "a:fence",
  "a:line",
  "a:waiters",
] as const;
const KEYS = [LOCK, GRANT, FENCE, LINE, WAITERS];

let clock: ManualClock;
let server: MemoryServer;
beforeEach(() => {
  clock = new ManualClock();
  server = new MemoryServer({ clock });
});

function run(name: ScriptName, ...args: (string | number)[]): Reply {
  return server.run(scripts[name], KEYS, args.map(String));
}

function obtain(value: string, ...standing: (string | number)[]): Reply {
  return run("obtain", value, 30_000, value.length, "", HOUR, ...standing);
}

/** Obtains as a waiter whose listeners are not counted, and that may be silent for so long. */
function lineUp(id: string, patience = HOUR): Reply {
  return obtain(`value-${id}`, id, "", patience, 2, 20_000, "proof", "");
}

/** How many wait, as far as they are not stale. */
function waiters(): unknown {
  return run("inspect", 0)?.[3];
}

/** A fencing token that is just what the server's clock will say in a millisecond, when it is looked at. */
async function raiseFence(): Promise<number> {
  const fence = (clock.wall() + 1) * 1_000;
  server.command("SET", FENCE ?? "", String(fence));
  await clock.advance(1);
  return fence;
}

describe("a fencing token of the very microsecond", () => {
  test("is not given out again by an obtain", async () => {
    const fence = await raiseFence();
    expect(obtain("me")).toBe(String(fence + 1));
    expect(server.command("GET", FENCE)).toBe(String(fence + 1));
  });

  test("has sixteen digits at each moment of a second", async () => {
    for (const ms of [0, 1, 10, 100]) {
      await clock.advance(ms);
      server.command("FLUSHALL");
      const [seconds, micros] = [server.command("TIME")].flat().map(Number);
      expect(obtain("me")).toBe(String((seconds ?? 0) * 1_000_000 + (micros ?? 0) + 1));
    }
  });

  test("is not given out again at a hand-off", async () => {
    obtain("me");
    lineUp("w:1");
    const fence = await raiseFence();
    expect(run("release", "me", "")).toBe("1");
    expect(server.command("GET", GRANT)).toBe(`${fence + 1} value-w:1`);
    expect(server.command("GET", FENCE)).toBe(String(fence + 1));
    expect(server.command("GET", LOCK)).toBe("value-w:1");
  });
});

describe("a waiter", () => {
  beforeEach(() => {
    obtain("me");
  });

  test.each([
    [99, "1"],
    [100, "1"],
    [101, "0"],
  ])("that may be silent for 100 ms, after %i", async (silence, count) => {
    lineUp("w:1", 100);
    await clock.advance(silence);
    expect(waiters()).toBe(count);
  });

  test.each([
    [0, "1"],
    [-1, "0"],
  ])("that asked when the clock, now moved by %i ms, was ahead", (moved, count) => {
    lineUp("w:1");
    server.moveClock(moved);
    expect(waiters()).toBe(count);
  });

  test("that asked just now is not one who asked in the future", async () => {
    lineUp("w:1");
    const record = String(server.command("HGET", WAITERS, "w:1"));
    const at = String(clock.wall() + 1);
    server.command("HSET", WAITERS, "w:1", record.replace(/^\d+/, at));
    expect(waiters()).toBe("0");
    await clock.advance(1);
    expect(waiters()).toBe("1");
  });

  test.each([250, 999])("that leaves, %i ms into a second", async (ms) => {
    const patience = ms + 100;
    lineUp("first:1", patience);
    lineUp("last:1");
    await clock.advance(ms);
    expect(run("leave", "value-last:1", "last:1", "")?.[3]).toBe("2");
    lineUp("last:1");
    await clock.advance(101);
    expect(run("leave", "value-last:1", "last:1", "")?.[3]).toBe("1");
  });

  test("is told for how many milliseconds it has waited", async () => {
    lineUp("w:1");
    await clock.advance(1_250);
    expect(run("inspect", 1)?.slice(4)).toEqual(["", "1249"]);
  });
});
