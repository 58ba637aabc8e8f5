import { describe, expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";

import {
  type Lock,
  Locker,
  LockLostError,
  LockNotHeldError,
  type ObtainOptions,
  OutcomeUnknownError,
  type RedisClient,
  type Subscription,
} from "../src/index.js";
import { sharedNames } from "../src/keys/names.js";
import { startRedis } from "./redis.js";

const { server, client, locker, asked, proxy, untilInLine } = await startRedis();

const TTL = 20_000;
const SHARED = { mode: "shared" } as const;
const plain = { namespace: "", keyPrefix: "", cluster: false, rememberFence: 86_400_000 };
const [, , , , , holders = "", shares = ""] = sharedNames("k", plain);

function reader(one: Locker, ttl: number = TTL): Promise<Lock> {
  return one.obtain("k", ttl, SHARED);
}

describe("a shared lock", () => {
  test("is held by many at a time, and by nobody alone meanwhile", async () => {
    const [one, two] = [locker(), locker()];
    const readers = [await reader(one), await reader(two), await reader(one)];
    for (const lock of readers)
      expect(lock).toMatchObject({ held: true, mode: "shared", permits: 1 });
    expect(await two.tryObtain("k", TTL)).toBeNull();
    expect(await server.command("SET", "k", "plain", "NX", "PX", "1000")).toBeNull();
    for (const lock of readers) {
      expect(await two.tryObtain("k", TTL)).toBeNull();
      await lock.release();
    }
    const writer = await two.obtain("k", TTL);
    expect(writer).toMatchObject({ mode: "exclusive", permits: 1 });
    expect(await failure(reader(one))).toMatchObject({ code: "NOT_OBTAINED" });
    await writer.release();
  });

  test("is not had while a plain lock is there, and has it no less afterwards", async () => {
    const one = locker();
    await server.command("SET", "k", "of another language", "PX", "60000");
    const error = await failure(reader(one));
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder: { metadata: undefined } });
    await server.command("DEL", "k");
    await (await reader(one)).release();
  });

  test("costs one command each way, and leaves nothing but the fence", async () => {
    const lock = await reader(locker());
    await lock.release();
    expect(asked()).toEqual(["obtainShared", "releaseShared"]);
    expect(await server.command("DBSIZE")).toBe(1);
  });

  test("has an end for each key that it writes, however long each lease", async () => {
    const one = locker();
    await one.obtain("k", 60_000, { ...SHARED, token: "own-token:0123456789" });
    const short = await one.obtain("k", 10_000, { ...SHARED, token: "own-token:9876543210" });
    for (const name of ["k", holders, shares]) {
      const left = Number(await server.command("PTTL", name));
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_001);
    }
    await short.release();
    expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
  });

  test("ends for each holder by its own ttl", async () => {
    const one = locker();
    const [long, short] = [await reader(one, 60_000), await reader(one, 500)];
    await waitUntil(() => !short.held, { what: "the end of the lease" });
    await waitUntil(async () => (await short.ttl()) === 0, { what: "its end in Redis" });
    expect(long.held).toBe(true);
    expect((await one.inspect("k")).holders).toHaveLength(1);
    expect(await failure(short.release())).toBeInstanceOf(LockNotHeldError);
    await long.release();
    await (await one.obtain("k", TTL)).release();
  });

  test("is had by a writer when the last lease ends, without a command of the dead", async () => {
    const one = locker();
    await reader(one, 500);
    const writer = await locker().obtain("k", TTL, { wait: 20_000 });
    expect(writer.held).toBe(true);
  });

  test("is renewed, refreshed and asked for like any other", async () => {
    const one = locker();
    const renewed = await one.obtain("k", 1_500, { ...SHARED, renew: true });
    const lock = await reader(one, 10_000);
    await lock.refresh(60_000);
    expect(await lock.ttl()).toBeGreaterThan(50_000);
    await lock.refresh(5_000);
    expect(await lock.ttl()).toBeLessThanOrEqual(5_001);
    await lock.refresh(50_000);
    expect(await lock.ttl()).toBeGreaterThan(40_000);
    const renewals = (): number =>
      asked().filter((name) => name.startsWith("refreshShared")).length;
    const before = renewals();
    await waitUntil(() => renewals() > before + 3, { what: "renewals" });
    expect(renewed.held).toBe(true);
    await renewed.release();
    await lock.release();
  });

  test("of an own token is renewed beyond its first lease, with what is known of its grant", async () => {
    const lock = await reader(locker());
    const own = await locker().obtain("k", 10_000, { ...SHARED, token: "own-token:0123456789" });
    await own.refresh(60_000);
    expect(await server.command("PTTL", shares)).toBeGreaterThan(50_000);
    const again = await locker().obtain("k", 90_000, { ...SHARED, token: "own-token:0123456789" });
    expect(await server.command("PTTL", shares)).toBeGreaterThan(80_000);
    await again.release();
    await lock.release();
  });

  test("is renewed together with others of its kind", async () => {
    const one = locker();
    const locks = await Promise.all(
      Array.from({ length: 30 }, (_, n) => one.obtain(`k${n}`, 3_000, { ...SHARED, renew: true })),
    );
    await waitUntil(() => asked().includes("refreshSharedMany"), { what: "a batch of renewals" });
    await Promise.all(locks.map((lock) => lock.release()));
    expect(asked()).toContain("obtainSharedMany");
    expect(asked()).toContain("releaseSharedMany");
  });

  test("is lost when it is force-released, for every holder", async () => {
    const [one, two] = [locker(), locker()];
    const readers = [await reader(one), await reader(two)];
    expect(await two.forceRelease("k")).toBe(true);
    for (const lock of readers) {
      expect(await failure(lock.refresh())).toBeInstanceOf(LockNotHeldError);
      expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    }
    // Those who come next revive nobody of those before.
    const next = await reader(one);
    expect((await one.inspect("k")).holders).toHaveLength(1);
    expect(next.fencingToken).toBeGreaterThan(readers[0]?.fencingToken ?? Infinity);
  });

  test("is not revived by a refresh, nor by a release, of an earlier phase", async () => {
    const one = locker();
    const lost = await one.obtain("k", TTL, { ...SHARED, token: "own-token:0123456789" });
    await server.command("DEL", "k");
    const now = await one.obtain("k", TTL, { ...SHARED, token: "own-token:9876543210" });
    expect(await failure(lost.refresh())).toBeInstanceOf(LockNotHeldError);
    expect((await one.inspect("k")).held).toBe(1);
    expect(now.held).toBe(true);
    await now.release();
  });

  test.each<[how: string, options: ObtainOptions]>([
    ["shared", SHARED],
    ["counted", { limit: 2 }],
    ["of an own token", { ...SHARED, token: "own-token:0123456789" }],
  ])("whose key became other data is lost at the next command: %s", async (_, options) => {
    const one = locker();
    const become = async (): Promise<void> => {
      await server.command("DEL", "k");
      await server.command("HSET", "k", "field", "value");
    };

    const refreshed = await one.obtain("k", TTL, options);
    await become();
    expect(await failure(refreshed.refresh())).toMatchObject({ cause: { reason: "taken" } });
    expect(await server.command("HGET", "k", "field")).toBe("value");
    await server.command("DEL", "k");
    const writer = await locker().obtain("k", TTL);
    expect([refreshed.held, writer.held]).toEqual([false, true]);
    await writer.release();

    const asked = await one.obtain("k", TTL, options);
    await become();
    expect(await asked.ttl()).toBe(0);
    expect(asked.signal.reason).toMatchObject({ reason: "taken" });
    await server.command("DEL", "k");

    const released = await one.obtain("k", TTL, options);
    await become();
    expect(await failure(released.release())).toBeInstanceOf(OutcomeUnknownError);
    await server.command("DEL", "k");

    const renewed = await one.obtain("k", 3_000, { ...options, renew: true });
    await become();
    await waitUntil(() => !renewed.held, { what: "the loss" });
    expect(renewed.signal.reason).toMatchObject({ reason: "taken" });
    expect(await server.command("HGET", "k", "field")).toBe("value");
  });

  test("whose holders alone were lost is left to its ttl, so that nobody is let in beside them", async () => {
    const one = locker();
    await reader(one, 60_000);
    await server.command("DEL", holders);
    expect(await one.tryObtain("k", TTL)).toBeNull();
    expect(await one.tryObtain("k", TTL, SHARED)).toBeNull();
    await server.command("PEXPIRE", "k", "1");
    const writer = await one.obtain("k", TTL, { wait: 5_000 });
    expect(writer.held).toBe(true);
  });

  test("of an own token whose shares alone were lost is lost, and nobody is let in alone until its ttl", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000, { ...SHARED, token: "own-token:0123456789" });
    await server.command("DEL", holders.replace(":holders", ":shares"));
    await expect(lock.refresh()).rejects.toThrow(LockNotHeldError);
    expect(lock.held).toBe(false);
    expect(await one.tryObtain("k", TTL)).toBeNull();
    expect(await server.command("PTTL", "k")).toBeGreaterThan(0);
    expect(await server.command("PTTL", holders)).toBeGreaterThan(0);
  });

  test("of whose holders some were lost is released, and left to its ttl for the others", async () => {
    const one = locker();
    await reader(one, 60_000);
    const [other] = [await server.command("ZRANGE", holders, "0", "0")].flat();
    const lock = await reader(one, 60_000);
    await server.command("ZREM", holders, String(other));
    await lock.release();
    expect(await server.command("PTTL", "k")).toBeGreaterThan(0);
    expect(await one.tryObtain("k", TTL)).toBeNull();
  });

  test("of an own token is one holder, whoever asks for it how often", async () => {
    const one = locker();
    const own = { ...SHARED, token: "own-token:0123456789" };
    const first = await one.obtain("k", TTL, own);
    const again = await one.obtain("k", TTL, own);
    expect(again.fencingToken).toBe(first.fencingToken);
    expect((await one.inspect("k")).held).toBe(1);
    await first.release();
    expect(await failure(again.release())).toBeInstanceOf(LockNotHeldError);
    expect(again.signal.reason).toBeInstanceOf(LockLostError);
  });

  test("of an own token that two calls wait for is one holder, and leaves nothing", async () => {
    const writer = await locker().obtain("k", TTL);
    const own = { ...SHARED, token: "own-token:0123456789", wait: Infinity };
    const waiting = [locker(), locker(), locker()].map((one) => one.obtain("k", TTL, own));
    await untilInLine("k", 3, "told");
    await writer.release();
    const [first, ...more] = await Promise.all(waiting);
    for (const { fencingToken } of more) expect(fencingToken).toBe(first?.fencingToken);
    const other = await reader(locker());
    expect((await locker().inspect("k")).held).toBe(2);
    await first?.release();
    await other.release();
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("that was taken anew with an own token is not freed by a late copy of the release before", async () => {
    const one = locker();
    const other = await reader(one); // The phase goes on.
    const own = { ...SHARED, token: "own-token:0123456789" };
    const first = await one.obtain("k", TTL, own);
    proxy.commands.clear();
    await first.release();
    const copy = proxy.commands.all.find(([name]) => name === "EVALSHA") ?? [];
    const second = await one.obtain("k", TTL, own);
    expect(second.fencingToken).toBe(first.fencingToken);
    expect(await server.command(...copy)).toBe(0);
    expect(await second.ttl()).toBeGreaterThan(0);
    await second.release();
    await other.release();
  });
});

