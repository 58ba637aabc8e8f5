/** Standing in line, where connections, messages and data are lost. */
import { describe, expect, test } from "@jest/globals";
import type { Lock, Locker } from "@redislock/core";
import { line, untilInLine, waitUntil, type RedisServer } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { cast, kinds } from "./clients.js";
import { startStage, type Scene } from "./scenes.js";

const stage = await startStage();

/** Far longer than any test takes: who is served in less was told, or asked because of what happened. */
const LONG = 30_000;
/** So short that a waiter asks again soon. */
const SHORT = 1_000;

const [clusters, standalone] = [true, false].map((cluster) =>
  kinds.filter((kind) => kind.cluster === cluster),
);

describe.each([...cast(standalone ?? []), ...cast(clusters ?? [])])("$name", (kind) => {
  /** Waits, and is in line when this resolves. */
  async function enter(
    scene: Scene,
    locker: Locker,
    place: number,
    ttl: number = LONG,
  ): Promise<{ readonly locking: Promise<Lock> }> {
    const locking = locker.obtain(scene.key, ttl, { wait: LONG });
    locking.catch(() => undefined);
    await untilInLine(scene.server, scene.nameInRedis, place);
    return { locking };
  }

  /** Both are served, and in this order. */
  async function expectOrder(first: Promise<Lock>, second: Promise<Lock>): Promise<void> {
    const early = await Promise.race([first.then(() => "first"), second.then(() => "second")]);
    expect(early).toBe("first");
    await (await first).release();
    await (await second).release();
  }

  test("who loses its subscription gets it back, keeps its place, and is told again", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis } = scene;
    const held = await (await scene.rival()).obtain(key, LONG);
    const ann = await enter(scene, scene.locker, 1);
    const bob = await enter(scene, await scene.rival(), 2);
    const order = await line(server, nameInRedis);
    const before = await subscribers(server);
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await untilSubscribedAnew(server, before);
    await untilInLine(server, nameInRedis, 2);
    expect(await line(server, nameInRedis)).toEqual(order);
    await held.release();
    await expectOrder(ann.locking, bob.locking);
  });

  test("who loses all its connections keeps its place", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, proxy } = scene;
    const held = await (await scene.rival()).obtain(key, LONG);
    const ann = await enter(scene, scene.locker, 1);
    const bob = await enter(scene, await scene.rival(), 2);
    const before = await subscribers(server);
    await proxy.cutAll();
    await untilSubscribedAnew(server, before);
    await untilInLine(server, nameInRedis, 2);
    await held.release();
    await expectOrder(ann.locking, bob.locking);
  });

  test("a grant whose message is lost with its connection is asked for when that is back", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, proxy } = scene;
    const held = await (await scene.rival()).obtain(key, LONG);
    const { locking } = await enter(scene, scene.locker, 1);
    proxy.silenceReplies();
    await held.release();
    await waitUntil(async () => (await line(server, nameInRedis)).length === 0);
    proxy.speak(); // Cuts the connection that the message was on.
    await (await locking).release();
  });

  test("the order survives the loss of all data", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis } = scene;
    await server.command("SET", nameInRedis, "somebody", "PX", "10000");
    const ann = await enter(scene, scene.locker, 1, SHORT);
    const bob = await enter(scene, await scene.rival(), 2, SHORT);
    const cid = await enter(scene, await scene.rival(), 3, SHORT);
    const order = await line(server, nameInRedis);

    await server.command("FLUSHALL");
    await server.command("SET", nameInRedis, "somebody", "PX", "10000");
    await untilInLine(server, nameInRedis, 3); // They ask, each in its own time.
    expect(await line(server, nameInRedis)).toEqual(order);
    await scene.locker.forceRelease(key);
    await (await ann.locking).release();
    await expectOrder(bob.locking, cid.locking);
  });

  test("a waiter whose goodbye is lost does not keep the lock from the next", async () => {
    await using scene = await stage.open(kind, { commandTimeout: 200 });
    const { server, key, nameInRedis, proxy } = scene;
    const held = await (await scene.rival()).obtain(key, LONG);
    const abort = new AbortController();
    const locking = scene.locker.obtain(key, LONG, { wait: LONG, signal: abort.signal });
    await untilInLine(server, nameInRedis, 1);
    const next = await enter(scene, await scene.rival(), 2);

    proxy.silence();
    abort.abort(new Error("enough"));
    await expect(locking).rejects.toThrow("enough");
    await sleep(400); // It gives up to say so.
    await held.release(); // The one that is gone is granted the lock, or passed over…
    proxy.speak({ deliver: true });
    const lock = await next.locking; // …and gives it back.
    await lock.release();
  });
});

/** The connections that listen. */
async function subscribers(server: RedisServer): Promise<string[]> {
  const list = String(await server.command("CLIENT", "LIST", "TYPE", "pubsub"));
  return list.match(/^id=\d+/gm) ?? [];
}

/** Resolves when as many listen as before, and one of them that did not then. */
async function untilSubscribedAnew(server: RedisServer, before: readonly string[]): Promise<void> {
  await waitUntil(async () => {
    const now = await subscribers(server);
    return now.length === before.length && now.some((id) => !before.includes(id));
  });
}
