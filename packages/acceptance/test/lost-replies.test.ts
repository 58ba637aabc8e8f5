import { expect, test } from "@jest/globals";
import { OutcomeUnknownError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";

import { cast, ioredis, ioredisCluster, kinds, nodeRedis } from "./clients.js";
import { expectProof } from "./proof.js";
import { loadScripts, runs, startStage } from "./scenes.js";

const stage = await startStage();

/** Settings that change what a client does with a command that was cut off. */
const settings = ([5, 6] as const).flatMap((major) => [
  ioredis(major, { maxRetriesPerRequest: 0 }, "with maxRetriesPerRequest 0"),
  ioredis(major, { maxRetriesPerRequest: 1 }, "with maxRetriesPerRequest 1"),
  ioredis(major, { maxRetriesPerRequest: null }, "with maxRetriesPerRequest null"),
  ioredis(major, { enableOfflineQueue: false }, "without an offline queue"),
  ioredis(major, { enableAutoPipelining: true }, "with enableAutoPipelining"),
  ioredisCluster(major, { autoResendUnfulfilledCommands: false }, "that should not send again"),
  nodeRedis(major, { disableOfflineQueue: true }, "without an offline queue"),
]);

const neverSettling = ([5, 6] as const).map((major) =>
  ioredis(major, { autoResendUnfulfilledCommands: false }, "that never settles what was cut off"),
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: an obtain whose reply is lost is a success all the same",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value } = scene;
    const rival = await scene.rival();
    const fault = proxy.dropNextReply(runs(scripts.obtain));
    const [lock] = await Promise.all([locker.obtain(key, 10_000), fault.happened]);
    expect(proxy.commands.count(runs(scripts.obtain))).toBe(2);
    expect(await value()).toBe(lock.token);
    await expectProof(scene, lock);
    // The fencing token is that of the first time, so that what was written with it stays valid.
    expect(await rival.inspect(key)).toMatchObject({ holder: { fencingToken: lock.fencingToken } });
    expect(await rival.tryObtain(key, 10_000)).toBeNull();
    await lock.release();
    expect(await value()).toBeNull();
  },
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: a refresh whose reply is lost is a success all the same",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, 5_000);
    const fault = proxy.dropNextReply(runs(scripts.refresh));
    await Promise.all([lock.refresh(10_000), fault.happened]);
    expect(lock.remaining).toBeGreaterThan(5_000);
    await expectProof(scene, lock);
    expect(await value()).toBe(lock.token);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: a renewal whose reply is lost loses nothing",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    await using lock = await locker.obtain(key, 9_000, { renew: true });
    await proxy.dropNextReply(runs(scripts.refresh)).happened;
    await waitUntil(() => events.some(({ type }) => type === "renewed"), { what: "the renewal" });
    await expectProof(scene, lock);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: a release whose reply is lost is unknown, never said to be of another's lock",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value } = scene;
    const lock = await locker.obtain(key, 10_000);
    const fault = proxy.dropNextReply(runs(scripts.release));
    const [error] = await Promise.all([failure(lock.release()), fault.happened]);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ operation: "release", key });
    expect(await value()).toBeNull();
    expect(await locker.tryObtain(key, 10_000)).not.toBeNull();
  },
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: a question for the ttl whose reply is lost is asked again",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 10_000);
    const fault = proxy.dropNextReply(runs(scripts.ttl));
    const [left] = await Promise.all([lock.ttl(), fault.happened]);
    expect(left).toBeGreaterThan(0);
    expect(lock.held).toBe(true);
  },
);

test.concurrent.each([...cast(kinds), ...cast(settings)])(
  "$name: a waiter whose reply is lost keeps one place in line",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const rival = await scene.rival();
    const first = await rival.obtain(key, 10_000);
    const fault = proxy.dropNextReply(runs(scripts.obtain));
    const waiting = locker.obtain(key, 10_000, { wait: 10_000 });
    await fault.happened;
    await proxy.commands.waitFor(runs(scripts.obtain), { count: 2 });
    expect(await rival.inspect(key)).toMatchObject({ waiters: 1 });
    await first.release();
    await using lock = await waiting;
    expect(lock.fencingToken).toBeGreaterThan(first.fencingToken);
    expect(await rival.inspect(key)).toMatchObject({ waiters: 0 });
  },
);

// One after the other, for they empty the cache of the server that all use.
test.each(cast(kinds))(
  "$name: a connection that breaks while a script's text is sent, its hash being unknown, loses nothing",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, server, value } = scene;
    for (const how of ["the reply is lost", "it never arrives"]) {
      await server.command("SCRIPT", "FLUSH");
      const fault =
        how === "it never arrives" ? proxy.swallowNextRequest("EVAL") : proxy.dropNextReply("EVAL");
      const [lock] = await Promise.all([locker.obtain(key, 10_000), fault.happened]);
      expect(await value()).toBe(lock.token);
      await expectProof(scene, lock);
      await lock.release();
      expect(await value()).toBeNull();
    }
    await loadScripts(server);
  },
);

test.concurrent.each(neverSettling)(
  "$name: an obtain that is never settled is unknown at our own deadline, and leaves nothing",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 1_500 });
    const { key, locker, proxy, value } = scene;
    const fault = proxy.dropNextReply(runs(scripts.obtain));
    const [error] = await Promise.all([failure(locker.obtain(key, 60_000)), fault.happened]);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await waitUntil(async () => (await value()) === null, { what: "the lock to be given back" });
  },
);

test.concurrent.each(neverSettling)(
  "$name: a refresh that is never settled is unknown, and the lock held on",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 1_500 });
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 10_000);
    const fault = proxy.dropNextReply(runs(scripts.refresh));
    const [error] = await Promise.all([failure(lock.refresh()), fault.happened]);
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "refresh" });
    await expectProof(scene, lock);
    await lock.refresh();
    await lock.release();
  },
);

test.concurrent.each(neverSettling)(
  "$name: a release that is never settled is unknown",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 1_500 });
    const { key, locker, proxy, value } = scene;
    const lock = await locker.obtain(key, 10_000);
    const fault = proxy.dropNextReply(runs(scripts.release));
    const [error] = await Promise.all([failure(lock.release()), fault.happened]);
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "release" });
    expect(await value()).toBeNull();
  },
);
