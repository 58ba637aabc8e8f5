/** Locks that stand in each other's way within one process, and handles that nobody keeps. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import v8 from "node:v8";
import vm from "node:vm";

import { scripts } from "../src/adapter.js";
import {
  linearBackoff,
  type Lock,
  Locker,
  LockLostError,
  type LockEvent,
  NotObtainedError,
  type RedisClient,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, untilInLine } = await startRedis();

const TTL = 30_000;
const TOKEN = "a-token-of-my-own-0123";

describe("nested use of one's own token", () => {
  test("the outer one learns that the inner one gave the lock back", async () => {
    const one = locker();
    const outer = failure(
      one.using("k", TTL, { token: TOKEN }, async (lock) => {
        await one.using("k", TTL, { token: TOKEN }, () => undefined);
        expect(lock.held).toBe(false);
        expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
      }),
    );
    expect(await outer).toBeInstanceOf(LockLostError);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("also through another locker of the same client, with several keys", async () => {
    const redis = client();
    const [one, two] = [new Locker(redis), new Locker(redis, { namespace: "" })];
    const events: LockEvent[] = [];
    const three = new Locker(redis, {
      namespace: "other:",
      onEvent: (event) => events.push(event),
    });
    const outer = await one.obtain(["a", "b"], TTL, { token: TOKEN });
    const elsewhere = await three.obtain("a", TTL, { token: TOKEN });
    await (await two.obtain(["a", "b"], TTL, { token: TOKEN })).release();
    expect(outer.held).toBe(false);
    expect(elsewhere.held).toBe(true);
    await elsewhere.release();
    expect(events.map(({ type }) => type)).toEqual(["obtained", "released"]);
  });

  test("the outer one learns that the inner one has taken more keys, and so all of them anew", async () => {
    const one = locker();
    const outer = await one.obtain("a", TTL, { token: TOKEN });
    const inner = await one.obtain(["a", "b"], TTL, { token: TOKEN });
    expect(inner.fencingToken).toBeGreaterThan(outer.fencingToken);
    expect(outer.held).toBe(false);
    expect(outer.signal.reason).toMatchObject({ code: "LOST", reason: "taken" });
    await inner.release();
    expect(await locker().tryObtain("a", TTL)).not.toBeNull();
  });

  test("the outer one of several keys learns that one of them was given back that was taken before", async () => {
    const one = locker();
    const a = await one.obtain("a", TTL, { token: TOKEN });
    await one.obtain("b", TTL, { token: TOKEN });
    const both = await one.obtain(["a", "b"], TTL, { token: TOKEN });
    await a.release();
    expect(both.held).toBe(false);
    expect(both.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
    expect(await locker().tryObtain("a", TTL)).not.toBeNull();
  });

  test("one of several keys that was taken anew is given back with the others, of which one was lost", async () => {
    const one = locker();
    const both = await one.obtain(["a", "b"], TTL, { token: TOKEN });
    await server.command("DEL", "b");
    await failure(both.refresh());
    const a = await one.obtain("a", TTL, { token: TOKEN });
    expect(await failure(both.release())).toMatchObject({ code: "NOT_HELD" });
    expect(await server.command("EXISTS", "a")).toBe(0);
    expect(a.held).toBe(false);
    expect(a.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
  });

  test("the outer one is held no more when nobody knows whether the inner one gave the lock back", async () => {
    const one = locker({ commandTimeout: 200 });
    const outer = await one.obtain("k", TTL, { token: TOKEN });
    const inner = await one.obtain("k", TTL, { token: TOKEN });
    proxy.silenceReplies();
    expect(await failure(inner.release())).toMatchObject({ code: "UNKNOWN" });
    expect(outer.held).toBe(false);
    expect(outer.signal.reason).toMatchObject({ code: "LOST", reason: "unreachable" });
  });

  test.each([{}, { mode: "shared" }] as const)(
    "the outer one ends with the inner one that was refreshed for less (%j)",
    async (options) => {
      const clock = new VirtualClock();
      const one = locker({ clock });
      const outer = await one.obtain("k", TTL, { token: TOKEN, ...options });
      const inner = await one.obtain("k", TTL, { token: TOKEN, ...options });
      await inner.refresh(1_000);
      expect(outer.remaining).toBeLessThanOrEqual(Number(await server.command("PTTL", "k")));
      await outer.refresh(); // It goes on, if it says so in time.
      clock.advance(1_000);
      expect([outer.held, inner.held]).toEqual([true, false]);
      expect(outer.remaining).toBeLessThanOrEqual(Number(await server.command("PTTL", "k")));
      await outer.release();
    },
  );

  test("so does one that is told of its grant while the other is refreshed for less", async () => {
    const redis = client();
    let answer: (() => void) | undefined;
    const one = new Locker({
      async run(script, keys, args) {
        const replied = await redis.run(script, keys, args);
        if (script.name === "shorten") await new Promise<void>((go) => (answer = go));
        return replied;
      },
    });
    const first = await one.obtain("k", TTL, { token: TOKEN });
    const refreshing = first.refresh(1_000);
    await waitUntil(() => answer !== undefined, { what: "the refresh" });
    const second = await one.obtain("k", TTL, { token: TOKEN });
    answer?.();
    await refreshing;
    expect(second.remaining).toBeLessThanOrEqual(1_000);
    await second.release();
  });

  test.each([
    ["gave it back", (lock: Lock) => lock.release()],
    ["refreshed it for less", (lock: Lock) => lock.refresh(500)],
  ])(
    "who is told of the lock in the moment in which another %s has no more of it",
    async (_, end) => {
      const redis = client();
      let goOn: (() => void) | undefined;
      const told = new Promise<void>((resolve) => (goOn = resolve));
      let isHeldBack = false;
      const one = new Locker({
        async run(script, keys, args) {
          const reply = await redis.run(script, keys, args);
          if (isHeldBack) await told;
          return reply;
        },
      });
      const first = await one.obtain("k", TTL, { token: TOKEN });
      isHeldBack = true;
      proxy.commands.clear();
      const second = one.obtain("k", TTL, { token: TOKEN, retry: linearBackoff(50) });
      const ended = end(first);
      await proxy.commands.waitFor("EVALSHA", { count: 2 });
      await redis.run(scripts.ttl, [], []); // The replies are here, as they come in order.
      goOn?.(); // Both are told in the same turn.
      await ended;
      expect((await second).remaining).toBeLessThan(500);
      await Promise.allSettled([(await second).release()]);
    },
  );

  test("a later lock of the same token is not touched by the end of an earlier one", async () => {
    const one = locker();
    const first = await one.obtain("k", TTL, { token: TOKEN });
    await first.release();
    const second = await one.obtain("k", TTL, { token: TOKEN });
    await failure(first.release());
    expect(second.held).toBe(true);
    await second.release();
  });
});

test("a later grant of the same token outlives the late reply to the release of an earlier one", async () => {
  const inner = client();
  let reply: (() => void) | undefined;
  const one = new Locker({
    async run(script, keys, args) {
      const replied = await inner.run(script, keys, args);
      if (script.name === "release" && !reply) await new Promise<void>((go) => (reply = go));
      return replied;
    },
  });
  const first = await one.obtain("k", TTL, { token: TOKEN });
  const released = first.release();
  await waitUntil(() => reply !== undefined, { what: "the release" });
  const second = await one.obtain("k", TTL, { token: TOKEN });
  reply?.();
  await released;
  expect(second.held).toBe(true);
  await second.release();
});

test("a renewal that came due during a refresh without a reply comes after it", async () => {
  const inner = client();
  let silent = false;
  const clock = new VirtualClock();
  const one = new Locker(
    {
      run: (script, keys, args) =>
        silent ? new Promise(() => undefined) : inner.run(script, keys, args),
    },
    { clock, commandTimeout: 4_000 },
  );
  const lock = await one.obtain("k", 9_000, { renew: true });
  silent = true;
  const refreshing = failure(lock.refresh());
  clock.advance(3_500); // The renewal is due now.
  clock.advance(500);
  expect(await refreshing).toMatchObject({ code: "UNKNOWN" });
  silent = false;
  clock.advance(400);
  await waitUntil(() => lock.remaining > 8_000, { what: "the renewal" });
  await lock.release();
});

describe("a lock that this process holds itself", () => {
  test("is told as such in the error", async () => {
    const redis = client();
    const [one, two] = [new Locker(redis), new Locker(redis)];
    const lock = await one.obtain("k", TTL);
    for (const asking of [
      two.obtain("k", TTL),
      two.obtain("k", TTL, { wait: 1_000 }),
      two.obtain("k", TTL, { retry: (tries) => (tries < 3 ? 5 : 0) }),
      one.obtain(["x", "k"], TTL),
    ]) {
      const error = await failure(asking);
      expect(error).toBeInstanceOf(NotObtainedError);
      expect(error).toMatchObject({ holder: { own: true } });
      expect(String(error)).toMatch(/this process holds it itself, for \d+ ms more/);
    }
    await lock.release();
    expect(await two.tryObtain("k", TTL)).not.toBeNull();
  });

  test("is not told of as another's who shares it, or has taken it since", async () => {
    const redis = client();
    const one = new Locker(redis);
    const [mine, theirs] = [{ metadata: "mine" }, { metadata: "theirs" }];
    const first = await one.obtain("k", 2 * TTL, { limit: 2, ...mine });
    const second = await locker().obtain("k", TTL, { limit: 2, ...theirs });
    for (const wait of [undefined, 10]) {
      const shared = await failure(one.obtain("k", TTL, { limit: 2, wait }));
      expect(shared).toMatchObject({ holder: theirs });
      expect(shared).not.toMatchObject({ holder: { own: true } });
      expect(String(shared)).toMatch(/another holds it/);
    }
    await second.release();
    const own = await failure(one.obtain("k", TTL, { limit: 1 }));
    expect(own).toMatchObject({ holder: { ...mine, own: true } });
    await first.release();

    await one.obtain("k", TTL, mine);
    await server.command("DEL", "k");
    await locker().obtain("k", TTL, theirs);
    expect(await failure(one.obtain("k", TTL))).not.toMatchObject({ holder: { own: true } });
  });

  test("is told as such when the wait for it begins", async () => {
    const redis = client();
    const events: LockEvent[] = [];
    const one = new Locker(redis, { onEvent: (event) => events.push(event) });
    const lock = await one.obtain("k", TTL);
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    expect(events.filter(({ type }) => type === "waitingForOwn")).toEqual([
      { type: "waitingForOwn", keys: ["k"] },
    ]);
    await lock.release();
    await (await waiting).release();
  });

  test("another's, a lost one, and one that was released are not", async () => {
    const redis = client();
    const events: LockEvent[] = [];
    const clock = new VirtualClock();
    const one = new Locker(redis, { clock, onEvent: (event) => events.push(event) });
    const lost = await one.obtain("k", TTL);
    clock.advance(TTL);
    expect(lost.held).toBe(false);
    const error = await failure(new Locker(redis).obtain("k", TTL));
    expect(error).toMatchObject({ holder: { remaining: expect.any(Number) } });
    expect(error).not.toMatchObject({ holder: { own: true } });
    expect(await failure(locker().obtain("k", TTL))).not.toMatchObject({ holder: { own: true } });
    expect(events.map(({ type }) => type)).not.toContain("waitingForOwn");
  });
});

describe("a lock whose object nobody keeps is renewed no more", () => {
  /** Obtains it, and keeps nothing of it. */
  type Obtain = (one: Locker) => Promise<void>;

  test.each<[string, Obtain]>([
    [
      "that was refreshed as soon as it was obtained",
      async (one) => {
        const lock = await one.obtain("k", 60_000, { renew: true });
        await lock.refresh();
      },
    ],
    [
      "that was granted by message, and got its whole lease at once",
      async (one) => {
        const held = await locker().obtain("k", TTL);
        const waiting = one.obtain("k", 60_000, { renew: true, wait: Infinity });
        await untilInLine("k", 1, "told");
        await held.release();
        await waiting;
      },
    ],
  ])("%s", async (_, obtain) => {
    v8.setFlagsFromString("--expose-gc");
    const collect: unknown = vm.runInNewContext("gc");
    const clock = new VirtualClock();
    const events: LockEvent[] = [];
    // In a cluster, a grant by message is for less than was asked for.
    const redis: RedisClient = client();
    const one = new Locker(
      {
        cluster: true,
        run: redis.run.bind(redis),
        ...(redis.subscribe && { subscribe: redis.subscribe.bind(redis) }),
      },
      { clock, onEvent: (event) => events.push(event) },
    );
    await obtain(one);
    const isLost = (): boolean => {
      if (typeof collect === "function") Reflect.apply(collect, undefined, []);
      clock.advance(1_000);
      return events.some(({ type }) => type === "lost");
    };
    await waitUntil(isLost, { what: "the lock to be lost" });
    expect(events.at(-1)).toMatchObject({ type: "lost", error: { reason: "dropped" } });
    await one.close();
  });
});