describe("fencing tokens of those who share", () => {
  test("are one for all of a phase, above all before, below all after", async () => {
    const one = locker();
    const writer = await one.obtain("k", TTL);
    await writer.release();
    const first = await reader(one);
    const second = await reader(one);
    await first.release();
    const third = await reader(one);
    expect(first.fencingToken).toBeGreaterThan(writer.fencingToken);
    expect([second.fencingToken, third.fencingToken]).toEqual([
      first.fencingToken,
      first.fencingToken,
    ]);
    await second.release();
    await third.release();
    const next = await one.obtain("k", TTL);
    expect(next.fencingToken).toBeGreaterThan(first.fencingToken);
    await next.release();
    expect((await reader(one)).fencingToken).toBeGreaterThan(next.fencingToken);
  });
});

describe("the line of a shared lock", () => {
  test("is one for readers and writers: nobody passes who came before", async () => {
    const one = locker();
    const held = await reader(one);
    const order: string[] = [];
    const ask = async (name: string, options: object): Promise<void> => {
      const lock = await locker().obtain("k", TTL, { wait: Infinity, ...options });
      order.push(name);
      await lock.release();
    };
    const all: Promise<void>[] = [];
    for (const [name, options] of [
      ["writer", {}],
      ["reader", SHARED],
      ["counted", { limit: 3, permits: 2 }],
      ["second writer", {}],
    ] as const) {
      all.push(ask(name, options));
      await untilInLine("k", all.length, "told");
    }
    expect(await one.tryObtain("k", TTL, SHARED)).toBeNull();
    expect((await one.inspect("k")).line.map(({ sharing }) => sharing?.mode)).toEqual([
      undefined,
      "shared",
      "counted",
      undefined,
    ]);
    await held.release();
    await Promise.all(all);
    expect(order[0]).toBe("writer");
    expect(order.slice(1, 3).sort()).toEqual(["counted", "reader"]);
    expect(order[3]).toBe("second writer");
  });

  test("lets readers in together, by message: one question for all of them", async () => {
    const writer = await locker().obtain("k", TTL);
    const many = locker();
    const waiting = Array.from({ length: 100 }, () =>
      many.obtain("k", TTL, { ...SHARED, wait: Infinity }),
    );
    await untilInLine("k", 100, "told");
    proxy.commands.clear();
    await writer.release();
    const readers = await Promise.all(waiting);
    // The first is told to come, and the second in case that the first is dead.
    expect(asked()).toEqual(["release", "obtainShared", "obtainShared"]);
    expect(new Set(readers.map((lock) => lock.fencingToken)).size).toBe(1);
    await Promise.all(readers.map((lock) => lock.release()));
  });

  test("lets in more than one script does", async () => {
    const writer = await locker().obtain("k", TTL);
    const many = locker();
    const waiting = Array.from({ length: 450 }, () =>
      many.obtain("k", TTL, { ...SHARED, wait: Infinity }),
    );
    await untilInLine("k", 450, "told");
    proxy.commands.clear();
    await writer.release();
    await Promise.all(waiting);
    expect(asked().length).toBeLessThan(8);
  });

  test("lets readers in when the writer before them leaves", async () => {
    const one = locker();
    const held = await reader(one);
    const gone = new AbortController();
    const writer = failure(locker().obtain("k", TTL, { wait: Infinity, signal: gone.signal }));
    await untilInLine("k", 1, "told");
    const waiting = [one, locker()].map((each) =>
      each.obtain("k", TTL, { ...SHARED, wait: Infinity }),
    );
    await untilInLine("k", 3, "told");
    gone.abort(new Error("enough"));
    await writer;
    await Promise.all(waiting);
    expect(held.held).toBe(true);
  });

  test.each<ObtainOptions>([SHARED, { limit: 1 }])(
    "is left by who gives up while the key holds other data: %j",
    async (options) => {
      const [one, two] = [locker(), locker()];
      await two.obtain("k", TTL);
      const giveUp = new AbortController();
      const waiting = one.obtain("k", TTL, { ...options, wait: Infinity, signal: giveUp.signal });
      await untilInLine("k", 1, "told");
      await server.command("DEL", "k");
      await server.command("HSET", "k", "field", "value");
      giveUp.abort(new Error("over"));
      expect(String(await failure(waiting))).toContain("over");
      await one.close();
      await server.command("DEL", "k");
      expect((await two.inspect("k")).waiters).toBe(0);
    },
  );

  test.each(["a try", "a release", "a check-in"])(
    "passes over a writer that died in line, with the next command: %s",
    async (command) => {
      const one = locker();
      const [first, second] = [await reader(one), await reader(one)];
      let isDead = false;
      let subscription: Subscription | undefined;
      const inner = client();
      const dying: RedisClient = {
        run: async (...sent) => (isDead ? new Promise(() => undefined) : inner.run(...sent)),
        subscribe: async (...heard) => (subscription = await inner.subscribe(...heard)),
      };
      const giveUp = new AbortController();
      const options = { wait: Infinity, signal: giveUp.signal };
      const writer = failure(new Locker(dying).obtain("k", TTL, options));
      await untilInLine("k", 1, "told");
      // One whose lease is short checks in soon.
      const ttl = command === "a check-in" ? 1_000 : TTL;
      const behind = locker().obtain("k", ttl, { ...SHARED, wait: Infinity });
      await untilInLine("k", 2, "told");
      isDead = true;
      await subscription?.close();
      const isGone = async (): Promise<boolean> =>
        [await server.command("PUBSUB", "CHANNELS")].flat().length === 1;
      await waitUntil(isGone, { what: "the end of the subscription" });
      if (command === "a try") await (await reader(one)).release();
      if (command === "a release") await second.release();
      expect((await behind).fencingToken).toBe(first.fencingToken);
      isDead = false;
      giveUp.abort(new Error("over"));
      expect(String(await writer)).toContain("over");
    },
  );

  test("serves a writer at the last release, whatever release that is", async () => {
    const [one, two] = [locker(), locker()];
    const readers = [await reader(one), await reader(two), await reader(two)];
    const writer = locker().obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    proxy.commands.clear();
    for (const lock of readers.reverse()) await lock.release();
    expect((await writer).held).toBe(true);
    expect(asked()).toEqual(["releaseShared", "releaseShared", "releaseShared"]);
  });

  test("serves waiters that no message reaches", async () => {
    const deaf = locker();
    await server.command("ACL", "SETUSER", "default", "-subscribe");
    try {
      const writer = await deaf.obtain("k", TTL);
      const waiting = [1, 2].map(() => deaf.obtain("k", TTL, { ...SHARED, wait: 10_000 }));
      const last = deaf.obtain("k", TTL, { wait: 10_000 });
      await untilInLine("k", 3);
      await writer.release();
      await Promise.all((await Promise.all(waiting)).map((lock) => lock.release()));
      await (await last).release();
    } finally {
      await server.command("ACL", "SETUSER", "default", "+@all");
    }
  });

  test("keeps those who may not be told in their places", async () => {
    const one = locker();
    const writer = await one.obtain("k", TTL);
    const waiting = [1, 2, 3].map(() => locker().obtain("k", TTL, { ...SHARED, wait: Infinity }));
    await untilInLine("k", 3, "told");
    await server.command("ACL", "SETUSER", "default", "-publish");
    try {
      await writer.release();
      await Promise.all(waiting);
    } finally {
      await server.command("ACL", "SETUSER", "default", "+@all");
    }
    expect((await one.inspect("k")).held).toBe(3);
  });
});
