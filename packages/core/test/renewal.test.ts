/** Renewals, refreshes and releases, to the millisecond: without a server, by a clock that stands still. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import {
  detailed,
  type DetailedLockEvent,
  Locker,
  type LockerOptions,
  type LockEvent,
  type RedisClient,
  type Reply,
} from "../src/index.js";

const TTL = 9_000;
/** All but 1 % and 2 ms. */
const USABLE = 8_908;
const TOKEN = "a-token-of-my-own";
/** When it all begins, by the clock. */
const BEGINNING = 90_000;

/** What was sent: the script, when, and its arguments. */
interface Sent {
  readonly name: string;
  readonly at: number;
  readonly args: readonly string[];
}

/** Instead of a reply. */
const SILENCE = Symbol("silence");

/** A server whose every reply the test gives: at once, or when it calls `answer`. */
class Desk implements RedisClient {
  readonly sent: Sent[] = [];
  readonly replies = new Map<string, Reply | typeof SILENCE>([
    ...([["obtain", "7"]] as const),
    ...(["refresh", "shorten", "release"] as const).map((name) => [name, "1"] as const),
    ...([["leave", [null, null, null, "0", "0", "0"]]] as const),
    ...([["ttl", "5"]] as const),
  ]);
  readonly #open: ((reply: Reply) => void)[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  run({ name }: { readonly name: string }, _: unknown, args: readonly string[]): Promise<Reply> {
    this.sent.push({ name, at: this.#clock.now() - BEGINNING, args });
    const reply = this.replies.get(name) ?? null;
    if (reply !== SILENCE) return Promise.resolve(reply);
    return new Promise((resolve) => this.#open.push(resolve));
  }

  /** Answers all that had no answer so far. */
  async answer(reply: Reply): Promise<void> {
    for (const resolve of this.#open.splice(0)) resolve(reply);
    await turn();
  }

  /** When a command was sent by that name, each time. */
  times(...names: string[]): number[] {
    return this.sent.filter(({ name }) => names.includes(name)).map(({ at }) => at);
  }

  last(): Sent | undefined {
    return this.sent.at(-1);
  }
}

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Scene {
  readonly clock: VirtualClock;
  readonly desk: Desk;
  readonly locker: Locker;
  readonly events: LockEvent[];
  /** Time passes, a step at a time. */
  readonly pass: (ms: number, step?: number) => Promise<void>;
}

function start(options: LockerOptions = {}): Scene {
  const clock = new VirtualClock(BEGINNING);
  const desk = new Desk(clock);
  const events: LockEvent[] = [];
  const onEvent = (event: LockEvent): void => void events.push(event);
  const locker = new Locker(desk, { clock, onEvent, ...options });
  const pass = async (ms: number, step = 100): Promise<void> => {
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(Math.min(step, ms - passed));
      await turn();
    }
  };
  return { clock, desk, locker, events, pass };
}

function typesOf(events: readonly { readonly type: string }[]): string[] {
  return events.map(({ type }) => type);
}

describe("a refresh", () => {
  test("is for the ttl that the lock has, and a shorter one for good", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL, { renew: true });
    await lock.refresh();
    expect(desk.last()).toMatchObject({ name: "refresh", args: expect.arrayContaining(["9000"]) });
    await lock.refresh(3_000);
    expect(desk.last()).toMatchObject({ name: "shorten", args: expect.arrayContaining(["3000"]) });
    expect(lock.remaining).toBe(2_968);
    await pass(1_000);
    expect(desk.times("shorten")).toEqual([0, 1_000]);
    expect(desk.last()?.args.slice(-1)).toEqual(["2"]); // Each is told from the one before.
    await lock.refresh(TTL);
    expect(lock.remaining).toBe(USABLE);
    await pass(3_000);
    expect(desk.last()).toMatchObject({ at: 3_900, args: expect.arrayContaining(["9000", "4"]) });
  });

  test("to less counts from when it was sent, though nobody says that it was done", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("shorten", SILENCE);
    const refreshed = failure(lock.refresh(4_000));
    await turn();
    expect(lock.remaining).toBe(3_958);
    await pass(2_000);
    expect(await refreshed).toMatchObject({ code: "UNKNOWN", operation: "refresh" });
    expect(lock.remaining).toBe(1_958);
    desk.replies.set("shorten", "1");
    await lock.refresh();
    expect(desk.last()?.args).toContain("4000");
    expect(lock.remaining).toBe(3_958);
  });

