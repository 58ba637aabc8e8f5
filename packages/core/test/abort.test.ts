import { describe, expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";
import { getEventListeners } from "node:events";

import {
  linearBackoff,
  LockerClosedError,
  type LockEvent,
  type ObtainOptions,
  type RedisClient,
  Locker,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, client, asked, untilInLine } = await startRedis();

async function untilFree(key: string): Promise<void> {
  await waitUntil(async () => (await server.command("EXISTS", key)) === 0, {
    what: `${key} to be free`,
  });
}

const ways: [string, ObtainOptions][] = [
  ["one try", {}],
  ["polling", { retry: linearBackoff(5) }],
  ["waiting in line", { wait: 60_000 }],
];

describe.each(ways)("%s", (_, options) => {
  test("a signal that has aborted already: rejects with its reason, and sends nothing", async () => {
    const reason = new Error("no need");
    const signal = AbortSignal.abort(reason);
    expect(await failure(locker().obtain("k", 10_000, { ...options, signal }))).toBe(reason);
    expect(await failure(locker().tryObtain("k", 10_000, { ...options, signal }))).toBe(reason);
    expect(asked()).toEqual([]);
  });

  test("an abort while the first question is under way: the lock it took is released", async () => {
    const control = new AbortController();
    const { signal } = control;
    const held = proxy.silenceReplies();
    const failed = failure(locker().obtain("k", 60_000, { ...options, signal }));
    await held.happened;
    expect(await server.command("EXISTS", "k")).toBe(1);
    control.abort(new Error("enough"));
    expect(await failed).toBe(signal.reason);
    await untilFree("k");
    proxy.speak({ deliver: true });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("an abort after the lock was obtained changes nothing", async () => {
    const control = new AbortController();
    const { signal } = control;
    const lock = await locker().obtain("k", 60_000, { ...options, signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    control.abort();
    expect(lock.held).toBe(true);
    expect(lock.signal.aborted).toBe(false);
    await lock.release();
  });

  test("a reason that is no error is handed on as it is", async () => {
    await server.command("SET", "k", "another's");
    const control = new AbortController();
    const held = proxy.silenceReplies();
    const failed = failure(locker().obtain("k", 10_000, { ...options, signal: control.signal }));
    await held.happened;
    control.abort("plain text");
    expect(await failed).toBe("plain text");
  });
});

describe.each(ways.slice(1))("%s", (_, options) => {
  test("an abort between questions: rejects at once with the reason, and leaves nothing", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker().obtain("k", 60_000, { ...options, signal }));
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    control.abort();
    const error = await failed;
    expect(error).toBe(signal.reason);
    expect(error).toMatchObject({ name: "AbortError" });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await waitUntil(async () => (await server.command("DBSIZE")) === 1, {
      what: "the line to be left",
    });
  });

  test("after an abort no more questions are sent", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const control = new AbortController();
    const one = locker();
    const failed = failure(one.obtain("k", 60_000, { ...options, signal: control.signal }));
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    control.abort();
    await failed;
    await one.inspect("k"); // Sent after all that the abort still had to say.
    proxy.commands.clear();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked().filter((name) => name === "obtain")).toEqual([]);
  });
});

test("one signal serves many obtains, and is left without listeners", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const control = new AbortController();
  const one = locker();
  const failed = Array.from({ length: 20 }, () =>
    failure(one.obtain("k", 60_000, { wait: Infinity, signal: control.signal })),
  );
  await untilInLine("k", 20);
  // Above ten, Node warns of a memory leak.
  expect(getEventListeners(control.signal, "abort").length).toBeLessThanOrEqual(10);
  control.abort();
  for (const error of await Promise.all(failed)) expect(error).toBe(control.signal.reason);
  expect(getEventListeners(control.signal, "abort")).toEqual([]);
  await waitUntil(async () => (await server.command("DBSIZE")) === 1, {
    what: "the line to be left",
  });
});

