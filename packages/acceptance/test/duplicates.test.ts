import { expect, test } from "@jest/globals";
import { OutcomeUnknownError, type Script } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { expectProof } from "./proof.js";
import { runs, startStage, type Scene } from "./scenes.js";

const stage = await startStage();

/** What the client sent last to run a script arrives once more: late, and from nowhere. */
async function arrivesAgain({ proxy, server }: Scene, script: Script): Promise<void> {
  const command = proxy.commands.all.filter(runs(script)).at(-1);
  if (!command) throw new Error(`No ${script.name} was sent`);
  await server.command(...command);
}

test.concurrent.each(cast(kinds))(
  "$name: an obtain that is done twice takes the lock once, with one fencing token",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value } = scene;
    const fault = proxy.duplicateNext(runs(scripts.obtain));
    const [lock] = await Promise.all([locker.obtain(key, 10_000), fault.happened]);
    expect(await value()).toBe(lock.token);
    await expectProof(scene, lock);
    expect(await locker.inspect(key)).toMatchObject({
      holder: { fencingToken: lock.fencingToken },
    });
    await lock.release();
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))(
  "$name: an obtain that is refused twice stands in line once",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const rival = await scene.rival();
    const first = await rival.obtain(key, 10_000);
    const fault = proxy.duplicateNext(runs(scripts.obtain));
    const waiting = locker.obtain(key, 10_000, { wait: 10_000 });
    await fault.happened;
    expect(await rival.inspect(key)).toMatchObject({ waiters: 1 });
    await first.release();
    await using lock = await waiting;
    expect(await rival.inspect(key)).toMatchObject({
      waiters: 0,
      holder: { fencingToken: lock.fencingToken },
    });
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a refresh that is done twice is one refresh",
  async (kind) => {
    await using scene = await stage.open(kind);
    const lock = await scene.locker.obtain(scene.key, 5_000);
    const fault = scene.proxy.duplicateNext(runs(scripts.refresh));
    await Promise.all([lock.refresh(10_000), fault.happened]);
    await expectProof(scene, lock);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release that is done twice is never said to be of another's lock",
  async (kind) => {
    await using scene = await stage.open(kind);
    const lock = await scene.locker.obtain(scene.key, 10_000);
    const fault = scene.proxy.duplicateNext(runs(scripts.release));
    const [error] = await Promise.all([failure(lock.release()), fault.happened]);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await scene.value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))("$name: leaving the line twice leaves it once", async (kind) => {
  await using scene = await stage.open(kind);
  const { key, locker, proxy } = scene;
  const rival = await scene.rival();
  await using _ = await rival.obtain(key, 10_000);
  const fault = proxy.duplicateNext(runs(scripts.leave));
  const waiting = failure(locker.obtain(key, 10_000, { wait: 1_000 }));
  const [error] = await Promise.all([waiting, fault.happened]);
  expect(error).toMatchObject({ code: "NOT_OBTAINED" });
  expect(await rival.inspect(key)).toMatchObject({ waiters: 0 });
});

test.concurrent.each(cast(kinds))(
  "$name: a refresh that arrives after the release does not bring the lock back",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const lock = await locker.obtain(key, 10_000);
    await lock.refresh();
    await lock.release();
    await arrivesAgain(scene, scripts.refresh);
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a refresh or release that arrives late leaves the next holder alone",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const lock = await locker.obtain(key, 10_000);
    await lock.refresh(60_000);
    await lock.release();
    const rival = await scene.rival();
    const theirs = await rival.obtain(key, 10_000);
    await arrivesAgain(scene, scripts.refresh);
    await arrivesAgain(scene, scripts.release);
    await arrivesAgain(scene, scripts.refresh);
    expect(await value()).toBe(theirs.token);
    expect(await theirs.ttl()).toBeLessThanOrEqual(10_000);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: an obtain that arrives late leaves the next holder alone",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const lock = await locker.obtain(key, 60_000);
    await lock.release();
    const rival = await scene.rival();
    const theirs = await rival.obtain(key, 10_000);
    await arrivesAgain(scene, scripts.obtain);
    expect(await value()).toBe(theirs.token);
    expect(await theirs.ttl()).toBeLessThanOrEqual(10_000);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: an obtain that arrives after its release blocks the key for one ttl at most",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server, nameInRedis } = scene;
    const lock = await locker.obtain(key, 2_000);
    await lock.release();
    await arrivesAgain(scene, scripts.obtain);
    expect(Number(await server.command("PTTL", nameInRedis))).toBeLessThanOrEqual(2_000);
    expect(lock.held).toBe(false);
    await using next = await locker.obtain(key, 10_000, { wait: 10_000 });
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  },
);