  test("to more counts once it was answered, from when it was sent", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", SILENCE);
    const refreshed = lock.refresh(90_000);
    await pass(500);
    expect(lock.remaining).toBe(USABLE - 500);
    await desk.answer("1");
    await refreshed;
    expect(lock.remaining).toBe(90_000 - 900 - 2 - 500);
  });

  test("waits for the one before it, and for no longer than it has time", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", SILENCE);
    const first = failure(lock.refresh());
    await pass(500);
    const others = [lock.refresh(), lock.refresh()];
    await pass(1_000);
    expect(desk.times("refresh")).toEqual([0]);
    desk.replies.set("refresh", "1");
    await pass(500);
    expect(await first).toMatchObject({ code: "UNKNOWN" });
    await Promise.all(others);
    expect(desk.times("refresh")).toEqual([0, 2_000, 2_000]);
  });

  test("is not sent any more when the one before it took all its time", async () => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", SILENCE);
    const both = [failure(lock.refresh()), failure(lock.refresh())];
    await turn();
    clock.advance(2_000);
    await turn();
    const [, second] = await Promise.all(both);
    expect(second).toMatchObject({
      code: "UNKNOWN",
      cause: { message: "no answer to the refresh before this one" },
    });
    expect(desk.times("refresh")).toEqual([0]);
  });

  test("leaves a lock alone whose lease is over, and one that was released", async () => {
    const { clock, desk, locker } = start();
    const [over, released] = [await locker.obtain("a", TTL), await locker.obtain("b", TTL)];
    await released.release();
    clock.stall(USABLE);
    desk.sent.length = 0;
    expect(await failure(over.refresh())).toMatchObject({
      code: "NOT_HELD",
      message: '"a" not held: "a" lost: its ttl ran out',
      cause: { code: "LOST" },
    });
    expect(await failure(released.refresh())).toMatchObject({
      code: "NOT_HELD",
      message: '"b" not held: it was released before',
    });
    expect(desk.sent).toEqual([]);
  });

  test("without a reply ends with the lease, if that is sooner", async () => {
    const { desk, locker, pass } = start({ commandTimeout: 60_000 });
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", SILENCE);
    const refreshed = failure(lock.refresh());
    await pass(USABLE - 1, 500);
    expect(lock.held).toBe(true);
    await pass(1);
    expect(await refreshed).toMatchObject({ code: "UNKNOWN" });
    expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "unreachable" });
  });
});

test("a command without a reply says that the client is not connected, if it says so", async () => {
  const { clock, desk, pass } = start();
  const client: RedisClient = {
    run: (...command) => desk.run(...command),
    get connection() {
      return "reconnecting";
    },
  };
  desk.replies.set("obtain", SILENCE);
  const obtained = failure(new Locker(client, { clock }).obtain("k", TTL));
  await pass(2_000);
  expect(String(await obtained)).toContain("the client is not connected (reconnecting)");
});

describe("a refresh that failed", () => {
  test("of a lock that is not renewed is not tried again", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", "what?");
    expect(await failure(lock.refresh())).toMatchObject({ code: "UNKNOWN" });
    await pass(8_000);
    expect(desk.times("refresh")).toEqual([0]);
  });

  test("after the end of the lease loses nothing that is not lost already", async () => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("refresh", SILENCE);
    const refreshed = failure(lock.refresh());
    await turn();
    clock.stall(USABLE);
    await desk.answer("0");
    expect(await refreshed).toMatchObject({ code: "NOT_HELD", cause: { reason: "unreachable" } });
  });
});

