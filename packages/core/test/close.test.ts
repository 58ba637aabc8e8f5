/** `close({ grace })`: who holds a lock is told to end, and what is left after a time is released. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import v8 from "node:v8";
import vm from "node:vm";

import {
  type Lock,
  Locker,
  LockerClosedError,
  type LockEvent,
  LockLostError,
  type RedisClient,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

async function isFree(key: string): Promise<boolean> {
  return (await server.command("EXISTS", key)) === 0;
}

test("a function in using is told at once, and holds its lock until it has ended", async () => {
  const one = locker();
  let during: { held: boolean; reason: unknown; free: boolean } | undefined;
  const reason: unknown = expect.any(LockerClosedError);
  const using = one.using("k", 10_000, async (lock) => {
    await aborted(lock.signal);
    during = { held: lock.held, reason: lock.signal.reason, free: await isFree("k") };
    return "done";
  });
  await waitUntil(() => [...one.held].length === 1, { what: "the lock" });
  await one.close({ grace: 60_000 });
  expect(await isFree("k")).toBe(true); // When close resolves.
  expect(await using).toBe("done");
  expect(during).toEqual({ held: true, reason, free: false });
  expect(during).toMatchObject({
    reason: { code: "CLOSED", key: "k", message: '"k" must be given back: the locker was closed' },
  });
});

test("a lock goes on being renewed in the time of grace", async () => {
  const clock = new VirtualClock();
  const one = locker({ clock });
  const lock = await one.obtain("k", 9_000, { renew: true });
  const closing = one.close({ grace: 60_000 });
  expect(lock.signal.reason).toBeInstanceOf(LockerClosedError);
  for (let renewals = 1; renewals < 5; renewals++) {
    clock.advance(3_300);
    await waitUntil(() => asked().filter((what) => what === "refresh").length === renewals, {
      what: "a renewal",
    });
    await waitUntil(() => lock.remaining > 6_000, { what: "its reply" });
  }
  await lock.release();
  await closing;
});

test("what is left after the time of grace is released, and using rejects", async () => {
  const events: LockEvent[] = [];
  const clock = new VirtualClock();
  const one = locker({ clock, onEvent: (event) => void events.push(event) });
  let end: (() => void) | undefined;
  let lock: Lock | undefined;
  const using = failure(
    one.using("a", 10_000, (its) => {
      lock = its;
      return new Promise<void>((resolve) => (end = resolve));
    }),
  );
  const byHand = await one.obtain("b", 10_000);
  await waitUntil(() => lock !== undefined, { what: "the function to run" });
  const closing = one.close({ grace: 5_000 });
  clock.advance(4_999);
  expect([lock?.held, byHand.held]).toEqual([true, true]);
  clock.advance(1);
  await closing;
  expect(await server.command("EXISTS", "a", "b")).toBe(0);
  expect([lock?.held, byHand.held]).toEqual([false, false]);
  end?.();
  expect(await using).toBeInstanceOf(LockerClosedError);
  expect(events.map(({ type }) => type).sort()).toEqual([
    ...["obtained", "obtained", "released", "released"],
  ]);
});

test("what a function returns that gave its lock back by itself is not thrown away", async () => {
  const one = locker();
  const using = one.using("k", 10_000, async (lock) => {
    await aborted(lock.signal);
    await lock.release();
    return "done";
  });
  await waitUntil(() => [...one.held].length === 1, { what: "the lock" });
  await one.close({ grace: 60_000 });
  expect(await using).toBe("done");
});

test("using rejects with the loss of a lock that is lost in the time of grace", async () => {
  const one = locker();
  const using = failure(
    one.using("k", 10_000, async (lock) => {
      await aborted(lock.signal);
      await server.command("DEL", "k");
      await failure(lock.refresh());
    }),
  );
  await waitUntil(() => [...one.held].length === 1, { what: "the lock" });
  await one.close({ grace: 60_000 });
  expect(await using).toBeInstanceOf(LockLostError);
  expect(await using).toMatchObject({ reason: "deleted" });
});

test("a grace of 0 releases at once", async () => {
  const one = locker();
  const lock = await one.obtain("k", 60_000, { renew: true });
  await one.close({ grace: 0 });
  expect(await isFree("k")).toBe(true);
  expect(lock.signal.reason).toBeInstanceOf(LockerClosedError);
});

test("waits end at once, as without grace", async () => {
  const one = locker();
  const lock = await one.obtain("k", 60_000);
  const waiting = failure(one.obtain("k", 60_000, { wait: Infinity }));
  await untilInLine("k", 1, "told");
  const closing = one.close({ grace: 60_000 });
  expect(await waiting).toBeInstanceOf(LockerClosedError);
  expect(lock.held).toBe(true);
  await lock.release();
  await closing;
});

test("without grace, and in await using, nobody is told and what is held stays held", async () => {
  const one = locker();
  const lock = await one.obtain("k", 60_000);
  await one.close();
  await one[Symbol.asyncDispose]();
  expect(lock.held).toBe(true);
  expect(lock.signal.aborted).toBe(false);
  expect(await isFree("k")).toBe(false);
});

test("await using ends what is under way, as close does", async () => {
  const held = await locker().obtain("k", 60_000);
  const one = locker();
  const waiting = failure(one.obtain("k", 60_000, { wait: Infinity }));
  await untilInLine("k", 1, "told");
  await one[Symbol.asyncDispose]();
  expect(await waiting).toBeInstanceOf(LockerClosedError);
  expect(await failure(one.obtain("other", 60_000))).toBeInstanceOf(LockerClosedError);
  await held.release();
});

test("a lock is renewed while the function in using runs, and not one that was obtained", async () => {
  const clock = new VirtualClock();
  const one = locker({ clock });
  const refreshes = (): number => asked().filter((what) => what === "refresh").length;
  await one.using("k", 9_000, async (lock) => {
    for (let renewals = 1; renewals < 4; renewals++) {
      clock.advance(3_000);
      await waitUntil(() => refreshes() === renewals, { what: "a renewal" });
      await waitUntil(() => lock.remaining > 8_000, { what: "its reply" });
    }
  });
  await one.obtain("k", 9_000);
  clock.advance(8_000);
  await one.inspect("k");
  expect(refreshes()).toBe(3);
});

test("a second close with less grace does not wait for the first", async () => {
  const one = locker();
  await one.obtain("k", 60_000);
  const first = one.close({ grace: Infinity });
  await one.close({ grace: 0 });
  await first;
  expect(await isFree("k")).toBe(true);
});

test("it resolves once a release that is under way was answered", async () => {
  const one = locker();
  const lock = await one.obtain("k", 60_000);
  const held = proxy.silenceReplies();
  let released = false;
  const releasing = lock.release().then(() => (released = true));
  await held.happened;
  const closing = one.close({ grace: 0 }).then(() => released);
  proxy.speak({ deliver: true });
  expect(await closing).toBe(true);
  await releasing;
});

test("a release that fails is told, and closing comes to its end", async () => {
  const events: LockEvent[] = [];
  const one = locker({ commandTimeout: 1_000, onEvent: (event) => void events.push(event) });
  await one.obtain("k", 60_000);
  proxy.silence();
  await one.close({ grace: 0 });
  expect(events.at(-1)).toMatchObject({ type: "releaseFailed", error: { code: "UNKNOWN" } });
});

test("a lock that is lost in the time of grace is not waited for, and is told as lost", async () => {
  const events: LockEvent[] = [];
  const clock = new VirtualClock();
  const one = locker({ clock, onEvent: (event) => void events.push(event) });
  await one.obtain("k", 1_000);
  const closing = one.close({ grace: Infinity });
  clock.advance(1_000);
  await closing;
  expect(events.at(-1)).toMatchObject({ type: "lost", error: expect.any(LockLostError) });
});

test("a lock that is obtained in the moment of closing has its time of grace, too", async () => {
  const one = locker({
    onEvent: ({ type }) => {
      if (type === "obtained") close();
    },
  });
  let closing: Promise<void> | undefined;
  const close = (): void => {
    closing = one.close({ grace: 60_000 });
  };
  const lock = await one.obtain("k", 60_000);
  expect(lock.signal.reason).toBeInstanceOf(LockerClosedError);
  expect(lock.held).toBe(true);
  await lock.release();
  await closing;
});

test("whichever step of an obtain it comes between, nothing is left when it resolves", async () => {
  const inner = client();
  for (let steps = 0; steps < 20; steps++) {
    let goOn: (() => void) | undefined;
    const slow: RedisClient = {
      run: async (...command) => {
        const reply = await inner.run(...command);
        if (!goOn) await new Promise<void>((resolve) => (goOn = resolve));
        return reply;
      },
    };
    const one = new Locker(slow);
    const obtaining = one.obtain(`k${steps}`, 60_000, { renew: true }).then(
      (lock) => lock,
      (error: unknown) => error,
    );
    await waitUntil(() => goOn !== undefined, { what: "the reply" });
    goOn?.();
    for (let step = 0; step < steps; step++) await Promise.resolve();
    await one.close({ grace: 0 });
    const result = await obtaining;
    if (!(result instanceof LockerClosedError)) {
      expect(result).toMatchObject({ held: false, signal: { aborted: true } });
    }
    await waitUntil(() => isFree(`k${steps}`), { what: "the lock to be given back" });
  }
});

test("a lock of which only the signal is kept is told, and given back", async () => {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  const one = locker();
  const signalOf = async (): Promise<AbortSignal> =>
    (await one.obtain("k", 60_000, { renew: true })).signal;
  const signal = await signalOf();
  await waitUntil(
    () => {
      if (typeof collect === "function") Reflect.apply(collect, undefined, []);
      return [...one.held].length === 0;
    },
    { what: "the lock object to be collected" },
  );
  await one.close({ grace: 0 });
  expect(signal.reason).toBeInstanceOf(LockerClosedError);
  expect(await isFree("k")).toBe(true);
});

describe("bad options are an error that names them, and close nothing", () => {
  test.each([
    [{ grace: -1 }, RangeError, /grace must be 0 to 2147483647 ms or Infinity/],
    [{ grace: NaN }, RangeError, /grace must be 0 to 2147483647 ms or Infinity/],
    [{ grace: 2 ** 31 }, RangeError, /grace must be 0 to 2147483647 ms or Infinity/],
    [{ grace: "5" }, TypeError, /grace must be a number of milliseconds or Infinity, got string/],
    [{ grace: null }, TypeError, /grace must be a number of milliseconds or Infinity, got null/],
    [{ graze: 5 }, TypeError, /options has no "graze": did you mean "grace"\?/],
    [5, TypeError, /options must be an object, got number/],
    [null, TypeError, /options must be an object, got null/],
  ])("%j", async (options, type, message) => {
    const one: { close(options: unknown): Promise<void> } & Pick<
      ReturnType<typeof locker>,
      "obtain"
    > = locker();
    const error = await failure(one.close(options));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(message);
    await one.obtain("k", 10_000);
  });
});
