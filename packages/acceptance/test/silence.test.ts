/** Redis gives no answer any more, and no connection breaks: as behind a firewall that drops everything. */
import { expect, test } from "@jest/globals";
import { LockLostError, OutcomeUnknownError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";

import { cast, kinds } from "./clients.js";
import { end, expectProof, realEnd, settlesWithin } from "./proof.js";
import { runs, startStage } from "./scenes.js";

const stage = await startStage();

/** The timeout of commands, and as long as a busy machine may need; less than two of them. */
const ONE_TIMEOUT = 3_500;

test.concurrent.each(cast(kinds))(
  "$name: when Redis goes silent, the holder is told at its deadline, before the key ends",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    const lock = await locker.obtain(key, 6_000, { renew: true });
    const isRenewed = (): boolean => events.some(({ type }) => type === "renewed");
    await waitUntil(isRenewed, { what: "a renewal" });
    // From here on no renewal is answered.
    await proxy.silence().happened;
    const ends = await realEnd(scene);
    const { reason, heldWhenTold, wallDeadline, early } = await end(lock);
    expect(reason).toBeInstanceOf(LockLostError);
    expect(reason).toMatchObject({ reason: "unreachable", key, cause: expect.any(Error) });
    expect(heldWhenTold).toBe(false);
    expect(lock).toMatchObject({ held: false, remaining: 0 });
    expect(early).toBe(false);
    expect(wallDeadline).toBeLessThanOrEqual(ends);
    expect(events.filter(({ type }) => type === "lost")).toHaveLength(1);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: when only the answers are lost on the way, the holder is told at its deadline",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 4_500, { renew: true });
    await proxy.silenceReplies().happened;
    const { reason, early } = await end(lock);
    expect(reason).toMatchObject({ code: "LOST", reason: "unreachable" });
    expect(early).toBe(false);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a lock that nobody renews ends at its deadline, unasked, before the key ends",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker } = scene;
    const before = performance.now();
    const lock = await locker.obtain(key, 3_000);
    const after = performance.now();
    const ends = await realEnd(scene);
    const expected = before + 3_000 - 30 - 2;
    const { reason, heldWhenTold, deadline, latest, wallDeadline, early } = await end(lock);
    expect(reason).toMatchObject({ code: "LOST", reason: "expired" });
    expect(heldWhenTold).toBe(false);
    expect(early).toBe(false);
    expect(wallDeadline).toBeLessThanOrEqual(ends);
    // Counted from before the question was sent, not from when its answer came.
    expect(latest).toBeGreaterThanOrEqual(expected);
    expect(deadline).toBeLessThanOrEqual(expected + (after - before));
  },
);

test.concurrent.each(
  cast(kinds).flatMap((kind) => [
    { ...kind, how: "with broken connections", deliver: false },
    { ...kind, how: "with all that was held up", deliver: true },
  ]),
)(
  "$name: when Redis is back $how within the lease, renewal goes on and nothing was lost",
  async ({ deliver, ...kind }) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, events } = scene;
    await using lock = await locker.obtain(key, 9_000, { renew: true });
    await proxy.silence().happened;
    proxy.speak({ deliver });
    const isRenewed = (): boolean => events.some(({ type }) => type === "renewed");
    await waitUntil(isRenewed, { what: "the renewal" });
    await expectProof(scene, lock);
    expect(lock.signal.aborted).toBe(false);
    expect(events).not.toContainEqual(expect.objectContaining({ type: "lost" }));
  },
);

test.concurrent.each(cast(kinds))(
  "$name: when Redis is back after the lease, the lock stays lost, and is renewed no more",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    const lock = await locker.obtain(key, 4_500, { renew: true });
    const told = end(lock);
    // Redis does renew it. Only nobody here knows.
    await proxy.silenceReplies().happened;
    await told;
    proxy.commands.clear();
    proxy.speak({ deliver: true });
    await waitUntil(async () => (await value()) === null, { what: "the key to expire" });
    expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
    expect(lock.held).toBe(false);
    expect(lock.signal.reason).toMatchObject({ reason: "unreachable" });
    expect(events.map(({ type }) => type)).not.toContain("renewed");
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
  },
);

test.concurrent.each(cast(kinds))(
  "$name: every call ends by its own deadline while Redis is silent, as unknown",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 60_000);
    const other = await locker.obtain(`${key} b`, 60_000);
    proxy.silence();
    const calls: Record<string, Promise<unknown>> = {
      obtain: locker.obtain(`${key} c`, 60_000),
      wait: locker.obtain(`${key} d`, 60_000, { wait: 300 }),
      poll: locker.obtain(`${key} e`, 60_000, {
        retry: () => 10,
        signal: AbortSignal.timeout(300),
      }),
      refresh: lock.refresh(),
      ttl: lock.ttl(),
      release: other.release(),
      inspect: locker.inspect(key),
      forceRelease: locker.forceRelease(key),
    };
    const inTime = Object.entries(calls).map(async ([name, call]) => {
      const settled = await settlesWithin(ONE_TIMEOUT, call);
      return [name, settled, await failure(call)];
    });
    for (const [name, settled, error] of await Promise.all(inTime)) {
      expect([name, settled]).toEqual([name, true]);
      if (name === "poll") expect(error).toMatchObject({ name: "TimeoutError" });
      else expect(error).toBeInstanceOf(OutcomeUnknownError);
    }
    // Nothing is known to be lost.
    expect(lock.held).toBe(true);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: refreshes behind a renewal that gets no answer end by their own deadline, too",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 9_000, { renew: true });
    await proxy.silence().happened;
    const refreshes = [failure(lock.refresh()), failure(lock.refresh())];
    expect(await settlesWithin(ONE_TIMEOUT, Promise.all(refreshes))).toBe(true);
    for (const error of await Promise.all(refreshes)) {
      expect(error).toBeInstanceOf(OutcomeUnknownError);
    }
    expect(lock.held).toBe(true);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a caller who gives up while Redis is silent gets the reason at once",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy } = scene;
    const silence = proxy.silence();
    const controller = new AbortController();
    const reason = new Error("the request was cancelled");
    const obtaining = failure(locker.obtain(key, 60_000, { signal: controller.signal }));
    await silence.happened;
    controller.abort(reason);
    expect(await obtaining).toBe(reason);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: renewal during a silence sends a bounded number of commands",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 1_000 });
    const { key, locker, proxy } = scene;
    const lock = await locker.obtain(key, 6_000, { renew: true });
    const told = end(lock);
    proxy.commands.clear();
    await proxy.silenceReplies().happened;
    await told;
    // A try of 1 s and a pause of a thirtieth of the ttl, for two thirds of the ttl.
    expect(proxy.commands.count(runs(scripts.refresh))).toBeLessThanOrEqual(4_000 / 1_200 + 1);
  },
);