describe("a lock that is renewed", () => {
  test("tells of each renewal, and of each that failed, with how long it is held", async () => {
    const told: DetailedLockEvent[] = [];
    const { desk, locker, pass } = start({ onEvent: detailed((event) => void told.push(event)) });
    await locker.obtain("k", TTL, { renew: true });
    await pass(3_000);
    expect(told.at(-1)).toMatchObject({ type: "renewed", remaining: USABLE, held: 3_000 });
    desk.replies.set("refresh", "what?");
    await pass(3_000);
    expect(told.at(-1)).toMatchObject({
      ...{ type: "renewalFailed", remaining: USABLE - 3_000, held: 6_000 },
      error: { code: "UNKNOWN", operation: "refresh" },
    });
  });

  test("is so after a refresh that was asked for as well, a third of its ttl later", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL, { renew: true });
    await pass(1_500);
    await lock.refresh();
    await pass(2_900);
    expect(desk.times("refresh")).toEqual([1_500]);
    // On a grid of thirtieths, so that renewals of many locks meet.
    await pass(100);
    expect(desk.times("refresh")).toEqual([1_500, 4_500]);
  });

  test("is so after a refresh that failed, a thirtieth of it later", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL, { renew: true });
    await pass(1_500);
    desk.replies.set("refresh", "what?");
    expect(await failure(lock.refresh())).toMatchObject({ code: "UNKNOWN" });
    desk.replies.set("refresh", "1");
    await pass(300);
    expect(desk.times("refresh")).toEqual([1_500, 1_800]);
    await pass(3_000);
    expect(desk.times("refresh")).toEqual([1_500, 1_800, 4_800]);
  });

  test("is not asked for twice while a refresh is under way", async () => {
    const { desk, locker, pass } = start({ commandTimeout: 8_000 });
    const lock = await locker.obtain("k", TTL, { renew: true });
    await pass(2_500);
    desk.replies.set("refresh", SILENCE);
    const refreshed = lock.refresh();
    await pass(3_000);
    expect(desk.times("refresh")).toEqual([2_500]);
    desk.replies.set("refresh", "1");
    await desk.answer("1");
    await refreshed;
    await pass(3_000);
    expect(desk.times("refresh")).toEqual([2_500, 5_600, 8_400]);
  });

  test("is not so any more once it was released or lost, and nothing is told", async () => {
    const { desk, locker, events, pass } = start();
    const released = await locker.obtain("a", TTL, { renew: true });
    await locker.obtain("b", TTL, { renew: true });
    await released.release();
    desk.replies.set("refresh", "0");
    await pass(3_000);
    expect(desk.times("refresh")).toEqual([3_000]);
    await pass(20_000, 500);
    expect(desk.times("refresh")).toEqual([3_000]);
    expect(typesOf(events)).toEqual(["obtained", "obtained", "released", "lost"]);
  });

  test.each([
    ["good", "1"],
    ["one that is not understood", "what?"],
  ])("is not told of when the reply comes after the release: %s", async (_, reply) => {
    const { desk, locker, events, pass } = start();
    const lock = await locker.obtain("k", TTL, { renew: true });
    desk.replies.set("refresh", SILENCE);
    await pass(3_000);
    await lock.release();
    await desk.answer(reply);
    await pass(8_000);
    expect(desk.times("refresh")).toEqual([3_000]);
    expect(typesOf(events)).toEqual(["obtained", "released"]);
  });

  test("is not so any more once nobody has it, also in the middle of a renewal that fails", async () => {
    const registry = FinalizationRegistry;
    const collected: (() => void)[] = [];
    /** Collects when the test says so. */
    class Registry<T> {
      readonly #cleanup: (held: T) => void;
      constructor(cleanup: (held: T) => void) {
        this.#cleanup = cleanup;
      }
      register(_: object, held: T): void {
        collected.push(() => this.#cleanup(held));
      }
      unregister(): void {
        collected.length = 0;
      }
    }
    Reflect.set(globalThis, "FinalizationRegistry", Registry);
    try {
      const { desk, locker, events, pass } = start();
      await locker.obtain("k", TTL, { renew: true });
      desk.replies.set("refresh", SILENCE);
      await pass(3_000);
      expect(desk.times("refresh")).toEqual([3_000]);
      for (const collect of collected.splice(0)) collect();
      await desk.answer("what?");
      await pass(5_900);
      expect(desk.times("refresh")).toEqual([3_000]);
      expect(typesOf(events)).toEqual(["obtained"]);
      await pass(100);
      expect(events.at(-1)).toMatchObject({ type: "lost", error: { reason: "dropped" } });
    } finally {
      Reflect.set(globalThis, "FinalizationRegistry", registry);
    }
  });

  test("is so where the platform does not tell what was garbage-collected", async () => {
    const registry = FinalizationRegistry;
    Reflect.deleteProperty(globalThis, "FinalizationRegistry");
    try {
      const { desk, locker, pass } = start();
      const lock = await locker.obtain("k", TTL, { renew: true });
      await pass(6_000);
      expect(desk.times("refresh")).toEqual([3_000, 6_000]);
      await lock.release();
      await pass(9_000);
      expect(desk.times("refresh")).toEqual([3_000, 6_000]);
    } finally {
      Reflect.set(globalThis, "FinalizationRegistry", registry);
    }
  });

  test("is not told of without a listener", async () => {
    const { desk, locker, pass } = start({ onEvent: undefined });
    const lock = await locker.obtain("k", TTL, { renew: true });
    await pass(3_000);
    desk.replies.set("refresh", "what?");
    await pass(3_300);
    desk.replies.set("refresh", "1");
    await pass(300);
    expect(desk.times("refresh")).toEqual([3_000, 6_000, 6_300, 6_600]);
    expect(lock.held).toBe(true);
  });
});

