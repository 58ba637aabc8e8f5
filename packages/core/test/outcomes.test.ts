import { describe, expect, test } from "@jest/globals";
import { companion, failure, VirtualClock, waitUntil } from "@redislock/test-kit";

import {
  LockLostError,
  NotObtainedError,
  OutcomeUnknownError,
  type Lock,
  type Locker,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, asked } = await startRedis();

async function untilFree(key: string): Promise<void> {
  await waitUntil(async () => (await server.command("EXISTS", key)) === 0, {
    what: `${key} to be free`,
  });
}

describe("a reply that is lost on its way", () => {
  test("of obtain: asked again, the lock is ours by the one grant there was", async () => {
    const fault = proxy.dropNextReply("EVALSHA");
    const lock = await locker().obtain("k", 10_000, { metadata: "m" });
    await fault.happened;
    expect(asked()).toEqual(["obtain", "obtain"]);
    expect(await server.command("GET", "k")).toBe(`${lock.token}m`);
    expect(await server.command("GET", companion("k", "fence"))).toBe(String(lock.fencingToken));
    await lock.release();
    await untilFree("k");
  });

  test("of obtain when another has the lock: a plain no", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    proxy.dropNextReply("EVALSHA");
    expect(await failure(locker().obtain("k", 10_000))).toBeInstanceOf(NotObtainedError);
    expect(await server.command("GET", "k")).toBe("another's");
  });

  test("of refresh: asked again, the lease is as new", async () => {
    const lock = await locker().obtain("k", 10_000);
    proxy.dropNextReply("EVALSHA");
    await lock.refresh(60_000);
    expect(asked()).toEqual(["obtain", "refresh", "refresh"]);
    expect(lock.remaining).toBeGreaterThan(10_000);
  });

  test("of release: the lock is free, and nobody claims to know by whom", async () => {
    const lock = await locker().obtain("k", 10_000);
    proxy.dropNextReply("EVALSHA");
    const error = await failure(lock.release());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "release", key: "k" });
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("of release, when another took the lock in between: it is left alone", async () => {
    const lock = await locker().obtain("k", 10_000);
    const fault = proxy.dropNextReply("EVALSHA");
    const failed = failure(lock.release());
    await fault.happened;
    await waitUntil(async () => (await server.command("SET", "k", "b", "NX")) === "OK", {
      what: "the lock to be taken",
      interval: 0,
    });
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    expect(await server.command("GET", "k")).toBe("b");
  });

  test("of ttl, inspect and forceRelease: asked again", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000);
    proxy.dropNextReply("EVALSHA");
    expect(await lock.ttl()).toBeGreaterThan(10_000);
    proxy.dropNextReply("EVALSHA");
    expect(await one.inspect("k")).toMatchObject({ holder: { metadata: "" } });
    proxy.dropNextReply("EVALSHA");
    await one.forceRelease("k");
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

describe("a question that is lost on its way", () => {
  test("is asked again", async () => {
    const one = locker();
    proxy.swallowNextRequest("EVALSHA");
    const lock = await one.obtain("k", 10_000);
    proxy.swallowNextRequest("EVALSHA");
    await lock.refresh();
    proxy.swallowNextRequest("EVALSHA");
    await lock.release();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

describe("a question that comes twice", () => {
  test("gives one grant, and the same fencing token", async () => {
    proxy.duplicateNext("EVALSHA");
    const lock = await locker().obtain("k", 10_000);
    expect(await server.command("GET", companion("k", "fence"))).toBe(String(lock.fencingToken));
    proxy.duplicateNext("EVALSHA");
    await lock.refresh();
    expect(lock.held).toBe(true);
  });

  test("puts a waiter in line once", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    proxy.duplicateNext("EVALSHA");
    const clock = new VirtualClock();
    const failed = failure(locker({ clock }).obtain("k", 10_000, { wait: 100 }));
    await proxy.commands.waitFor("SUBSCRIBE");
    expect(await server.command("ZCARD", companion("k", "line"))).toBe(1);
    await clock.until(failed);
    expect(await server.command("ZCARD", companion("k", "line"))).toBe(0);
  });
});

describe("while Redis is silent", () => {
  const questions: [string, string, (one: Locker, lock: Lock) => Promise<unknown>][] = [
    ["obtain", "obtain", (one) => one.obtain("other", 60_000)],
    ["tryObtain", "obtain", (one) => one.tryObtain("other", 60_000)],
    ["using", "obtain", (one) => one.using("other", 60_000, () => 1)],
    ["refresh", "refresh", (_, lock) => lock.refresh()],
    ["release", "release", (_, lock) => lock.release()],
    ["ttl", "ttl", (_, lock) => lock.ttl()],
    ["inspect", "inspect", (one) => one.inspect("other")],
    ["forceRelease", "forceRelease", (one) => one.forceRelease("other")],
  ];

  test.each(questions)("%s ends as unknown at its deadline", async (_, operation, ask) => {
    const clock = new VirtualClock();
    const one = locker({ clock, commandTimeout: 1_500 });
    const lock = await one.obtain("k", 60_000);
    const silence = proxy.silence();
    let settled = false;
    const failed = failure(ask(one, lock)).finally(() => (settled = true));
    await silence.happened;
    clock.advance(1_499);
    await new Promise(setImmediate);
    expect(settled).toBe(false);
    clock.advance(1);
    const error = await failed;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ code: "UNKNOWN", operation });
    expect(error).toMatchObject({ cause: { message: "no answer in 1500 ms" } });
  });

  test("the deadline is 2 s if nothing else was said", async () => {
    const clock = new VirtualClock();
    const silence = proxy.silence();
    const failed = failure(locker({ clock }).obtain("k", 60_000));
    await silence.happened;
    clock.advance(2_000);
    expect(await failed).toMatchObject({ cause: { message: "no answer in 2000 ms" } });
  });

  test("an obtain does not wait for longer than its lease would be", async () => {
    const clock = new VirtualClock();
    const silence = proxy.silence();
    const failed = failure(locker({ clock }).obtain("k", 1_000));
    await silence.happened;
    clock.advance(988);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
  });

  test("a stopped server is as silent, and the deadline is kept on the platform's clock", async () => {
    const one = locker({ commandTimeout: 200 });
    const started = performance.now();
    server.pause();
    try {
      const error = await failure(one.obtain("k", 60_000));
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(performance.now() - started).toBeGreaterThanOrEqual(199);
    } finally {
      server.resume();
    }
    await untilFree("k");
  });

  test("a lock that was taken unheard is given back", async () => {
    const clock = new VirtualClock();
    const silence = proxy.silenceReplies();
    const failed = failure(locker({ clock }).obtain("k", 60_000));
    await silence.happened;
    expect(await server.command("EXISTS", "k")).toBe(1);
    clock.advance(2_000);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    await untilFree("k");
  });

  test("a question that reaches Redis only afterwards takes no lock", async () => {
    const clock = new VirtualClock();
    const silence = proxy.silence();
    const failed = failure(locker({ clock }).obtain("k", 60_000));
    await silence.happened;
    clock.advance(2_000);
    await failed;
    expect(await server.command("EXISTS", "k")).toBe(0);
    proxy.speak({ deliver: true });
    await waitUntil(async () => (await server.command("EXISTS", companion("k", "fence"))) === 1, {
      what: "the late question to arrive",
    });
    await untilFree("k");
  });

  test("an answer that comes when its lease is over is no lock, though no timer ran", async () => {
    const clock = new VirtualClock();
    const silence = proxy.silenceReplies();
    const failed = failure(locker({ clock, commandTimeout: 90_000 }).obtain("k", 60_000));
    await silence.happened;
    clock.stall(60_000);
    proxy.speak({ deliver: true });
    const error = await failed;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toMatch(/longer than the lease/);
    await untilFree("k");
  });

  test("a lock is held on after a refresh without an answer, for what remains of its lease", async () => {
    const clock = new VirtualClock();
    const lock = await locker({ clock }).obtain("k", 10_000);
    const silence = proxy.silence();
    const failed = failure(lock.refresh());
    await silence.happened;
    clock.advance(2_000);
    const unknown = await failed;
    expect(unknown).toBeInstanceOf(OutcomeUnknownError);
    expect([lock.held, lock.remaining]).toEqual([true, 9_898 - 2_000]);
    clock.advance(9_898 - 2_000);
    expect(lock.held).toBe(false);
    expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    expect(lock.signal.reason).toMatchObject({
      reason: "unreachable",
      cause: { code: "UNKNOWN", operation: "refresh" },
    });
  });

  test("a refresh that was not answered can be asked for again", async () => {
    const lock = await locker({ commandTimeout: 1_000 }).obtain("k", 60_000);
    proxy.silence();
    expect(await failure(lock.refresh())).toBeInstanceOf(OutcomeUnknownError);
    proxy.speak();
    await lock.refresh();
    expect(lock.held).toBe(true);
  });

  test("an unanswered refresh to a shorter ttl counts as done", async () => {
    const clock = new VirtualClock();
    const lock = await locker({ clock }).obtain("k", 60_000);
    const silence = proxy.silenceReplies();
    const failed = failure(lock.refresh(5_000));
    await silence.happened;
    expect(await server.command("PTTL", "k")).toBeLessThanOrEqual(5_000);
    clock.advance(2_000);
    await failed;
    expect(lock.remaining).toBe(5_000 - 50 - 2 - 2_000);
  });

  test("a release without an answer can be tried again", async () => {
    const lock = await locker({ commandTimeout: 1_000 }).obtain("k", 60_000);
    proxy.silence();
    expect(await failure(lock.release())).toBeInstanceOf(OutcomeUnknownError);
    expect(lock.held).toBe(false);
    expect(await server.command("EXISTS", "k")).toBe(1);
    proxy.speak();
    await lock.release();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

describe("while there is no server", () => {
  test("an obtain ends as unknown, and says what came instead of an answer", async () => {
    await proxy.cutAll();
    proxy.refuse();
    const error = await failure(locker({ commandTimeout: 500 }).obtain("k", 10_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ operation: "obtain", cause: { code: "ECONNREFUSED" } });
  });

  test("a server that comes back within the deadline is waited for", async () => {
    proxy.refuse();
    const obtaining = locker({ commandTimeout: 10_000 }).obtain("k", 60_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await proxy.accept();
    const lock = await obtaining;
    expect(await server.command("GET", "k")).toBe(lock.token);
  });

  test("polling goes on over an outage", async () => {
    proxy.refuse();
    const one = locker({ commandTimeout: 200 });
    let tries = 0;
    const retry = (): number => {
      tries++;
      if (tries === 3) void proxy.accept();
      return 10;
    };
    const lock = await one.obtain("k", 60_000, { retry });
    expect(await server.command("GET", "k")).toBe(lock.token);
  });
});
