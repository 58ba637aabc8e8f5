/** What is told of a lock is told in the async context of its own call, whoever else shares timers with it. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import { AsyncLocalStorage } from "node:async_hooks";

import { Locker, type Lock, type LockEvent, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, untilInLine } = await startRedis();

const TTL = 9_000;
const request = new AsyncLocalStorage<string>();

/** In whose context something happened: `lost of a in one`. */
let seen: string[] = [];

beforeEach(() => {
  seen = [];
});

function note(what: string): void {
  seen.push(`${what} in ${request.getStore() ?? "none"}`);
}

function onEvent(event: LockEvent): void {
  note("keys" in event ? `${event.type} of ${event.keys.join()}` : event.type);
}

function listen(name: string, lock: Lock): void {
  lock.signal.addEventListener("abort", () => note(`abort of ${name}`));
}

/** A lock of request one, called a, and one of request two, called b; what was told of that is forgotten. */
async function holdTwo(one: Locker, options: { renew?: boolean } = {}): Promise<[Lock, Lock]> {
  const obtain = async (key: string): Promise<Lock> => {
    const lock = await one.obtain(key, TTL, options);
    listen(key, lock);
    return lock;
  };
  const a = await request.run("one", () => obtain("a"));
  const b = await request.run("two", () => obtain("b"));
  expect(seen).toEqual(["obtained of a in one", "obtained of b in two"]);
  seen = [];
  return [a, b];
}

const losses = ["abort of a in one", "abort of b in two", "lost of a in one", "lost of b in two"];

describe("a loss is told in its own context", () => {
  test("when a timer tells of it", async () => {
    const clock = new VirtualClock();
    await holdTwo(locker({ clock, onEvent }));
    clock.advance(TTL);
    expect(seen.sort()).toEqual(losses);
  });

  test("when another request looks", async () => {
    const clock = new VirtualClock();
    const [a, b] = await holdTwo(locker({ clock, onEvent }));
    clock.stall(TTL);
    request.run("two", () => expect(a.held).toBe(false));
    request.run("one", () => expect(b.held).toBe(false));
    expect(seen.sort()).toEqual(losses);
  });

  test("when a renewal tells of it", async () => {
    const clock = new VirtualClock();
    await holdTwo(locker({ clock, onEvent }), { renew: true });
    await server.command("DEL", "a", "b");
    clock.advance(3_300);
    await waitUntil(() => seen.length === losses.length, { what: "the losses" });
    expect(seen.sort()).toEqual(losses);
  });
});

test("renewals are sent and told of in the context of their lock", async () => {
  const clock = new VirtualClock();
  const redis = client();
  const watched: RedisClient = {
    run: (script, keys, args) => {
      if (script.name === "refresh") note(`${script.name} of ${String(keys[0])}`);
      return redis.run(script, keys, args);
    },
  };
  const one = new Locker(watched, { clock, onEvent });
  await request.run("one", () => one.obtain("a", TTL, { renew: true }));
  clock.advance(1_000);
  await request.run("two", () => one.obtain("b", TTL, { renew: true }));
  seen = [];
  clock.advance(2_000);
  await waitUntil(() => seen.length === 2, { what: "the first renewal" });
  clock.advance(1_300);
  await waitUntil(() => seen.length === 4, { what: "the second renewal" });
  expect(seen).toEqual([
    "refresh of a in one",
    "renewed of a in one",
    "refresh of b in two",
    "renewed of b in two",
  ]);
});

test("a waiter asks in the context of its obtain, whether a message or a timer makes it ask", async () => {
  const clock = new VirtualClock();
  const redis = client();
  let answered = 0;
  const watched: RedisClient = {
    run: async (script, keys, args) => {
      note(`${script.name} of ${String(keys[0])}`);
      const reply = await redis.run(script, keys, args);
      answered++;
      return reply;
    },
    subscribe: (channel, listener) => redis.subscribe(channel, listener),
  };
  const holder = locker();
  for (const key of ["a", "b"]) await holder.obtain(key, 600_000);
  const one = new Locker(watched, { clock });
  const wait = (key: string): Promise<unknown> =>
    failure(one.obtain(key, 60_000, { wait: Infinity }));
  const asked = (line: string): number => seen.filter((other) => other === line).length;
  const failed = [request.run("one", () => wait("a"))];
  // When the subscription is there, whoever waits asks again, and has a timer once that is answered.
  await waitUntil(() => asked("obtain of a in one") === 2 && answered === 2, {
    what: "the second answer",
  });
  clock.advance(1_000);
  failed.push(request.run("two", () => wait("b")));
  await untilInLine("b", 1, "told");
  await waitUntil(() => answered === 3, { what: "the third answer" });
  clock.advance(14_000);
  await waitUntil(() => asked("obtain of a in one") === 3, { what: "the first check-in" });
  clock.advance(1_000);
  await waitUntil(() => asked("obtain of b in two") === 2, { what: "the second check-in" });
  expect(seen).toHaveLength(5);
  await one.close();
  await Promise.all(failed);
});

