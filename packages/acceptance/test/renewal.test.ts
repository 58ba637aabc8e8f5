import { expect, test } from "@jest/globals";
import { scripts } from "@redislock/core/adapter";
import { waitUntil } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { expectProof } from "./proof.js";
import { runs, startStage, type Scene } from "./scenes.js";

const stage = await startStage();

const TTL = 4_500;

async function until({ events }: Scene, wanted: string, count: number = 1): Promise<void> {
  const isThere = (): boolean => events.filter(({ type }) => type === wanted).length >= count;
  await waitUntil(isThere, { what: `${count} ${wanted}` });
}

test.concurrent.each(cast(kinds))(
  "$name: a renewal that failed is followed by a good one",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, 9_000, { renew: true });
    proxy.silence();
    await until(scene, "renewalFailed");
    proxy.speak({ deliver: true });
    await until(scene, "renewed");
    await expectProof(scene, lock);
    expect(lock.signal.aborted).toBe(false);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
    await lock.release();
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release while the answer to a renewal is under way is a release, and no loss",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    const { signal } = lock;
    await proxy.silenceReplies().happened;
    proxy.commands.clear();
    const releasing = lock.release();
    await proxy.commands.waitFor(runs(scripts.release));
    proxy.speak({ deliver: true });
    await releasing;
    await expectNothingAfterwards(scene, signal);
    expect(await value()).toBeNull();
    expect(events.map(({ type }) => type)).toEqual(["obtained", "released"]);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release while a renewal has not yet reached Redis is a release, and no loss",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    const { signal } = lock;
    await proxy.silence().happened;
    proxy.commands.clear();
    const releasing = lock.release();
    await proxy.commands.waitFor(runs(scripts.release));
    proxy.speak({ deliver: true });
    await releasing;
    await expectNothingAfterwards(scene, signal);
    expect(await value()).toBeNull();
    expect(events.map(({ type }) => type)).toEqual(["obtained", "released"]);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release whose answer is under way when a renewal comes due is a release, and no rebirth",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, TTL, { renew: true });
    const { signal } = lock;
    await until(scene, "renewed");
    const held = proxy.silenceReplies();
    proxy.commands.clear();
    const releasing = lock.release();
    await held.happened;
    await wait((2 * TTL) / 3); // In which two renewals would come due.
    const { all } = proxy.commands;
    const released = all.findIndex(runs(scripts.release));
    expect(released).not.toBe(-1);
    expect(all.slice(released).filter(runs(scripts.refresh))).toEqual([]);
    proxy.speak({ deliver: true });
    await releasing;
    await expectNothingAfterwards(scene, signal);
    expect(await value()).toBeNull();
    expect(events.at(-1)).toMatchObject({ type: "released" });
  },
);

/** Neither a loss, nor a command, for longer than a renewal would take to come due. */
async function expectNothingAfterwards({ proxy }: Scene, signal: AbortSignal): Promise<void> {
  proxy.commands.clear();
  await wait(TTL / 3 + 200);
  expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
  expect(signal.aborted).toBe(false);
}

test.concurrent.each(cast(kinds))(
  "$name: a refresh by hand while a renewal is under way is one after the other",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    await using lock = await locker.obtain(key, 9_000, { renew: true });
    await proxy.silenceReplies().happened;
    const refreshing = lock.refresh(60_000);
    proxy.speak({ deliver: true });
    await refreshing;
    expect(lock.remaining).toBeGreaterThan(50_000);
    await expectProof(scene, lock);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each(cast(kinds).flatMap((kind) => [30, 40, 50].map((ttl) => ({ ...kind, ttl }))))(
  "$name: a ttl of $ttl ms is renewed by a bounded number of commands",
  async ({ ttl, ...kind }) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const before = performance.now();
    // On a busy machine so short a lease may be lost, after which nothing must be sent at all.
    const patient = { retry: () => ttl, signal: AbortSignal.timeout(20_000) };
    const lock = await locker.obtain(key, ttl, { renew: true, ...patient });
    proxy.commands.clear();
    await wait(600);
    const sent = proxy.commands.count(runs(scripts.refresh));
    const elapsed = performance.now() - before;
    // Each third of the ttl, on a grid of thirtieths.
    expect(sent).toBeLessThanOrEqual(elapsed / (ttl / 3 - ttl / 30) + 1);
    // It may be lost at any moment, also while it is given back.
    const error = await lock.release().catch((reason: unknown) => reason);
    if (error) expect(error).toMatchObject({ code: expect.stringMatching(/^(NOT_HELD|UNKNOWN)$/) });
    await locker.inspect(key); // Behind what is under way.
    proxy.commands.clear();
    await wait(3 * ttl);
    expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
  },
);

test.concurrent.each(cast(kinds.filter(({ cluster }) => !cluster)))(
  "$name: locks that come due together are renewed in one command",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    const keys = Array.from({ length: 60 }, (_, index) => `{${key}} ${index}`);
    const before = performance.now();
    const locks = await Promise.all(
      keys.map((each) => locker.obtain(each, 6_000, { renew: true })),
    );
    const elapsed = performance.now() - before;
    await until(scene, "renewed", keys.length);
    // Those that were taken within a grid of 200 ms leave as two commands, or three if they are many.
    const grids = Math.ceil(elapsed / 200) + 1;
    expect(proxy.commands.count(runs(scripts.refresh))).toBeLessThanOrEqual(3 * grids);
    expect(locks.every(({ held }) => held)).toBe(true);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
    await Promise.all(locks.map((lock) => lock.release()));
  },
);

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
