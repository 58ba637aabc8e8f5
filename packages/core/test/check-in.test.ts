/** How often whoever stands in line asks, and for what: to the millisecond, without a server. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import { Locker, type RedisClient, type Reply, type Subscription } from "../src/index.js";

type Reach = "none" | "counted" | "uncounted";

/** Where it stands in line, and for how much longer the lock is held; -1 for ever, undefined unknown. */
interface Place {
  readonly position: number;
  readonly remaining: number | undefined;
}

/** A server that tells whoever stands in line the same each time, and what it was asked. */
class Line implements RedisClient {
  place: Place = { position: 1, remaining: undefined };
  readonly asked: (readonly string[])[] = [];
  readonly cluster: boolean;
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
    this.cluster = reach === "uncounted";
  }

  run({ name }: { readonly name: string }, _: unknown, args: readonly string[]): Promise<Reply> {
    if (name === "leave") return Promise.resolve([null, null, null, "0", "0", "0"]);
    this.asked.push(args);
    const { position, remaining } = this.place;
    const left = remaining === undefined ? null : String(remaining);
    return Promise.resolve([left, String(position), "1", "0"]);
  }

  subscribe(): Promise<Subscription> {
    // One that is never there is one that reaches nobody.
    if (this.#reach === "none") return new Promise(() => undefined);
    return Promise.resolve({ close: () => Promise.resolve() });
  }
}

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const ended: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

/** A waiter that has asked twice: first to get a place, then as whoever messages reach as they do. */
async function wait(reach: Reach, ttl: number): Promise<{ clock: VirtualClock; line: Line }> {
  const clock = new VirtualClock();
  const line = new Line(reach);
  const locker = new Locker(line, { clock });
  const failed = failure(locker.obtain("k", ttl, { wait: Infinity }));
  ended.push(async () => {
    await locker.close();
    await failed;
  });
  await turn();
  if (reach === "none") {
    clock.advance(50);
    await turn();
  }
  expect(line.asked).toHaveLength(2);
  return { clock, line };
}

/** After how many whole milliseconds it asks again; it was told of `place` when it asked before. */
async function silence({ clock, line }: { clock: VirtualClock; line: Line }, place: Place) {
  line.place = place;
  await untilAsked(clock, line);
  return untilAsked(clock, line);
}

async function untilAsked(clock: VirtualClock, line: Line): Promise<number> {
  const before = line.asked.length;
  for (let ms = 0; ms < 20_000; ms++) {
    if (line.asked.length > before) return ms;
    clock.advance(1);
    await turn();
  }
  throw new Error("it does not ask any more");
}

const LONG = 60_000;

describe.each(["none", "counted", "uncounted"] as const)("whom messages reach: %s", (reach) => {
  test("the lock seems free: soon, and those behind the first as much less often", async () => {
    const waiting = await wait(reach, LONG);
    expect(await silence(waiting, { position: 1, remaining: undefined })).toBe(50);
    expect(await silence(waiting, { position: 3, remaining: undefined })).toBe(150);
  });

  test("when the holder's lease is over, one behind the other", async () => {
    const waiting = await wait(reach, LONG);
    expect(await silence(waiting, { position: 1, remaining: 10 })).toBe(11);
    expect(await silence(waiting, { position: 2, remaining: 10 })).toBe(21);
    expect(await silence(waiting, { position: 9, remaining: 0 })).toBe(81);
    expect(await silence(waiting, { position: 11, remaining: 0 })).toBe(101);
  });

  test("at random from the twelfth on, for a tenth of a second", async () => {
    const waiting = await wait(reach, LONG);
    const times: number[] = [];
    for (let n = 0; n < 30; n++) {
      times.push(await silence(waiting, { position: 12 + n, remaining: 0 }));
    }
    expect(Math.min(...times)).toBeGreaterThanOrEqual(101);
    expect(Math.max(...times)).toBeLessThanOrEqual(201);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(20);
  });
});

test("whom no message reaches asks before the lease is over, and each second at the least", async () => {
  const waiting = await wait("none", LONG);
  expect(await silence(waiting, { position: 1, remaining: LONG })).toBe(50);
  expect(await silence(waiting, { position: 4, remaining: LONG })).toBe(200);
  expect(await silence(waiting, { position: 21, remaining: -1 })).toBe(1_000);
});

test.each([
  ["counted", 15_000],
  ["uncounted", 2_000],
] as const)("who is %s asks each %i ms at the least, and does not before", async (reach, ms) => {
  const waiting = await wait(reach, LONG);
  expect(await silence(waiting, { position: 1, remaining: -1 })).toBe(ms);
  expect(await silence(waiting, { position: 1, remaining: ms + 5_000 })).toBe(ms);
});

test.each(["none", "counted", "uncounted"] as const)(
  "who is to have the lock for a short time asks each half of it: %s",
  async (reach) => {
    expect(await silence(await wait(reach, 60), { position: 5, remaining: -1 })).toBe(30);
  },
);

test.each([
  // Its place is kept for twice the time between two commands, rounded up.
  ["none", LONG, 2_000, LONG],
  ["none", 1_999, 1_999, 1_999],
  ["counted", LONG, 30_000, LONG],
  ["counted", 1_001, 1_001, 1_001],
  // If it is dead nobody sees it: it is granted the lock for a second more than that.
  ["uncounted", LONG, 4_000, 5_000],
  ["uncounted", 5_001, 4_000, 5_000],
  ["uncounted", 4_999, 4_000, 4_999],
  ["uncounted", 1_001, 1_001, 1_001],
] as const)("%s, for %i ms: patience of %i ms, a lease of %i", async (reach, ttl, ...terms) => {
  const { line } = await wait(reach, ttl);
  const [patience, , lease] = line.asked.at(-1)?.slice(7, 10) ?? [];
  expect([Number(patience), Number(lease)]).toEqual(terms);
});