describe("a lock whose lease is not whole when it is obtained", () => {
  /** Whose obtain took half its ttl. */
  async function obtainLate(scene: Scene, renew: boolean): Promise<void> {
    const { clock, desk, locker } = scene;
    desk.replies.set("obtain", SILENCE);
    const obtaining = locker.obtain("k", 3_000, { renew });
    await turn();
    clock.advance(1_500);
    desk.replies.set("refresh", "what?");
    await desk.answer("7");
    await obtaining;
    expect(desk.times("refresh")).toEqual([1_500]);
  }

  test("gets a whole one, tried until it has it, and then no other", async () => {
    const scene = start();
    const { desk, events, pass } = scene;
    await obtainLate(scene, false);
    await pass(200);
    expect(desk.times("refresh")).toEqual([1_500, 1_600, 1_700]);
    desk.replies.set("refresh", "1");
    await pass(2_800);
    expect(desk.times("refresh")).toEqual([1_500, 1_600, 1_700, 1_800]);
    expect(typesOf(events)).toEqual(["obtained", ...[1, 2, 3].map(() => "renewalFailed")]);
  });

  test("is refreshed no more once its user did that", async () => {
    const scene = start();
    const { desk, locker, pass } = scene;
    await obtainLate(scene, false);
    desk.replies.set("refresh", "1");
    for (const lock of locker.held) await lock.refresh();
    await pass(2_000);
    expect(desk.times("refresh")).toEqual([1_500, 1_500]);
  });

  test("is renewed from then on, if that is wanted", async () => {
    const scene = start();
    const { desk, events, pass } = scene;
    await obtainLate(scene, true);
    desk.replies.set("refresh", "1");
    await pass(100);
    expect(desk.times("refresh")).toEqual([1_500, 1_600]);
    await pass(1_000);
    expect(desk.times("refresh")).toEqual([1_500, 1_600, 2_600]);
    expect(typesOf(events)).toEqual(["obtained", "renewalFailed", "renewed", "renewed"]);
  });
});

test.each([
  [{}, "exclusive", 1],
  [{ mode: "shared" }, "shared", 1],
  [{ limit: 5, permits: 3 }, "counted", 3],
] as const)("a lock tells how it is held: %j", async (options, mode, permits) => {
  const { desk, locker } = start();
  desk.replies.set("obtainShared", ["7", "3"]);
  const lock = await locker.obtain("k", TTL, options);
  expect([lock.key, lock.mode, lock.permits]).toEqual(["k", mode, permits]);
});

