/** What a listener is told that wants details. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import {
  detailed,
  type DetailedLockEvent,
  limitRetry,
  linearBackoff,
  LockerClosedError,
  type Locker,
  type LockEvent,
  type LockerOptions,
  type ObtainDetails,
  type ObtainOptions,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const TTL = 60_000;
const { server, proxy, locker, untilInLine } = await startRedis();

interface Recorder {
  readonly events: DetailedLockEvent[];
  readonly one: Locker;
  readonly types: () => string[];
  /** The event of this type, once it was told. */
  readonly told: <Type extends DetailedLockEvent["type"]>(
    type: Type,
  ) => Promise<Extract<DetailedLockEvent, { readonly type: Type }>>;
}

/** A locker that keeps what it tells. */
function recorder(options: LockerOptions = {}): Recorder {
  const events: DetailedLockEvent[] = [];
  const one = locker({ ...options, onEvent: detailed((event) => events.push(event)) });
  const told: Recorder["told"] = async (type) => {
    await waitUntil(() => events.some((event) => event.type === type), {
      what: `the event ${type}`,
    });
    for (const event of events) if (isOf(event, type)) return event;
    throw new Error("never");
  };
  return { events, one, told, types: () => events.map(({ type }) => type) };
}

function isOf<Type extends DetailedLockEvent["type"]>(
  event: DetailedLockEvent,
  type: Type,
): event is Extract<DetailedLockEvent, { readonly type: Type }> {
  return event.type === type;
}

/** The one id of all these events. */
function idOf(events: readonly DetailedLockEvent[]): number {
  const ids = new Set(events.map((event) => ("id" in event ? event.id : undefined)));
  expect(ids.size).toBe(1);
  const [id] = ids;
  expect(id).toEqual(expect.any(Number));
  return id ?? 0;
}

const alone = { mode: "exclusive", permits: 1, limit: undefined };

test("an obtain and its lock: all of it with one id", async () => {
  const clock = new VirtualClock(1_000);
  const { events, one } = recorder({ clock });
  const lock = await one.obtain("k", TTL);
  clock.stall(700);
  await lock.release();
  const { fencingToken } = lock;
  const [{ id } = { id: 0 }] = events.filter((event) => isOf(event, "obtaining"));
  expect(events).toEqual([
    { type: "obtaining", keys: ["k"], id, ...alone },
    { type: "obtained", keys: ["k"], waited: 0, tries: 1, fencingToken, id, ...alone },
    { type: "released", keys: ["k"], held: 700, fencingToken, id, ...alone },
  ]);
});

test("each obtain has an id of its own, also of another locker, and the next one's is one above", async () => {
  const [first, second] = [recorder(), recorder()];
  await (await first.one.obtain("a", TTL)).release();
  await (await second.one.obtain("b", TTL)).release();
  await first.one.using("c", TTL, () => undefined);
  const id = idOf(first.events.slice(0, 3));
  expect(idOf(second.events)).toBe(id + 1);
  expect(idOf(first.events.slice(3))).toBe(id + 2);
});

test.each<[string, ObtainOptions, Record<string, unknown>]>([
  ["alone", {}, alone],
  ["shared", { mode: "shared" }, { mode: "shared", permits: 1, limit: undefined }],
  ["counted", { limit: 5, permits: 2 }, { mode: "counted", permits: 2, limit: 5 }],
])("how a lock is held: %s, in each event", async (_, options, details) => {
  const { events, one } = recorder();
  await (await one.obtain("k", TTL, options)).release();
  expect(events).toMatchObject([details, details, details]);
});

