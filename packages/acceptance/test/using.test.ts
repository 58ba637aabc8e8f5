import { expect, test } from "@jest/globals";
import { LockLostError, NotObtainedError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";
import { getEventListeners, once } from "node:events";

import { cast, kinds } from "./clients.js";
import { runs, startStage, type Scene } from "./scenes.js";

const stage = await startStage();

const TTL = 3_000;

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function renewals({ events }: Scene, count: number): Promise<void> {
  const isThere = (): boolean => events.filter(({ type }) => type === "renewed").length >= count;
  await waitUntil(isThere, { what: `${count} renewals` });
}

/** No command is sent for longer than a renewal would take to come due. */
async function expectQuiet({ proxy }: Scene): Promise<void> {
  proxy.commands.clear();
  await wait(TTL / 3 + 200);
  expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
  expect(proxy.commands.count(runs(scripts.release))).toBe(0);
}

test.concurrent.each(cast(kinds))(
  "$name: using returns what the function returns, and leaves nothing behind",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value, events } = scene;
    const { signal } = new AbortController();
    const result = await locker.using(key, TTL, { signal }, async (lock) => {
      await renewals(scene, 1);
      expect(lock.held).toBe(true);
      return lock;
    });
    expect(await value()).toBeNull();
    await expectQuiet(scene);
    expect(result.held).toBe(false);
    expect(result.signal.aborted).toBe(false);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
    expect(events.at(-1)).toMatchObject({ type: "released" });
  },
);

test.concurrent.each(cast(kinds))(
  "$name: using throws what the function throws, and releases the lock",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value } = scene;
    const reason = new Error("mine");
    const throwing = (): never => {
      throw reason;
    };
    expect(await failure(locker.using(key, TTL, throwing))).toBe(reason);
    expect(await value()).toBeNull();
    expect(await failure(locker.using(key, TTL, () => Promise.reject(reason)))).toBe(reason);
    expect(await value()).toBeNull();
    await expectQuiet(scene);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: await using throws what the block throws, though the release fails",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 500 });
    const { key, locker, proxy, events } = scene;
    const patient = { retry: () => 50, signal: AbortSignal.timeout(10_000) };
    const reason = new Error("mine");
    const block = async (): Promise<void> => {
      await using lock = await locker.obtain(key, 60_000, patient);
      expect(lock.held).toBe(true);
      proxy.silence();
      throw reason;
    };
    expect(await failure(block())).toBe(reason);
    expect(events.at(-1)).toMatchObject({ type: "releaseFailed", error: { code: "UNKNOWN" } });
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release that fails hides neither the result nor the error of the function",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 500 });
    const { key, locker, proxy, events } = scene;
    const patient = { retry: () => 50, signal: AbortSignal.timeout(10_000) };
    const result = await locker.using(`${key} a`, 60_000, patient, () => {
      proxy.silence();
      return "the result";
    });
    expect(result).toBe("the result");
    proxy.speak({ deliver: true });

    const reason = new Error("mine");
    const error = await failure(
      locker.using(`${key} b`, 60_000, patient, () => {
        proxy.silence();
        throw reason;
      }),
    );
    expect(error).toBe(reason);
    proxy.speak({ deliver: true });
    const failed = events.filter(({ type }) => type === "releaseFailed");
    expect(failed).toHaveLength(2);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a release whose reply is lost hides neither the result nor the error of the function",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value, events } = scene;
    let fault = proxy.dropNextReply(runs(scripts.release));
    expect(await locker.using(key, TTL, () => "the result")).toBe("the result");
    await fault.happened;
    fault = proxy.dropNextReply(runs(scripts.release));
    const reason = new Error("mine");
    expect(await failure(locker.using(key, TTL, () => Promise.reject(reason)))).toBe(reason);
    await fault.happened;
    expect(await value()).toBeNull();
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "releaseFailed",
        error: expect.objectContaining({ code: "UNKNOWN" }),
      }),
    );
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a loss aborts the signal at once, and is what using rejects with after the function has ended",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server } = scene;
    let ended = false;
    const error = await failure(
      locker.using(key, TTL, async ({ signal }) => {
        await server.command("DEL", key);
        if (!signal.aborted) await once(signal, "abort");
        expect(signal.reason).toBeInstanceOf(LockLostError);
        await wait(50);
        ended = true;
        return "a result of work that was not protected";
      }),
    );
    expect(ended).toBe(true);
    expect(error).toBeInstanceOf(LockLostError);
    expect(error).toMatchObject({ reason: "deleted", key });
    await expectQuiet(scene);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: after a loss, what the function throws is what using rejects with",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, server } = scene;
    const reason = new Error("mine");
    const error = await failure(
      locker.using(key, TTL, async ({ signal }) => {
        await server.command("DEL", key);
        if (!signal.aborted) await once(signal, "abort");
        throw reason;
      }),
    );
    expect(error).toBe(reason);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: after the caller has cancelled, the lock is kept until the function has ended, then released",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, value, events } = scene;
    const controller = new AbortController();
    const { signal } = controller;
    const result = await locker.using(key, TTL, { signal }, async (lock) => {
      controller.abort(new Error("the user has left"));
      const before = events.length;
      await renewals(scene, 3);
      expect(events.length).toBeGreaterThan(before);
      expect(lock.held).toBe(true);
      expect(lock.signal.aborted).toBe(false);
      expect(await value()).toBe(lock.token);
      return "tidied up";
    });
    expect(result).toBe("tidied up");
    expect(await value()).toBeNull();
    await expectQuiet(scene);
  },
);

test.concurrent.each(cast(kinds))("$name: a function is not run without the lock", async (kind) => {
  await using scene = await stage.open(kind);
  const { key, locker, proxy, anotherLocker } = scene;
  let runs = 0;
  const run = (): void => {
    runs++;
  };
  const rival = await scene.rival();
  await using _ = await rival.obtain(key, 60_000);
  expect(await failure(locker.using(key, TTL, run))).toBeInstanceOf(NotObtainedError);
  const reason = new Error("the user has left");
  const gone = { signal: AbortSignal.abort(reason) };
  expect(await failure(locker.using(`${key} b`, TTL, gone, run))).toBe(reason);
  proxy.silence();
  const impatient = anotherLocker({ commandTimeout: 200 });
  const error = await failure(impatient.using(`${key} c`, TTL, run));
  expect(error).toMatchObject({ code: "UNKNOWN" });
  expect(runs).toBe(0);
});

test.concurrent.each(cast(kinds))(
  "$name: a lock that is disposed of twice, or after its release, is released once",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, asked, events } = scene;
    const lock = await locker.obtain(key, TTL);
    await Promise.all([lock[Symbol.asyncDispose](), lock[Symbol.asyncDispose]()]);
    await lock[Symbol.asyncDispose]();
    const other = await locker.obtain(key, TTL);
    await other.release();
    await other[Symbol.asyncDispose]();
    expect(asked().filter((name) => name === "release")).toHaveLength(2);
    expect(events.filter(({ type }) => type === "released")).toHaveLength(2);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: what a listener of events throws disturbs no lock",
  async (kind) => {
    const complaints: unknown[] = [];
    const original = console.error;
    console.error = (...args: unknown[]) => complaints.push(args);
    try {
      await using scene = await stage.open(kind, {
        onEvent: () => {
          throw new Error("a bug in the listener");
        },
      });
      await scene.locker.using(scene.key, TTL, () => renewals(scene, 1));
      expect(await scene.value()).toBeNull();
    } finally {
      console.error = original;
    }
  },
);
