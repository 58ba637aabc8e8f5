import { describe, expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";

import { type Lock, Locker, type ObtainOptions } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, locker, client, asked, proxy, untilInLine } = await startRedis();

const TTL = 20_000;

describe("a counted lock", () => {
  test("has so many permits, and no more", async () => {
    const one = locker();
    const options = { limit: 3 };
    const locks = [await one.obtain("k", TTL, options), await one.obtain("k", TTL, options)];
    locks.push(await one.obtain("k", TTL, options));
    expect(locks[0]).toMatchObject({ mode: "counted", permits: 1 });
    expect(await failure(one.obtain("k", TTL, options))).toMatchObject({ code: "NOT_OBTAINED" });
    await locks[1]?.release();
    const again = await one.obtain("k", TTL, options);
    expect(await one.tryObtain("k", TTL, options)).toBeNull();
    expect(await one.inspect("k")).toMatchObject({ held: 3, permits: 3 });
    for (const lock of [locks[0], locks[2], again]) await lock?.release();
  });

  test("goes by permits, and by each caller's own limit", async () => {
    const one = locker();
    const two = await one.obtain("k", TTL, { limit: 5, permits: 2 });
    expect(two.permits).toBe(2);
    expect(await one.tryObtain("k", TTL, { limit: 5, permits: 4 })).toBeNull();
    expect(await one.tryObtain("k", TTL, { limit: 2 })).toBeNull();
    const three = await one.obtain("k", TTL, { limit: 5, permits: 3 });
    expect(await one.tryObtain("k", TTL, { limit: 5 })).toBeNull();
    await (await one.obtain("k", TTL, { limit: 6 })).release();
    await (await one.obtain("k", TTL, { mode: "shared" })).release();
    expect(await one.inspect("k")).toMatchObject({
      holders: [
        { mode: "counted", permits: 2, limit: 5 },
        { mode: "counted", permits: 3, limit: 5 },
      ],
      permits: 5,
    });
    await two.release();
    await three.release();
  });

  test("is all taken by whoever has it alone", async () => {
    const one = locker();
    const maintenance = await one.obtain("k", TTL);
    expect(await one.tryObtain("k", TTL, { limit: 100 })).toBeNull();
    await maintenance.release();
    const worker = await one.obtain("k", TTL, { limit: 100 });
    expect(await one.tryObtain("k", TTL)).toBeNull();
    await worker.release();
  });

  test("comes back with the lease of who died", async () => {
    const one = locker();
    const options = { limit: 2, wait: 20_000 };
    await one.obtain("k", 1_000, { limit: 2 });
    await one.obtain("k", 1_000, { limit: 2 });
    const locks = [await one.obtain("k", TTL, options), await one.obtain("k", TTL, options)];
    expect(locks.every((lock) => lock.held)).toBe(true);
  });

  test("is handed on by message, to as many as fit, in order", async () => {
    const one = locker();
    const held = await one.obtain("k", TTL, { limit: 4, permits: 4 });
    const waiting: Promise<Lock>[] = [];
    for (const permits of [2, 1, 3, 1]) {
      waiting.push(locker().obtain("k", TTL, { limit: 4, permits, wait: Infinity }));
      await untilInLine("k", waiting.length, "told");
    }
    proxy.commands.clear();
    await held.release();
    const [first, second] = await Promise.all(waiting.slice(0, 2));
    // Three do not fit beside three, and one who would fit does not pass them.
    expect(await one.inspect("k")).toMatchObject({ permits: 3, waiters: 2 });
    expect(asked()).toEqual(["releaseShared", "inspect"]);
    await first?.release();
    expect((await waiting[2])?.permits).toBe(3);
    await second?.release();
    expect((await waiting[3])?.permits).toBe(1);
  });

  test("sent twice takes its permits once", async () => {
    const inner = client();
    const one = new Locker({
      async run(...command) {
        await inner.run(...command);
        return inner.run(...command);
      },
    });
    await one.obtain("k", TTL, { limit: 3, permits: 2 });
    expect(await one.inspect("k")).toMatchObject({ held: 1, permits: 2 });
    await one.close();
  });

  test("that was granted too late goes back", async () => {
    const one = locker({ commandTimeout: 200 });
    proxy.silence();
    const error = await failure(one.obtain("k", TTL, { limit: 1 }));
    expect(error).toMatchObject({ code: "UNKNOWN" });
    proxy.speak({ deliver: true });
    const two = locker();
    await waitUntil(async () => (await two.inspect("k")).held === 0, { what: "the late grant" });
    await (await two.obtain("k", TTL, { limit: 1, wait: 20_000 })).release();
  });

  test("of an own token with other permits is another holder", async () => {
    const one = locker();
    const token = "own-token:0123456789";
    const few = await one.obtain("k", TTL, { limit: 5, token });
    const more = await one.obtain("k", TTL, { limit: 5, permits: 3, token });
    expect(await one.inspect("k")).toMatchObject({ held: 2, permits: 4 });
    await few.release();
    expect(await more.ttl()).toBeGreaterThan(0);
    await more.release();
  });
});

describe("held, refreshed and released", () => {
  test("with memory full, and handed on", async () => {
    const one = locker();
    const lock = await one.obtain("k", TTL, { limit: 1, token: "own-token:0123456789" });
    const waiting = locker().obtain("k", TTL, { limit: 1, wait: Infinity });
    await untilInLine("k", 1, "told");
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const again = await one.obtain("k", TTL, { limit: 1, token: lock.token });
      expect(again.fencingToken).toBe(lock.fencingToken);
      await lock.refresh();
      await lock.refresh(10_000);
      await lock.refresh();
      const refused = failure(one.obtain("other", TTL, { limit: 1 }));
      expect(await refused).toMatchObject({ code: "REFUSED", reply: "OOM" });
      await lock.release();
      await (await waiting).release();
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  test("with memory full, and beside others taken anew", async () => {
    const [one, two] = [locker(), locker()];
    const first = await one.obtain("k", TTL, { limit: 3 });
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      const second = await two.obtain("k", TTL, { limit: 3 });
      const third = await two.obtain("k", TTL, { limit: 3, wait: 1_000 });
      expect(await one.tryObtain("k", TTL, { limit: 3 })).toBeNull();
      for (const lock of [first, second, third]) await lock.release();
      const refused = failure(one.obtain("k", TTL, { limit: 3 }));
      expect(await refused).toMatchObject({ code: "REFUSED", reply: "OOM" });
      await (await two.obtain("k", TTL, { limit: 3, wait: 1_000 })).release();
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  });
});

test.each<ObtainOptions>([{ mode: "shared" }, { limit: 2 }])(
  "one key in a list is as good as one, with %j",
  async (options) => {
    await (await locker().obtain(["a"], TTL, options)).release();
  },
);
