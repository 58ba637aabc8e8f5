/** Redis no longer has what it was given. */
import { expect, test } from "@jest/globals";
import { LockLostError, type Lock } from "@redislock/core";
import { failure, redisCli, waitUntil } from "@redislock/test-kit";
import { once } from "node:events";

import { cast, kinds } from "./clients.js";
import { loadScripts, startStage } from "./scenes.js";

const stage = await startStage();

/** Renewed every two seconds: so it takes that long until its holder hears. */
const TTL = 6_000;

async function lossOf({ signal }: Lock): Promise<unknown> {
  if (!signal.aborted) await once(signal, "abort");
  expect(signal.reason).toBeInstanceOf(LockLostError);
  return signal.reason;
}

test.concurrent.each(cast(kinds))(
  "$name: a lock whose key was deleted is lost at the next renewal, and not made anew",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server, nameInRedis, value, events } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    await server.command("DEL", nameInRedis);
    expect(await lossOf(lock)).toMatchObject({ reason: "deleted", key });
    expect(lock.held).toBe(false);
    expect(await value()).toBeNull();
    expect(events.at(-1)).toMatchObject({ type: "lost", error: { reason: "deleted" } });
    await locker.using(key, TTL, () => undefined);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a lock that another took over is lost at the next renewal, and theirs left alone",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const rival = await scene.rival();
    const lock = await locker.obtain(key, TTL, { renew: true });
    await rival.forceRelease(key);
    const theirs = await rival.obtain(key, 30_000);
    expect(await lossOf(lock)).toMatchObject({ reason: "taken" });
    expect(theirs.fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(await failure(lock.release())).toMatchObject({ code: "NOT_HELD" });
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
    expect(await value()).toBe(theirs.token);
    expect(await theirs.ttl()).toBeGreaterThan(20_000);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a lock that Redis ended too early, as after a jump of its clock, is lost at the next renewal",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server, nameInRedis, value } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    await server.command("PEXPIRE", nameInRedis, "1");
    expect(await lossOf(lock)).toMatchObject({ reason: "deleted" });
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a key that became something else than a lock is lost at the next renewal, and left alone",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server, nameInRedis } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    await server.command("DEL", nameInRedis);
    await server.command("HSET", nameInRedis, "field", "value");
    expect(await lossOf(lock)).toMatchObject({ reason: "taken" });
    await failure(lock.release());
    expect(await server.command("HGET", nameInRedis, "field")).toBe("value");
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a lock whose ttl someone took away ends by its holder's own clock all the same",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server, nameInRedis } = scene;
    const lock = await locker.obtain(key, 6_000);
    // An obtain that took long is followed by a refresh, which would give the key a ttl again if it came
    // later. One by hand comes after it.
    await lock.refresh();
    expect(await redisCli(server.port, "PERSIST", nameInRedis)).toBe("1");
    expect(await lock.ttl()).toBe(Infinity);
    expect(await lossOf(lock)).toMatchObject({ reason: "expired" });
    const rival = await scene.rival();
    expect(await failure(rival.obtain(key, 1_000))).toMatchObject({
      holder: { remaining: Infinity },
    });
  },
);

test("SCRIPT FLUSH at any moment is not noticed", async () => {
  await using all = await stage.openAll();
  let over = false;
  const flushing = (async (): Promise<void> => {
    while (!over) {
      for (const server of stage.servers) await server.command("SCRIPT", "FLUSH");
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  })();
  try {
    await all.each(async ({ key, locker, events, value }) => {
      await using renewed = await locker.obtain(`${key} b`, 6_000, { renew: true });
      for (let i = 0; i < 20; i++) {
        const lock = await locker.obtain(key, 10_000);
        expect(await locker.tryObtain(key, 10_000)).toBeNull();
        await lock.refresh();
        expect(await lock.ttl()).toBeGreaterThan(0);
        await lock.release();
        expect(await value()).toBeNull();
      }
      const isRenewed = (): boolean => events.some(({ type }) => type === "renewed");
      await waitUntil(isRenewed, { what: "the renewal" });
      expect(renewed.held).toBe(true);
      expect(events.map(({ type }) => type)).not.toContain("renewalFailed");
    });
  } finally {
    over = true;
    await flushing;
    for (const server of stage.servers) await loadScripts(server);
  }
});

test.each([
  [
    "FLUSHALL",
    async (): Promise<void> => {
      for (const server of stage.servers) await server.command("FLUSHALL");
    },
  ],
  ["a restart with an empty memory", (): Promise<void> => stage.restart({ empty: true })],
])(
  "after %s every lock is lost, and fencing tokens go on rising",
  async (_, happen) => {
    await using all = await stage.openAll();
    // Long enough for a cluster to come back.
    const locks = await all.each(({ key, locker }) => locker.obtain(key, 18_000, { renew: true }));
    await happen();
    for (const lock of locks) expect(await lossOf(lock)).toMatchObject({ reason: "deleted" });
    await all.each(async ({ key, locker, value }) => {
      expect(await value()).toBeNull();
      const [before] = locks.filter((lock) => lock.key === key);
      await using next = await locker.obtain(key, 10_000);
      expect(next.fencingToken).toBeGreaterThan(before?.fencingToken ?? Infinity);
    });
  },
  60_000,
);

test("a restart that keeps the data keeps the locks", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ key, locker }) => locker.obtain(key, 20_000));
  await stage.restart({ empty: false });
  await all.each(async ({ key, value, rival }) => {
    const [lock] = locks.filter((one) => one.key === key);
    expect(await value()).toBe(lock?.token);
    await lock?.refresh();
    expect(lock?.held).toBe(true);
    expect(await (await rival()).tryObtain(key, 10_000)).toBeNull();
    await lock?.release();
  });
});

test("a lock that was evicted because memory was full is lost at the next renewal", async () => {
  await using all = await stage.openAll();
  const locks = await all.each(({ key, locker }) => locker.obtain(key, TTL, { renew: true }));
  for (const server of stage.servers) {
    await server.command("CONFIG", "SET", "maxmemory-policy", "volatile-ttl");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    // The next command that needs memory makes room first.
    await failure(server.command("SET", "something else", "value"));
  }
  const losses = await Promise.all(locks.map(lossOf));
  for (const server of stage.servers) {
    await server.command("CONFIG", "SET", "maxmemory", "0");
    await server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
  }
  for (const loss of losses) expect(loss).toMatchObject({ reason: "deleted" });
});