describe("ttl", () => {
  test("of a lock whose lease is over says 0, and that it ran out", async () => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("ttl", SILENCE);
    const left = lock.ttl();
    await turn();
    clock.stall(USABLE);
    await desk.answer("deleted");
    expect(await left).toBe(0);
    expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "expired" });
  });

  test("that is not answered is unknown", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("ttl", SILENCE);
    const left = failure(lock.ttl());
    await pass(2_000);
    expect(await left).toMatchObject({ code: "UNKNOWN", operation: "ttl" });
  });
});

describe("a release", () => {
  test("is told, with how long the lock was held", async () => {
    const { desk, locker, events, pass } = start();
    const lock = await locker.obtain("k", TTL);
    await pass(700);
    await lock.release();
    expect(desk.times("release")).toEqual([700]);
    expect(events.at(-1)).toEqual({ type: "released", keys: ["k"], held: 700 });
    expect(await failure(lock.release())).toMatchObject({
      code: "NOT_HELD",
      message: '"k" not held: it was released before',
    });
    await lock[Symbol.asyncDispose]();
    expect(desk.times("release")).toEqual([700]);
  });

  test.each([
    ["within the lease is unknown", USABLE - 1, "UNKNOWN", /it was gone before its lease ended/],
    ["with the lease is held no more", USABLE, "NOT_HELD", /not held: its ttl ran out/],
  ])("that finds the lock gone %s", async (_, ms, code, message) => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("release", SILENCE);
    const released = failure(lock.release());
    await turn();
    clock.stall(ms);
    await desk.answer("0");
    const error = await released;
    expect(error).toMatchObject({ code });
    expect(String(error)).toMatch(message);
  });

  test("of a lock that was lost says how", async () => {
    const { desk, locker } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("ttl", "taken");
    await lock.ttl();
    desk.replies.set("release", "-1");
    expect(await failure(lock.release())).toMatchObject({
      code: "NOT_HELD",
      message: '"k" not held: "k" lost: another holds it now',
      cause: { code: "LOST", reason: "taken" },
    });
  });

  test("that is not answered may be tried again", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("release", SILENCE);
    const released = failure(lock.release());
    await pass(2_000);
    expect(await released).toMatchObject({ code: "UNKNOWN", operation: "release" });
    desk.replies.set("release", "1");
    await lock.release();
  });

  test("that has the line yet to be served serves it, until that is done", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL);
    desk.replies.set("release", "more");
    desk.replies.set("leave", SILENCE);
    await lock.release();
    for (let leaves = 1; leaves < 4; leaves++) {
      expect(desk.times("leave")).toHaveLength(leaves);
      await desk.answer([null, null, null, "0", "0", leaves < 3 ? "1" : "0"]);
    }
    await pass(1_000);
    expect(desk.times("leave")).toHaveLength(3);
  });
});

describe("a lock that is held at least for a time", () => {
  test.each([
    ["stays taken for the rest of it", 999, "shorten", ["1", "1"]],
    ["is released when it is over", 1_000, "release", []],
  ])("%s", async (_, ms, name, args) => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: 1_000 });
    clock.stall(ms);
    await lock.release();
    expect(desk.last()?.name).toBe(name);
    const [, , rest, , order] = desk.last()?.args ?? [];
    expect([rest, order].filter((one) => one !== undefined)).toEqual(args);
  });

  test("is cut behind a refresh that is under way, which could make it longer again", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: 5_000 });
    desk.replies.set("refresh", SILENCE);
    const refreshed = failure(lock.refresh());
    await turn();
    const released = lock.release();
    await pass(1_500);
    expect(desk.times("shorten")).toEqual([]);
    await desk.answer("1");
    await released;
    expect(desk.last()).toMatchObject({ name: "shorten", at: 1_500 });
    expect(desk.last()?.args[2]).toBe("3500");
    await refreshed;
  });

  test("is so by the deadline of the release, whatever came before it", async () => {
    const { desk, locker, pass } = start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: 5_000 });
    desk.replies.set("refresh", SILENCE);
    const refreshed = lock.refresh();
    desk.replies.set("shorten", SILENCE);
    let isOver = false;
    const released = failure(lock.release()).finally(() => (isOver = true));
    await pass(1_500);
    await desk.answer("1");
    await failure(refreshed);
    await pass(400);
    expect(isOver).toBe(false);
    await pass(100);
    expect(isOver).toBe(true);
    expect(await released).toMatchObject({ code: "UNKNOWN", operation: "release" });
  });

  test("may not be cut any more when that refresh took all the time there was", async () => {
    const { clock, desk, locker } = start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: 5_000 });
    desk.replies.set("refresh", SILENCE);
    const refreshed = failure(lock.refresh());
    const released = failure(lock.release());
    await turn();
    clock.advance(2_000);
    await turn();
    expect(await released).toMatchObject({
      code: "UNKNOWN",
      cause: { message: "no answer to the refresh before this one" },
    });
    expect(desk.times("shorten")).toEqual([]);
    await refreshed;
  });
});