test("renewals that leave together, and fail, are told of each in its own context", async () => {
  const clock = new VirtualClock();
  await holdTwo(locker({ clock, onEvent }), { renew: true });
  const silence = proxy.silence();
  clock.advance(3_300);
  await silence.happened;
  clock.advance(2_000);
  await waitUntil(() => seen.length === 2, { what: "the failures" });
  expect(seen.sort()).toEqual(["renewalFailed of a in one", "renewalFailed of b in two"]);
});

test("a grant that came by message when nobody wanted it any more is told of in its own context", async () => {
  const redis = client();
  let leaves = 0;
  const forgetful: RedisClient = {
    run: (script, keys, args) => {
      // That it leaves the line is lost on the way; so only the message brings it to give back the lock.
      if (script.name === "leave" && ++leaves === 1) return new Promise(() => undefined);
      return redis.run(script, keys, args);
    },
    subscribe: (channel, listener) => redis.subscribe(channel, listener),
  };
  await locker().obtain("first", 60_000);
  const holder = await locker().obtain("k", 60_000);
  const one = new Locker(forgetful, { onEvent });
  const wait = (key: string, signal?: AbortSignal): Promise<unknown> =>
    failure(one.obtain(key, TTL, { wait: Infinity, signal }));
  // Request one is the first to wait, so it is the one that has the subscription opened.
  const failed = [request.run("one", () => wait("first"))];
  await untilInLine("first", 1, "told");
  const control = new AbortController();
  failed.push(request.run("two", () => wait("k", control.signal)));
  await untilInLine("k", 1, "told");
  control.abort();
  await waitUntil(() => leaves === 1, { what: "the leaving" });
  await holder.release();
  await waitUntil(() => seen.some((line) => line.startsWith("late")), { what: "the release" });
  await one.close();
  await Promise.all(failed);
  expect(seen.filter((line) => line.startsWith("late"))).toEqual(["lateGrantReleased of k in two"]);
});

test("a subscription is opened, and said to have failed, in no context of a request", async () => {
  const redis = client();
  const deaf: RedisClient = {
    run: (script, keys, args) => redis.run(script, keys, args),
    subscribe: async () => {
      note("subscribe");
      throw new Error("no channel for you");
    },
  };
  await locker().obtain("k", 60_000);
  const one = new Locker(deaf, { onEvent });
  const failed = request.run("one", () => failure(one.obtain("k", TTL, { wait: 60_000 })));
  await waitUntil(() => seen.length === 2, { what: "the failure" });
  await one.close();
  await failed;
  expect(seen.slice(0, 2)).toEqual(["subscribe in none", "subscribeFailed in none"]);
});

test("functions of a call run in its context", async () => {
  const one = locker({ onEvent });
  await server.command("SET", "a", "another's", "PX", "60000");
  const polls = await Promise.all(
    ["one", "two"].map((name) =>
      request.run(name, () =>
        one.tryObtain("a", 60_000, {
          retry: (attempt) => {
            note(`retry ${attempt}`);
            return attempt < 3 ? 1 : 0;
          },
        }),
      ),
    ),
  );
  expect(polls).toEqual([null, null]);
  for (const name of ["one", "two"]) {
    for (const attempt of [1, 2, 3]) expect(seen).toContain(`retry ${attempt} in ${name}`);
    expect(seen.filter((line) => line === `notObtained of a in ${name}`)).toHaveLength(1);
  }
  seen = [];
  await Promise.all(
    ["one", "two"].map((name) =>
      request.run(name, () => one.using("b", TTL, { wait: 10_000 }, () => note("fn"))),
    ),
  );
  expect(seen.filter((line) => line.startsWith("fn")).sort()).toEqual(["fn in one", "fn in two"]);
});