describe("a grant by message whose lease is short", () => {
  /** As in a cluster: listeners are not counted, so a grant starts with a lease of five seconds. */
  function cluster(inner: RedisClient, answers: () => boolean): RedisClient {
    return {
      cluster: true,
      run: (script, keys, args) =>
        script.name === "refresh" && !answers()
          ? new Promise(() => undefined)
          : inner.run(script, keys, args),
      ...(inner.subscribe && { subscribe: inner.subscribe.bind(inner) }),
    };
  }

  test.each([
    ["without renewal", false],
    ["with renewal", true],
  ])("asks for a whole lease until it has it, %s", async (_, renew) => {
    let answering = false;
    let answered = 0;
    const answers = (): boolean => {
      if (answering) answered++;
      return answering;
    };
    const events: LockEvent[] = [];
    const failures = (): number => events.filter(({ type }) => type === "renewalFailed").length;
    const clock = new VirtualClock();
    const one = new Locker(cluster(client(), answers), {
      clock,
      commandTimeout: 50,
      onEvent: (event) => events.push(event),
    });
    const held = await locker().obtain("k", TTL);
    const waiting = one.obtain("k", 60_000, { wait: Infinity, renew });
    await untilInLine("k", 1, "told");
    await held.release();
    const lock = await waiting;
    expect(lock.remaining).toBeLessThan(5_001);
    const failedTwice = (): boolean => {
      clock.advance(10);
      return failures() >= 2;
    };
    await waitUntil(failedTwice, { what: "it to try again" });
    answering = true;
    const isWhole = (): boolean => {
      if (answered === 0) clock.advance(10);
      return lock.remaining > 50_000;
    };
    await waitUntil(isWhole, { what: "a whole lease" });
    expect(Number(await server.command("PTTL", "k"))).toBeGreaterThan(50_000);
    // Once is enough: the next is due in twenty seconds, or never.
    clock.advance(15_000);
    await one.inspect("k");
    expect(answered).toBe(1);
    await lock.refresh();
    expect(lock.remaining).toBeGreaterThan(50_000);
    await lock.release();
    await one.close();
  });

  test("and a refresh in the meantime is for the ttl that was asked for", async () => {
    const one = new Locker(
      cluster(client(), () => true),
      { clock: new VirtualClock() },
    );
    const held = await locker().obtain("k", TTL);
    const waiting = one.obtain("k", 60_000, { wait: Infinity });
    await untilInLine("k", 1, "told");
    await held.release();
    const lock = await waiting;
    await lock.refresh();
    expect(Number(await server.command("PTTL", "k"))).toBeGreaterThan(50_000);
    await lock.release();
    await one.close();
  });
});