describe("of two locks with one own token", () => {
  let locker: Locker | undefined;
  afterEach(async () => {
    await locker?.close();
  });

  test.each([
    ["the same grant", "7", "7", true],
    ["another grant", "7", "8", false],
  ])("the release of one ends the other, if it is of %s", async (_, first, second, isLost) => {
    const scene = start();
    const { desk } = scene;
    locker = scene.locker;
    desk.replies.set("obtain", first);
    const one = await locker.obtain("k", TTL, { token: TOKEN });
    desk.replies.set("obtain", second);
    const other = await locker.obtain("k", TTL, { token: TOKEN });
    const stranger = await locker.obtain("k", TTL, { token: `${TOKEN}-2` });
    await one.release();
    expect([other.held, stranger.held]).toEqual([!isLost, true]);
    if (isLost) expect(other.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
  });

  test.each([
    ["the same seat", "3", true],
    ["another seat", "4", false],
  ])("so too of a lock that is shared, if it has %s", async (_, seat, isLost) => {
    const scene = start();
    const { desk } = scene;
    locker = scene.locker;
    const options = { mode: "shared", token: TOKEN } as const;
    desk.replies.set("obtainShared", ["7", "3"]);
    const one = await locker.obtain("k", TTL, options);
    desk.replies.set("obtainShared", ["7", seat]);
    const other = await locker.obtain("k", TTL, options);
    desk.replies.set("releaseShared", "1");
    await one.release();
    expect(other.held).toBe(!isLost);
  });

  test("after the release of one alone, nobody is told that this process has it", async () => {
    const scene = start();
    const { desk } = scene;
    locker = scene.locker;
    await (await locker.obtain("k", TTL)).release();
    desk.replies.set("obtain", ["5", "7", "m"]);
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toMatchObject({ holder: { remaining: 5 } });
    expect(error).not.toMatchObject({ holder: { own: true } });
  });

  test("another locker of the same client is told that this process has it", async () => {
    const scene = start();
    const { clock, desk } = scene;
    locker = scene.locker;
    await locker.obtain("k", TTL);
    desk.replies.set("obtain", ["5", "7", "m"]);
    const error = await failure(new Locker(desk, { clock }).obtain("k", TTL));
    expect(error).toMatchObject({ holder: { own: true } });
  });

  test("who asks next is told that this process has it, until both are over", async () => {
    const scene = start();
    const { desk } = scene;
    locker = scene.locker;
    const held = [1, 2].map(async () => scene.locker.obtain("k", TTL, { token: TOKEN }));
    const [one, other] = await Promise.all(held);
    const ask = async (): Promise<unknown> => {
      desk.replies.set("obtain", ["5", "7", "m"]);
      const error = await failure(scene.locker.obtain("k", TTL));
      return error instanceof Error && "holder" in error ? error.holder : error;
    };
    expect(await ask()).toMatchObject({ own: true });
    desk.replies.set("release", "0");
    await failure(one?.release() ?? Promise.resolve());
    expect(await ask()).toMatchObject({ own: true });
    await failure(other?.release() ?? Promise.resolve());
    expect(await ask()).not.toMatchObject({ own: true });
  });
});
