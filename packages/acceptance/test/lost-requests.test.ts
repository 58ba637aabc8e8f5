import { expect, test } from "@jest/globals";
import { scripts } from "@redislock/core/adapter";
import { waitUntil } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { expectProof } from "./proof.js";
import { runs, startStage } from "./scenes.js";

const stage = await startStage();

test.concurrent.each(cast(kinds))(
  "$name: an obtain that never reached Redis is asked again",
  async (kind) => {
    await using scene = await stage.open(kind);
    const fault = scene.proxy.swallowNextRequest(runs(scripts.obtain));
    const [lock] = await Promise.all([scene.locker.obtain(scene.key, 10_000), fault.happened]);
    await expectProof(scene, lock);
    expect(await scene.value()).toBe(lock.token);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a refresh that never reached Redis is asked again",
  async (kind) => {
    await using scene = await stage.open(kind);
    const lock = await scene.locker.obtain(scene.key, 5_000);
    const fault = scene.proxy.swallowNextRequest(runs(scripts.refresh));
    await Promise.all([lock.refresh(10_000), fault.happened]);
    expect(lock.remaining).toBeGreaterThan(5_000);
    await expectProof(scene, lock);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release that never reached Redis is asked again",
  async (kind) => {
    await using scene = await stage.open(kind);
    const lock = await scene.locker.obtain(scene.key, 10_000);
    const fault = scene.proxy.swallowNextRequest(runs(scripts.release));
    await Promise.all([lock.release(), fault.happened]);
    expect(await scene.value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a renewal that never reached Redis loses nothing",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    await using lock = await locker.obtain(key, 9_000, { renew: true });
    await proxy.swallowNextRequest(runs(scripts.refresh)).happened;
    await waitUntil(() => events.some(({ type }) => type === "renewed"), { what: "the renewal" });
    await expectProof(scene, lock);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each(cast(kinds))(
  "$name: connections that break all the time lose no lock",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    await using lock = await locker.obtain(key, 9_000, { renew: true });
    for (let renewals = 1; renewals <= 3; renewals++) {
      await proxy.cutAll();
      const isRenewed = (): boolean =>
        events.filter(({ type }) => type === "renewed").length >= renewals;
      await waitUntil(isRenewed, { what: `renewal ${renewals}` });
    }
    await expectProof(scene, lock);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each(cast(kinds))(
  "$name: replies in pieces of one byte are understood",
  async (kind) => {
    await using scene = await stage.open(kind);
    scene.proxy.slice(1);
    const lock = await scene.locker.obtain(scene.key, 10_000);
    await lock.refresh();
    await lock.release();
    expect(await scene.value()).toBeNull();
  },
);
