/** Standing in line, where nothing goes wrong. */
import { describe, expect, test } from "@jest/globals";
import { linearBackoff, NotObtainedError, type Lock } from "@redislock/core";
import {
  companion,
  connect,
  failure,
  inboxOf,
  line,
  openInboxes,
  textsOf,
  untilInLine,
  waitUntil,
} from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { cast, kinds } from "./clients.js";
import { startStage, type Scene } from "./scenes.js";

const stage = await startStage();

/** Far longer than any test takes: who is served in less was told. */
const LONG = 30_000;

const [clusters, standalone] = [true, false].map((cluster) =>
  kinds.filter((kind) => kind.cluster === cluster),
);

describe.each([...cast(standalone ?? []), ...cast(clusters ?? [])])("$name", (kind) => {
  /** In a cluster, who is granted a lock unasked begins with a lease of 5 s, and asks for a longer one. */
  const ttl = kind.cluster ? 4_000 : LONG;

  /** Waits through its own client, and is in line when this resolves. */
  async function enter(
    scene: Scene,
    place: number,
    options: { readonly metadata?: string; readonly signal?: AbortSignal } = {},
    wanted: number = LONG,
  ): Promise<{ readonly locking: Promise<Lock> }> {
    const locker = await scene.rival();
    const locking = locker.obtain(scene.key, wanted, { wait: LONG, ...options });
    locking.catch(() => undefined);
    await untilInLine(scene.server, scene.nameInRedis, place);
    return { locking };
  }

  test("a free lock takes one question, and a section that others wait for two commands", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, locker, asked, proxy } = scene;
    const free = await locker.obtain(key, ttl, { wait: LONG });
    expect(asked()).toEqual(["obtain"]);
    const first = locker.obtain(key, ttl, { wait: LONG }); // Subscribes, as it has to wait.
    await untilInLine(server, nameInRedis, 1);
    await free.release();
    proxy.commands.clear();

    let held = await first;
    for (let section = 0; section < 5; section++) {
      const next = locker.obtain(key, ttl, { wait: LONG });
      await untilInLine(server, nameInRedis, 1);
      await held.release();
      held = await next;
    }
    expect(asked()).toEqual(Array.from({ length: 5 }, () => ["obtain", "release"]).flat());
  });

  test("the lock goes round in the order in which they came, and only the next is told", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis } = scene;
    const held = await scene.locker.obtain(key, LONG);
    const served: string[] = [];
    const run = async ({ locking }: { readonly locking: Promise<Lock> }, name: string) => {
      const lock = await locking;
      served.push(name);
      return lock;
    };
    const ann = run(await enter(scene, 1), "Ann");
    const bob = run(await enter(scene, 2), "Bob");
    const cid = run(await enter(scene, 3), "Cid");
    await using listener = await listen(server.port, await line(server, nameInRedis));

    await held.release();
    const annLock = await ann;
    await listener.untilHeard(1);
    // What follows proves the grant to the one it is for.
    expect(listener.heard).toEqual([
      expect.stringMatching(`^1 grant 1 ${annLock.fencingToken} \\S+$`),
    ]);
    await annLock.release();
    const bobLock = await bob;
    await bobLock.release();
    await (await cid).release();
    await listener.untilHeard(3);
    expect(listener.heard.map((text) => text.split(" ")[0])).toEqual(["1", "2", "3"]);
    expect(served).toEqual(["Ann", "Bob", "Cid"]);
    const fences = [held, annLock, bobLock, await cid].map(({ fencingToken }) => fencingToken);
    expect(fences).toEqual([...fences].sort((a, b) => a - b));
  });

  test("one subscription serves all waits of a locker: opened for the first, closed with it", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, locker } = scene;
    const before = (await openInboxes(server)).length;
    const held = await locker.obtain(key, LONG);
    await (await locker.obtain(`${key} b`, LONG, { wait: LONG })).release();
    expect(await openInboxes(server)).toHaveLength(before);

    const waits = [1, 2, 3].map(() => locker.using(key, LONG, { wait: LONG }, () => undefined));
    await untilInLine(server, nameInRedis, 3);
    expect(await openInboxes(server)).toHaveLength(before + 1);
    await held.release();
    await Promise.all(waits);
    expect(await openInboxes(server)).toHaveLength(before + 1);
    await locker.close();
    await waitUntil(async () => (await openInboxes(server)).length === before);
  });

  test("who waits in vain is told who has the lock, and its place", async () => {
    await using scene = await stage.open(kind);
    const held = await scene.locker.obtain(scene.key, LONG, { metadata: "job 7" });
    await enter(scene, 1);
    const locker = await scene.rival();
    const giveUp = async (): Promise<NotObtainedError> => {
      const error = await failure(locker.obtain(scene.key, LONG, { wait: 100 }));
      if (error instanceof NotObtainedError) return error;
      throw error;
    };
    let error = await giveUp();
    // Who has it is left out if Redis takes more than a moment to say so: this machine may be busy.
    for (let i = 0; i < 10 && !error.holder?.metadata; i++) error = await giveUp();
    expect(error.position).toBe(2);
    expect(error.waited).toBeGreaterThanOrEqual(100);
    expect(error.holder).toMatchObject({ metadata: "job 7", fencingToken: held.fencingToken });
    expect(error.holder?.remaining).toBeLessThanOrEqual(LONG);
    expect(await line(scene.server, scene.nameInRedis)).toHaveLength(1);
    expect(await locker.tryObtain(scene.key, LONG, { wait: 0 })).toBeNull();
    expect(await line(scene.server, scene.nameInRedis)).toHaveLength(1);
  });

  test("who aborts leaves the line at once, and the others keep their order", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis } = scene;
    const held = await scene.locker.obtain(key, LONG);
    const ann = await enter(scene, 1);
    const abort = new AbortController();
    const bob = await enter(scene, 2, { signal: abort.signal });
    const cid = await enter(scene, 3);
    const [first, , third] = await line(server, nameInRedis);

    abort.abort(new Error("enough"));
    await expect(bob.locking).rejects.toThrow("enough");
    await untilInLine(server, nameInRedis, 2);
    expect(await line(server, nameInRedis)).toEqual([first, third]);
    await held.release();
    await (await ann.locking).release();
    await (await cid.locking).release();
  });

  test("a grant to one who aborts in that moment goes to the next", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, proxy } = scene;
    const rival = await scene.rival();
    const held = await rival.obtain(key, LONG);
    const abort = new AbortController();
    const locking = scene.locker.obtain(key, LONG, { wait: LONG, signal: abort.signal });
    await untilInLine(server, nameInRedis, 1);
    const next = await enter(scene, 2);

    proxy.silenceReplies(); // The grant is on its way…
    await held.release();
    await waitUntil(async () => (await line(server, nameInRedis)).length === 1);
    abort.abort(new Error("enough")); // …when it gives up.
    await expect(locking).rejects.toThrow("enough");
    await (await next.locking).release();
    expect(await scene.value()).toBeNull();
  });

  test("those who poll do not overtake those who stand in line", async () => {
    await using scene = await stage.open(kind);
    const { key, locker } = scene;
    const held = await locker.obtain(key, LONG);
    const served: string[] = [];
    const section = async ({ locking }: { readonly locking: Promise<Lock> }): Promise<void> => {
      const lock = await locking;
      served.push("in line");
      await sleep(10);
      await lock.release();
    };
    const sections = [
      section(await enter(scene, 1)),
      section(await enter(scene, 2)),
      section(await enter(scene, 3)),
    ];
    const poll = async (): Promise<void> => {
      const lock = await scene.anotherLocker().obtain(key, LONG, { retry: linearBackoff(1) });
      served.push("polling");
      await lock.release();
    };
    sections.push(poll(), poll());
    await held.release();
    await Promise.all(sections);
    expect(served).toEqual(["in line", "in line", "in line", "polling", "polling"]);
  });

  test("inspect shows the holder and the line, and no token", async () => {
    await using scene = await stage.open(kind);
    const { key, locker } = scene;
    const nobody = { holder: undefined, holders: [], held: 0, permits: 0, waiters: 0, line: [] };
    expect(await locker.inspect(key)).toEqual(nobody);
    const held = await locker.obtain(key, LONG, { metadata: "job 7" });
    await enter(scene, 1, { metadata: "job 8" });
    await enter(scene, 2);
    const inspection = await locker.inspect(key);
    expect(inspection).toMatchObject({
      holder: { metadata: "job 7", fencingToken: held.fencingToken },
      waiters: 2,
      line: [
        { position: 1, metadata: "job 8" },
        { position: 2, metadata: "" },
      ],
    });
    const [first, second] = inspection.line;
    expect(first?.waited).toBeGreaterThanOrEqual(second?.waited ?? Infinity);
    expect(JSON.stringify(inspection)).not.toContain(held.token);
  });

  test("a release by force gives the lock to the next in line", async () => {
    await using scene = await stage.open(kind);
    const { key, locker } = scene;
    const held = await locker.obtain(key, LONG);
    const { locking } = await enter(scene, 1);
    expect(await locker.forceRelease(key)).toBe(true);
    const lock = await locking;
    expect(lock.fencingToken).toBeGreaterThan(held.fencingToken);
    await expect(held.refresh()).rejects.toThrow();
    expect(held.signal.aborted).toBe(true);
    expect(lock.held).toBe(true);
    await lock.release();
    expect(await locker.forceRelease(key)).toBe(false);
  });

  test("a lock that was not taken by us is waited for, and taken when it ends", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis } = scene;
    const locker = await scene.rival();
    const since = performance.now();
    await set(scene, "somebody", "PX", "400");
    const lock = await locker.obtain(key, LONG, { wait: LONG });
    expect(performance.now() - since).toBeGreaterThanOrEqual(399); // Redis cuts fractions off.
    await lock.release();
    expect(await line(server, nameInRedis)).toEqual([]);
  });

  test("one without a ttl is waited for, and taken soon after it is deleted", async () => {
    await using scene = await stage.open(kind);
    await set(scene, "somebody");
    const { locking } = await enter(scene, 1, {}, 400);
    const served = locking.then(() => true);
    const early = await Promise.race([served, sleep(500, false)]);
    expect(early).toBe(false);
    await scene.server.command("DEL", scene.nameInRedis);
    const lock = await locking; // It asks at the latest when half a ttl has gone by.
    await lock.release();
  });

  test("nothing is left behind but the fencing token, for a day", async () => {
    await using scene = await stage.open(kind);
    const { server, key, nameInRedis, locker } = scene;
    const held = await locker.obtain(key, LONG);
    const locks = [(await enter(scene, 1)).locking, (await enter(scene, 2)).locking];
    expect(await locker.tryObtain(key, LONG, { wait: 1_000 })).toBeNull();
    await held.release();
    for (const locking of locks) await (await locking).release();
    expect(await server.command("KEYS", `*${nameInRedis}*`)).toEqual([]);
    // Under the prefix of the client.
    const fences = textsOf(await server.command("KEYS", `*${companion(nameInRedis, "fence")}`));
    expect(fences.length).toBeGreaterThan(0);
    for (const fence of fences) {
      expect(Number(await server.command("PTTL", fence))).toBeGreaterThan(86_000_000);
    }
  });

  async function set({ server, nameInRedis }: Scene, ...value: string[]): Promise<void> {
    await server.command("SET", nameInRedis, ...value);
  }
});

/** Hears what waiters are told, as they do. Each text begins with the place that its waiter has now. */
async function listen(
  port: number,
  ids: readonly string[],
): Promise<
  AsyncDisposable & {
    readonly heard: string[];
    untilHeard(count: number): Promise<void>;
  }
> {
  const connection = await connect(port);
  const heard: string[] = [];
  for (const [index, id] of ids.entries()) {
    await connection.subscribe(inboxOf(id), (text) => heard.push(`${index + 1} ${text}`));
  }
  return {
    heard,
    untilHeard: async (count) => {
      await waitUntil(() => heard.length >= count);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
