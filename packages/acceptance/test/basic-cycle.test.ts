import { expect, test } from "@jest/globals";
import { LockNotHeldError, NotALockError, NotObtainedError } from "@redislock/core";
import { failure, redisCli, waitUntil } from "@redislock/test-kit";

import { cast, kinds, variants, type Kind } from "./clients.js";
import { startStage } from "./scenes.js";

const all = [...kinds, ...variants];
/** For what has nothing to do with settings. */
const some = (): readonly Kind[] => [...cast(kinds), ...cast(variants)];
const stage = await startStage({}, all);

test.concurrent.each(all)(
  "$name: takes a lock, keeps others out, refreshes it and gives it back",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const rival = await scene.rival();

    const lock = await locker.obtain(key, 10_000, { metadata: "me" });
    expect(lock.held).toBe(true);
    expect(await value()).toBe(`${lock.token}me`);
    expect(await rival.tryObtain(key, 10_000)).toBeNull();
    expect(await failure(rival.obtain(key, 10_000))).toBeInstanceOf(NotObtainedError);
    expect(await rival.inspect(key)).toMatchObject({
      holder: { metadata: "me", fencingToken: lock.fencingToken },
      waiters: 0,
    });

    const { remaining } = lock;
    expect(remaining).toBeLessThanOrEqual(10_000 - 100 - 2);
    await lock.refresh(60_000);
    expect(await lock.ttl()).toBeGreaterThan(50_000);
    expect(await lock.ttl()).toBeLessThanOrEqual(60_000);

    await lock.release();
    expect(await value()).toBeNull();
    expect(lock.held).toBe(false);
    expect(await lock.ttl()).toBe(0);
    expect(await failure(lock.release())).toBeInstanceOf(LockNotHeldError);
    expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);

    const next = await rival.obtain(key, 10_000);
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(await rival.forceRelease(key)).toBe(true);
    expect(await rival.forceRelease(key)).toBe(false);
  },
);

test.concurrent.each(some())(
  "$name: asks once to take a lock, and once to give it back",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, asked } = scene;
    proxy.commands.clear();
    // A ttl of which no answer takes so much that the lease has to be completed.
    const lock = await locker.obtain(key, 300_000);
    await lock.release();
    expect(asked()).toEqual(["obtain", "release"]);
    expect(proxy.commands.count((command) => command[0]?.startsWith("EVAL") ?? false)).toBe(2);
  },
);

test.concurrent.each(all)("$name: hands a lock to who waits for it", async (kind) => {
  await using scene = await stage.open(kind);
  const { key, locker } = scene;
  const holder = await scene.rival();
  const lock = await holder.obtain(key, 10_000);
  const waiting = locker.obtain(key, 10_000, { wait: 10_000 });
  await waitUntil(async () => (await holder.inspect(key)).waiters === 1, {
    what: "it to stand in line",
  });
  await lock.release();
  await using next = await waiting;
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
});

test.concurrent.each(some())(
  "$name: keeps a lock for as long as a function runs, and returns its result",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value, events } = scene;
    const result = await locker.using(key, 6_000, async (lock) => {
      await waitUntil(() => events.filter(({ type }) => type === "renewed").length >= 2, {
        what: "two renewals",
      });
      expect(lock.held).toBe(true);
      return [await value(), lock.token];
    });
    expect(result[0]).toBe(result[1]);
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(some())("$name: takes names that are odd as they are", async (kind) => {
  await using scene = await stage.open(kind);
  const { key, locker, server } = scene;
  for (const odd of ["\r\n", "\0", "*?[a]", "'\"\\", "{}", "}{", "🔒", "__proto__", "é"]) {
    const name = `${odd}${key}`;
    const lock = await locker.obtain(name, 10_000);
    expect(await locker.tryObtain(name, 10_000)).toBeNull();
    if (kind.db === 0) {
      expect(await server.command("GET", kind.prefix + name)).toBe(lock.token);
    }
    await lock.release();
  }
});

test.concurrent.each(some())(
  "$name: says at once that a key holds something else than a lock",
  async (kind) => {
    await using scene = await stage.open(kind);
    if (kind.db === 0) await scene.server.command("HSET", scene.nameInRedis, "field", "value");
    else await redisCli(scene.server.port, "-n", `${kind.db}`, "HSET", scene.key, "field", "value");
    const obtaining = scene.locker.obtain(scene.key, 10_000, { wait: 10_000 });
    expect(await failure(obtaining)).toBeInstanceOf(NotALockError);
  },
);

test("every kind of client keeps every other out", async () => {
  const standalone = kinds.filter(({ cluster }) => !cluster);
  const users = await Promise.all(standalone.map(({ connect }) => connect(stage.server.port)));
  const lockers = users.map((user) => user.locker());
  for (const locker of lockers) {
    await using lock = await locker.obtain("shared by all", 10_000);
    const others = lockers.filter((other) => other !== locker);
    const tries = await Promise.all(others.map((other) => other.tryObtain(lock.key, 10_000)));
    expect(tries).toEqual(others.map(() => null));
  }
  await Promise.all(lockers.map((locker) => locker.close()));
  for (const user of users) user.destroy();
});

test("a lock that another program set with SET NX PX is respected, and respects ours", async () => {
  await using scene = await stage.open(kinds[0] ?? fail());
  const { key, locker, server } = scene;
  const set = (): Promise<string> =>
    redisCli(server.port, "SET", key, "a token of theirs", "NX", "PX", "10000");
  expect(await set()).toBe("OK");
  expect(await locker.tryObtain(key, 10_000)).toBeNull();
  expect(await failure(locker.obtain(key, 10_000))).toMatchObject({
    holder: { metadata: undefined, fencingToken: undefined },
  });
  await redisCli(server.port, "DEL", key);
  await using lock = await locker.obtain(key, 10_000);
  expect(lock.held).toBe(true);
  expect(await set()).toBe("");
});

function fail(): never {
  throw new Error("There are no kinds");
}