describe("a wait", () => {
  test("in line: at which place it begins", async () => {
    await locker().obtain("k", TTL);
    const [second, third] = [recorder(), recorder()];
    const stop = new AbortController();
    const { signal } = stop;
    const waiting = [failure(second.one.obtain("k", TTL, { wait: Infinity, signal }))];
    await untilInLine("k", 1, "told");
    waiting.push(failure(third.one.obtain("k", TTL, { wait: Infinity, signal })));
    const { id } = await second.told("obtaining");
    expect(await second.told("waiting")).toMatchObject({ keys: ["k"], position: 1, id, ...alone });
    expect(await third.told("waiting")).toMatchObject({ position: 2 });
    stop.abort();
    await Promise.all(waiting);
    // Once, however often it asked.
    expect(second.types()).toEqual(["obtaining", "waiting", "waited", "obtainFailed"]);
    expect(second.events.at(-1)).toMatchObject({ id, error: signal.reason });
  });

  test("polling: at no place", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const { events, one, types } = recorder();
    await failure(one.obtain("k", TTL, { retry: limitRetry(linearBackoff(5), 2) }));
    expect(types()).toEqual(["obtaining", "waiting", "waited", "notObtained"]);
    expect(events[1]).toMatchObject({ position: undefined, ...alone });
    idOf(events);
  });

  test("for a lock of one's own", async () => {
    const { one, told, types, events } = recorder();
    const lock = await one.obtain("k", TTL);
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    const { id } = await told("waitingForOwn");
    await untilInLine("k", 1, "told");
    await lock.release();
    await waiting;
    // The grant comes over another connection, and may be there before the answer to the release.
    expect(types().filter((type) => type !== "released")).toEqual(
      "obtaining obtained obtaining waiting waitingForOwn waited obtained".split(" "),
    );
    expect(types().indexOf("released")).toBeGreaterThan(types().indexOf("waitingForOwn"));
    idOf(events.filter(({ type }) => type === "released" || type === "obtained").slice(0, 2));
    expect(events.at(-1)).toMatchObject({ id });
  });

  test("and who has the locks, if the listener asks", async () => {
    const other = locker();
    const a = await other.obtain("a", TTL, { metadata: "host 7" });
    const holds = ["host 8", "host 9"].map((metadata) =>
      other.obtain("b", TTL, { mode: "shared", metadata }),
    );
    await Promise.all(holds);
    const { one, told } = recorder();
    const obtaining = failure(one.obtain(["a", "b"], TTL, { wait: Infinity }));
    const { holders } = await told("waiting");
    const found = await holders();
    expect(found.map(({ metadata }) => metadata).sort()).toEqual(["host 7", "host 8", "host 9"]);
    expect(found[0]).toMatchObject({ fencingToken: a.fencingToken, mode: "exclusive" });
    await one.close();
    await obtaining;
    expect(await failure(holders())).toMatchObject({ code: "CLOSED", key: "a" });
  });
});

describe("an obtain that fails", () => {
  test("because the locker is closed: told with its error, and nothing is sent", async () => {
    const { one, types, events } = recorder();
    await one.close();
    const error = await failure(one.obtain("k", TTL));
    expect(types()).toEqual(["obtaining", "obtainFailed"]);
    expect(events[1]).toMatchObject({ error, keys: ["k"], ...alone });
    idOf(events);
  });

  test("because Redis refuses", async () => {
    await server.command("HSET", "k", "not", "a lock");
    const clock = new VirtualClock(1_000);
    const { one, types, events } = recorder({ clock });
    const error = await failure(one.obtain("k", TTL));
    expect(types()).toEqual(["obtaining", "obtainFailed"]);
    expect(events[1]).toMatchObject({ error, waited: 0 });
    expect(error).toMatchObject({ code: "NOT_A_LOCK" });
  });

  test("because Redis is silent, and what was granted late is given back under the same id", async () => {
    const { one, told, events } = recorder({ commandTimeout: 1_000 });
    const held = proxy.silenceReplies();
    const failed = failure(one.obtain("k", TTL));
    await held.happened;
    expect(await failed).toMatchObject({ code: "UNKNOWN" });
    proxy.speak({ deliver: true });
    await told("lateGrantReleased");
    expect(events.map(({ type }) => type)).toEqual([
      ...["obtaining", "obtainFailed", "lateGrantReleased"],
    ]);
    idOf(events);
  });
});

