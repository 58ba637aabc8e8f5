import { describe, expect, test } from "@jest/globals";

import { companion, failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { Locker, type RedisClient } from "../src/index.js";
import { scripts } from "../src/adapter.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, untilInLine } = await startRedis();

const token = "job-1:0123456789";

test("asking again with one's own token is a success, with the same fencing token", async () => {
  const first = await locker().obtain("k", 10_000, { token, metadata: "m" });
  const again = await locker().obtain("k", 60_000, { token, metadata: "m" });
  expect(again.token).toBe(token);
  expect(again.fencingToken).toBe(first.fencingToken);
  expect(await server.command("PTTL", "k")).toBeGreaterThan(10_000);
});

test("so it is for several keys at once", async () => {
  const first = await locker().obtain(["a", "b"], 10_000, { token });
  const again = await locker().obtain(["b", "a"], 10_000, { token });
  expect(again.fencingToken).toBe(first.fencingToken);
});

test("asking again after the release is a new grant", async () => {
  const first = await locker().obtain("k", 10_000, { token });
  await first.release();
  const again = await locker().obtain("k", 10_000, { token });
  expect(again.fencingToken).toBeGreaterThan(first.fencingToken);
});

test.each([
  ["a token that begins with it", "job-1:0123456789abcdef"],
  ["a token that begins like it", token, "job-1:0123456789abcdef"],
  ["a token of other case", "JOB-1:0123456789"],
])("%s does not take the lock over", async (_, other, held = token) => {
  await locker().obtain("k", 10_000, { token: held });
  expect(await locker().tryObtain("k", 10_000, { token: other })).toBeNull();
  expect(await server.command("GET", "k")).toBe(held);
});

test.each([
  ["other metadata", "one", "another"],
  ["metadata where there was none", "", "m"],
  ["no metadata where there was some", "m", ""],
  ["metadata that begin alike", "one", "one more"],
])("the same token with %s is a no", async (_, held, asked) => {
  await locker().obtain("k", 10_000, { token, metadata: held });
  expect(await locker().tryObtain("k", 10_000, { token, metadata: asked })).toBeNull();
});

test("a token whose end is another's metadata does not take the lock over", async () => {
  // Both write the same bytes into the key.
  const held = await locker().obtain("k", 10_000, { token, metadata: "abc" });
  expect(await locker().tryObtain("k", 10_000, { token: `${token}abc` })).toBeNull();
  await held.release();
});

test("metadata of any script are kept apart from the token", async () => {
  await locker().obtain("k", 10_000, { token, metadata: "данные 🔒\r\n\0" });
  expect(await server.command("GET", "k")).toBe(`${token}данные 🔒\r\n\0`);
  expect(await locker().inspect("k")).toMatchObject({ holder: { metadata: "данные 🔒\r\n\0" } });
});

/** Redis has left nothing to do for a locker: what it sent before this has been answered. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await server.command("PING");
    await sleep(5);
  }
}

describe("two calls with one own token: giving up the second frees nothing of the first", () => {
  test("when both wait, the first is granted, and the second times out", async () => {
    const held = await locker().obtain("k", 10_000);
    const first = locker().obtain("k", 10_000, { token, wait: 10_000 });
    await untilInLine("k", 1, "told");
    const clock = new VirtualClock();
    const second = failure(locker({ clock }).obtain("k", 10_000, { token, wait: 300 }));
    await untilInLine("k", 2, "told");
    await held.release();
    const lock = await first;
    await clock.until(second);
    await settled();
    expect(await server.command("GET", "k")).toBe(token);
    expect(await locker().tryObtain("k", 10_000)).toBeNull();
    await lock.refresh();
    await lock.release();
  });

  test.each([
    [
      "is aborted",
      async (_: Locker, control: AbortController) => {
        control.abort(new Error("enough"));
      },
    ],
    ["is closed", (one: Locker) => one.close()],
  ])("when the second %s while its reply is on its way", async (_, end) => {
    const first = await locker().obtain("k", 10_000, { token });
    const one = locker();
    await one.inspect("k"); // It is connected.
    const control = new AbortController();
    proxy.silence();
    const second = failure(one.obtain("k", 10_000, { token, signal: control.signal }));
    const ended = end(one, control);
    await second;
    await proxy.heal();
    await ended;
    await settled();
    expect(await server.command("GET", "k")).toBe(token);
    await first.refresh();
    await first.release();
  });

  test("when the reply to the second is lost, and it stays unknown", async () => {
    const first = await locker().obtain("k", 10_000, { token });
    const one = locker({ commandTimeout: 1_000 });
    proxy.dropNextReply("EVALSHA");
    proxy.dropNextReply("EVALSHA");
    await Promise.allSettled([one.obtain("k", 10_000, { token })]);
    await settled();
    expect(await server.command("GET", "k")).toBe(token);
    await first.release();
  });

  test("nor what the first took, if it gives up after the second was told that it has the lock", async () => {
    const inner = client();
    let answer: () => void = () => undefined;
    const slow: RedisClient = {
      run: async (...command) => {
        const reply = await inner.run(...command);
        if (command[0].name === "obtain") await new Promise<void>((resolve) => (answer = resolve));
        return reply;
      },
    };
    const control = new AbortController();
    const first = failure(new Locker(slow).obtain("k", 10_000, { token, signal: control.signal }));
    await proxy.commands.waitFor("EVALSHA");
    await settled();
    const second = await locker().obtain("k", 10_000, { token });
    control.abort(new Error("enough"));
    await first;
    answer();
    await settled();
    expect(await server.command("GET", "k")).toBe(token);
    await second.refresh();
    await second.release();
  });

  test("but what one call alone took is given back when it gives up", async () => {
    const one = locker();
    await one.inspect("k");
    const control = new AbortController();
    proxy.silence();
    const given = failure(one.obtain("k", 10_000, { token, signal: control.signal }));
    control.abort(new Error("enough"));
    await given;
    await proxy.heal();
    await settled();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

describe("a later lock of the same bytes", () => {
  test.each([
    ["the same token", { token: `${token}abc` }],
    ["another split of token and metadata", { token, metadata: "abc" }],
  ])("with %s is not ended by a late copy of a release", async (_, later) => {
    const first = await locker().obtain("k", 10_000, { token: `${token}abc` });
    let copy: (() => Promise<unknown>) | undefined;
    const inner = client();
    const one = new Locker({
      run: (script, keys, args) => {
        if (script === scripts.release) copy = () => inner.run(script, keys, args);
        return inner.run(script, keys, args);
      },
    });
    const again = await one.obtain("k", 10_000, { token: `${token}abc` });
    await again.release();
    await failure(first.release());
    const second = await locker().obtain("k", 10_000, later);
    await copy?.();
    expect(await server.command("GET", "k")).toBe(`${token}abc`);
    await second.refresh();
    await second.release();
  });

  test("is not taken for one's own by a refresh, nor by ttl", async () => {
    const lost = await locker().obtain("k", 10_000, { token: `${token}abc` });
    await server.command("DEL", "k");
    const other = await locker().obtain("k", 10_000, { token, metadata: "abc" });
    const before = Number(await server.command("PTTL", "k"));
    await failure(lost.refresh(60_000));
    expect(lost.held).toBe(false);
    expect(await lost.ttl()).toBe(0);
    expect(Number(await server.command("PTTL", "k"))).toBeLessThanOrEqual(before);
    await other.release();
  });

  test("is not ended by the release of one that was lost", async () => {
    const lost = await locker().obtain("k", 10_000, { token: `${token}abc` });
    await server.command("DEL", "k");
    const other = await locker().obtain("k", 10_000, { token, metadata: "abc" });
    await failure(lost.release());
    expect(await server.command("GET", "k")).toBe(`${token}abc`);
    await other.release();
  });
});

test.each([{}, { mode: "shared" }] as const)(
  "who takes over a lock that was refreshed for less, with its token, has what its own refresh says (%j)",
  async (options) => {
    const left = async (): Promise<number> => Number(await server.command("PTTL", "k"));
    const crashed = await locker().obtain("k", 10_000, { token, ...options });
    for (let refreshes = 0; refreshes < 3; refreshes++) await crashed.refresh(500);
    const lock = await locker().obtain("k", 2_000, { token, ...options });
    await waitUntil(async () => (await left()) < 1_500, { what: "a part of the lease to be over" });
    await lock.refresh(1_900);
    expect(await left()).toBeGreaterThan(1_500);
    await lock.release();
  },
);

test("a waiter that finds the lock to be its own leaves the line, so that no ghost is granted it later", async () => {
  const held = await locker().obtain("k", 10_000);
  const first = locker().obtain("k", 10_000, { token, wait: 10_000 });
  await untilInLine("k", 1, "told");
  const second = locker().obtain("k", 600, { token, wait: 10_000 });
  await untilInLine("k", 2, "told");
  await held.release();
  const lock = await first;
  await second; // It checks in after half its ttl.
  expect(await server.command("EXISTS", companion("k", "line"), companion("k", "waiters"))).toBe(0);
  await lock.release();
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test("several keys that were taken one by one can be asked for together, and released", async () => {
  const one = locker();
  await one.obtain("a", 10_000, { token });
  const b = await one.obtain("b", 10_000, { token });
  const both = await one.obtain(["a", "b"], 10_000, { token });
  expect(both.fencingToken).toBe(b.fencingToken);
  await both.refresh();
  await both.release();
  expect(await server.command("EXISTS", "a", "b")).toBe(0);
});
