/** Locks that Redis granted to someone who had stopped waiting for the answer. */
import { expect, test } from "@jest/globals";
import { OutcomeUnknownError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";

import { cast, ioredis, ioredisCluster, kinds } from "./clients.js";
import { runs, startStage, type Scene } from "./scenes.js";

const stage = await startStage();

/**
 * The lock that came late is given back, long before its ttl is over, and another may have it: at once,
 * or if something comes later still, as another connection of a pool may send it, soon after.
 */
async function expectGivenBack({ key, value, anotherLocker, rival }: Scene): Promise<void> {
  await waitUntil(async () => (await value()) === null, { what: "the lock to be given back" });
  await using theirs = await (await rival()).obtain(key, 10_000, { wait: 10_000 });
  await using ours = await anotherLocker().obtain(`${key} too`, 10_000);
  expect([theirs.held, ours.held]).toEqual([true, true]);
}

test.concurrent.each(cast(kinds))(
  "$name: a grant whose answer comes after the deadline is given back, and that is told",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy, value, events } = scene;
    const held = proxy.silenceReplies();
    const error = await failure(locker.obtain(key, 60_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await held.happened;
    proxy.speak({ deliver: true });
    await expectGivenBack(scene);
    expect(await value()).toBeNull();
    const isTold = (): boolean => events.some(({ type }) => type === "lateGrantReleased");
    await waitUntil(isTold, { what: "the event" });
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a question that reaches Redis after the deadline leaves nothing",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy } = scene;
    proxy.silence();
    const error = await failure(locker.obtain(key, 60_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    proxy.speak({ deliver: true });
    // What sweeps up behind the question goes the same way, after it.
    await proxy.commands.waitFor(runs(scripts.leave));
    await expectGivenBack(scene);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a grant that comes after the caller has given up is given back",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value } = scene;
    const held = proxy.silenceReplies();
    const controller = new AbortController();
    const obtaining = failure(locker.obtain(key, 60_000, { signal: controller.signal }));
    await held.happened;
    expect(await value()).not.toBeNull();
    controller.abort();
    expect(await obtaining).toMatchObject({ name: "AbortError" });
    proxy.speak({ deliver: true });
    await expectGivenBack(scene);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a grant to a locker that was closed meanwhile is given back",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 2_000 });
    const { key, locker, proxy } = scene;
    const held = proxy.silenceReplies();
    const obtaining = failure(locker.obtain(key, 60_000));
    await held.happened;
    await locker.close();
    expect(await obtaining).toMatchObject({ code: "CLOSED" });
    proxy.speak({ deliver: true });
    await expectGivenBack(scene);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: an answer that took longer than the lease is no lock, and what it took is given back",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, proxy, value } = scene;
    proxy.delayReplies(400);
    const error = await failure(locker.obtain(key, 300));
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "obtain" });
    proxy.delayReplies(0);
    await waitUntil(async () => (await value()) === null, { what: "the key to go" });
  },
);

/** What ioredis gives up on stays in its queue, and is sent when the server is back. */
const haunted = ([5, 6] as const).flatMap((major) => [
  ioredis(major, { commandTimeout: 2_000 }, "with a commandTimeout"),
  ioredisCluster(major, { commandTimeout: 2_000 }, "with a commandTimeout"),
]);

test.concurrent.each([...cast(kinds), ...haunted])(
  "$name: a question that waited for the server to come back leaves no lock that nobody knows of",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 4_000 });
    const { key, locker, proxy, value } = scene;
    proxy.refuse();
    await proxy.cutAll();
    proxy.commands.clear();
    const error = await failure(locker.obtain(key, 60_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await proxy.accept();
    // The client is back when it answers.
    const back = scene.anotherLocker();
    await waitUntil(
      () =>
        back.inspect(key).then(
          () => true,
          () => false,
        ),
      { what: "the client to be back", timeout: 20_000 },
    );
    await expectGivenBack(scene);
    // Another connection of a pool may be back later, and send what it kept only then.
    const isFree = async (): Promise<boolean> => (await value()) === null;
    await waitUntil(isFree, { what: "what came later to be given back" });
  },
);

test.concurrent.each(haunted)(
  "$name: a command that ioredis gave up on but sends all the same leaves no lock",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 4_000 });
    const { key, locker, proxy } = scene;
    const held = proxy.silence();
    const error = await failure(locker.obtain(key, 60_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    await held.happened;
    proxy.speak({ deliver: true });
    await expectGivenBack(scene);
  },
);