describe("a lock that was obtained", () => {
  test("is renewed, renewed in vain, and lost: with its id, fencing token and time", async () => {
    const clock = new VirtualClock();
    const { one, told, events } = recorder({ clock });
    const { fencingToken } = await one.obtain("k", 9_000, { renew: true });
    clock.advance(3_300);
    expect(await told("renewed")).toMatchObject({ fencingToken, held: 3_300, ...alone });
    const silence = proxy.silence();
    clock.advance(3_000);
    await silence.happened;
    clock.advance(2_000);
    expect(await told("renewalFailed")).toMatchObject({ fencingToken, held: 8_300 });
    clock.advance(10_000);
    // At the end of the lease that was renewed after 3 s: 9 s less what clocks may differ by.
    expect(await told("lost")).toMatchObject({ fencingToken, held: 11_908, keys: ["k"] });
    idOf(events);
  });

  test("and whose release throws: told as releaseFailed, once", async () => {
    const { one, events, types } = recorder({ commandTimeout: 1_500 });
    const lock = await one.obtain("k", TTL);
    const silence = proxy.silence();
    const releasing = failure(lock.release());
    await silence.happened;
    const error = await releasing;
    const { fencingToken } = lock;
    expect(types()).toEqual(["obtaining", "obtained", "releaseFailed"]);
    expect(events[2]).toMatchObject({ error, fencingToken, held: expect.any(Number) });
    await proxy.heal();
    await lock.release();
    await failure(lock.release());
    expect(types().slice(3)).toEqual(["released"]);
    idOf(events);
  });

  test("and is kept from others by holdAtLeast: released like any other", async () => {
    const clock = new VirtualClock();
    const { one, events, types } = recorder({ clock });
    const lock = await one.obtain("k", TTL, { holdAtLeast: 90_000 });
    clock.stall(700);
    await lock.release();
    expect(types()).toEqual(["obtaining", "obtained", "released"]);
    expect(events[2]).toMatchObject({ held: 700, fencingToken: lock.fencingToken });
    idOf(events);
  });

  test("of an election: each term has an id", async () => {
    const { one, events, types } = recorder();
    const terms = [1, 2].map(() => one.lead("k", TTL, {}, ({ fencingToken }) => fencingToken));
    const tokens = await Promise.all(terms);
    expect(types().filter((type) => type === "obtained")).toHaveLength(2);
    for (const fencingToken of tokens) {
      const of = events.filter((event) => "fencingToken" in event);
      const its = of.filter((event) => event.fencingToken === fencingToken);
      expect(its.map(({ type }) => type)).toEqual(["obtained", "released"]);
      idOf(its);
    }
  });
});

test("ids are counted from 1, by all copies of this package in a process", async () => {
  const last = Symbol.for("redislock.lastObtain");
  const { one, events } = recorder();
  Reflect.deleteProperty(globalThis, last);
  await one.obtain("a", TTL);
  expect(idOf(events)).toBe(1);
  Reflect.set(globalThis, last, 41);
  events.length = 0;
  await one.obtain("b", TTL);
  expect(idOf(events)).toBe(42);
});

describe("a listener that is a function", () => {
  test("is told none of it", async () => {
    const events: LockEvent[] = [];
    const clock = new VirtualClock();
    const one = locker({ clock, onEvent: (event) => void events.push(event) });
    const lock = await one.obtain("k", TTL);
    const waiting = failure(one.obtain("k", TTL, { wait: 20 }));
    await untilInLine("k", 1, "told");
    await clock.until(waiting);
    for (const unanswered of [() => lock.release(), () => one.obtain("k", TTL)]) {
      const silence = proxy.silence();
      const failed = failure(unanswered());
      await silence.happened;
      clock.advance(2_000);
      await failed;
    }
    expect(events.map(({ type }) => type)).toEqual([
      ...["obtained", "waitingForOwn", "waited", "notObtained"],
    ]);
    const details: (keyof ObtainDetails)[] = ["id", "mode", "permits", "limit"];
    for (const event of events) {
      expect(Object.keys(event).filter((name) => details.some((one) => one === name))).toEqual([]);
    }
  });

  test("may hand what it is told to one that wants details only if it is told them itself", async () => {
    const told: string[] = [];
    const inner = detailed(({ type }) => told.push(type));
    const outer = detailed((event) => {
      told.push("outer");
      inner(event);
    });
    await locker({ onEvent: outer }).obtain("k", TTL);
    expect(told).toEqual(["outer", "obtaining", "outer", "obtained"]);
    const event = { type: "waited", keys: ["k"], waited: 5 } as const;
    expect(() => inner(event)).toThrow(TypeError);
    expect(() => inner(event)).toThrow("it wants details: give it to onEvent itself");
    const error = new LockerClosedError(["k"]);
    expect(() => inner({ type: "subscribeFailed", error })).not.toThrow();
    expect(() => inner({ type: "electionFailed", keys: ["k"], error })).not.toThrow();
  });

  test("may have a word of its own that says something else", async () => {
    const told: string[] = [];
    const onEvent = Object.assign(({ type }: LockEvent): unknown => told.push(type), {
      detail: "some",
    });
    await locker({ onEvent }).obtain("k", TTL);
    expect(told).toEqual(["obtained"]);
  });

  test("is one that wants details only by its own word", async () => {
    const told: string[] = [];
    const onEvent = ({ type }: LockEvent): unknown => told.push(type);
    Reflect.set(Function.prototype, "detail", "all");
    try {
      await locker({ onEvent }).obtain("k", TTL);
    } finally {
      Reflect.deleteProperty(Function.prototype, "detail");
    }
    expect(told).toEqual(["obtained"]);
  });
});