test("a question that overtakes its own leaving: what it took is released, and told of", async () => {
  const redis = client();
  let send: (() => void) | undefined;
  const slowStart: RedisClient = {
    run: async (script, keys, args) => {
      if (script.name === "obtain") await new Promise<void>((resolve) => (send = resolve));
      return redis.run(script, keys, args);
    },
  };
  const events: LockEvent[] = [];
  const one = new Locker(slowStart, { onEvent: (event) => events.push(event) });
  const control = new AbortController();
  const failed = failure(one.obtain("k", 60_000, { signal: control.signal }));
  control.abort();
  await failed;
  await proxy.commands.waitFor("EVALSHA");
  expect(asked()).toEqual(["leave"]);
  send?.();
  await waitUntil(() => events.length > 0, { what: "the release" });
  expect(events).toEqual([{ type: "lateGrantReleased", keys: ["k"] }]);
  expect(asked()).toEqual(["leave", "obtain", "leave"]);
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test("a lock that was taken before the abort but heard of after it is told of as released", async () => {
  const events: LockEvent[] = [];
  const one = locker({ onEvent: (event) => events.push(event) });
  const control = new AbortController();
  const held = proxy.silenceReplies();
  const failed = failure(one.obtain("k", 60_000, { signal: control.signal }));
  await held.happened;
  control.abort();
  await failed;
  await proxy.commands.waitFor("EVALSHA", { count: 2 });
  proxy.speak({ deliver: true });
  await waitUntil(() => events.length > 0, { what: "the release" });
  expect(events).toEqual([{ type: "lateGrantReleased", keys: ["k"] }]);
  await untilFree("k");
});

/** A client whose replies are held until `goOn` is called, once. */
function slowClient(): { slow: RedisClient; replied: () => boolean; goOn: () => void } {
  const inner = client();
  let goOn: (() => void) | undefined;
  const slow: RedisClient = {
    run: async (...command) => {
      const reply = await inner.run(...command);
      if (!goOn) await new Promise<void>((resolve) => (goOn = resolve));
      return reply;
    },
  };
  return { slow, replied: () => goOn !== undefined, goOn: () => goOn?.() };
}

const enders: [string, (locker: Locker, control: AbortController) => unknown][] = [
  ["an abort", (_, control) => control.abort()],
  ["a close", async (one) => one.close()],
];

describe.each(enders)("%s between any two steps of an obtain", (_, end) => {
  test.each(ways)("leaves a lock that is held, or none: %s", async (_way, options) => {
    for (let steps = 0; steps < 20; steps++) {
      const { slow, replied, goOn } = slowClient();
      const one = new Locker(slow);
      const control = new AbortController();
      const { signal } = control;
      const obtaining = one.obtain("k", 60_000, { ...options, signal }).catch(() => undefined);
      await waitUntil(replied, { what: "the reply" });
      goOn();
      for (let step = 0; step < steps; step++) await Promise.resolve();
      end(one, control);
      const lock = await obtaining;
      for (let turn = 0; turn < 3; turn++) await server.command("PING"); // What it sent is done.
      if (lock) {
        expect(await server.command("GET", "k")).toBe(lock.token);
        await lock.release();
      }
      await untilFree("k");
    }
  });
});

describe("close", () => {
  test.each(ways.slice(1))("ends an obtain that is %s", async (_, options) => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const one = locker();
    const failed = failure(one.obtain("k", 60_000, options));
    await proxy.commands.waitFor("EVALSHA", { count: 2 });
    await one.close();
    const error = await failed;
    expect(error).toBeInstanceOf(LockerClosedError);
    expect(error).toMatchObject({ code: "CLOSED", key: "k" });
    await waitUntil(async () => (await server.command("DBSIZE")) === 1, {
      what: "the line to be left",
    });
  });

  test("waits until the line is left that somebody gave up before", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const one = locker();
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(one.obtain("k", 60_000, { wait: Infinity, signal }));
    await untilInLine("k", 1, "told");
    await server.command("SCRIPT", "FLUSH"); // Leaving takes two commands, the second after a reply.
    control.abort();
    await failed;
    await one.close();
    expect(await server.command("DBSIZE")).toBe(1);
  });

  test("lets held locks be, and they can be refreshed and released", async () => {
    const one = locker();
    const lock = await one.obtain("k", 10_000);
    await one.close();
    expect(lock.held).toBe(true);
    await lock.refresh();
    await lock.release();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("makes everything that is asked of the locker afterwards a LockerClosedError", async () => {
    const one = locker();
    await one.close();
    await one.close();
    for (const call of [
      one.obtain("k", 10_000),
      one.tryObtain("k", 10_000),
      one.using("k", 10_000, () => 1),
      one.inspect("k"),
      one.forceRelease("k"),
    ]) {
      expect(await failure(call)).toBeInstanceOf(LockerClosedError);
    }
    expect(asked()).toEqual([]);
  });

  test("closes the connection that was opened to wait, and no other", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const one = locker();
    const failed = failure(one.obtain("k", 60_000, { wait: Infinity }));
    await proxy.commands.waitFor("SUBSCRIBE");
    expect(proxy.connections).toBe(2);
    await one.close();
    await failed;
    await waitUntil(() => proxy.connections === 1, { what: "the connection to be closed" });
  });
});
