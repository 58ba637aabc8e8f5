import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { type Lock, type Locker } from "../src/index.js";
import { sharedNames } from "../src/keys/names.js";
import { startRedis } from "./redis.js";

const { server, locker, asked, proxy, untilInLine } = await startRedis();

const plain = { namespace: "", keyPrefix: "", cluster: false, rememberFence: 86_400_000 };
const [, , , , , holders = ""] = sharedNames("k", plain);
const NOBODY = { holder: undefined, holders: [], held: 0, permits: 0, waiters: 0, line: [] };

/** Waiters in a line that stand behind each other, in this order. */
async function lineUp(one: Locker, ...metadata: string[]): Promise<Promise<Lock>[]> {
  const waiting: Promise<Lock>[] = [];
  for (const text of metadata) {
    waiting.push(one.obtain("k", 60_000, { wait: Infinity, metadata: text }));
    await untilInLine("k", waiting.length, "told");
  }
  return waiting;
}

describe("inspect", () => {
  test("of a free lock: nobody has it, nobody waits", async () => {
    expect(await locker().inspect("k")).toEqual(NOBODY);
    expect(asked()).toEqual(["inspect"]);
    expect(await server.command("DBSIZE")).toBe(0);
  });

  test("tells who has a lock, and never the token", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000, { metadata: "host 7" });
    const inspection = await one.inspect("k");
    expect(inspection).toMatchObject({
      holder: { metadata: "host 7", fencingToken: lock.fencingToken },
      waiters: 0,
    });
    expect(inspection.holder?.remaining).toBeGreaterThan(10_000);
    expect(inspection.holder?.remaining).toBeLessThanOrEqual(60_000);
    expect(JSON.stringify(inspection)).not.toContain(lock.token);
  });

  test("tells who waits, in the order in which they will be served", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000);
    const waiting = await lineUp(one, "first", "", "third");
    const { waiters, line } = await one.inspect("k");
    expect(waiters).toBe(3);
    expect(line).toMatchObject([
      { position: 1, metadata: "first" },
      { position: 2, metadata: "" },
      { position: 3, metadata: "third" },
    ]);
    for (const { waited } of line) expect(waited).toBeGreaterThanOrEqual(0);
    expect(line[0]?.waited).toBeGreaterThanOrEqual(line[2]?.waited ?? Infinity);
    await lock.release();
    for (const next of waiting) await (await next).release();
    expect(await one.inspect("k")).toEqual(NOBODY);
  });

  test("counts a long line, and tells of its first hundred", async () => {
    const one = locker();
    await one.obtain("k", 60_000);
    const failed = Array.from({ length: 120 }, () =>
      failure(one.obtain("k", 60_000, { wait: Infinity })),
    );
    await untilInLine("k", 120);
    const { waiters, line } = await one.inspect("k");
    expect(waiters).toBe(120);
    expect(line.map(({ position }) => position)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    await one.close();
    await Promise.all(failed);
  });

  test("of a shared lock whose ttl somebody took away tells of who shares it, then of a lock without end", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000, { mode: "shared" });
    await server.command("PERSIST", "k");
    const { holder, held } = await one.inspect("k");
    expect(holder).toMatchObject({ fencingToken: lock.fencingToken });
    expect(holder?.remaining).toBeLessThanOrEqual(60_001);
    expect(held).toBe(1);
    await lock.refresh();
    expect(await server.command("PTTL", "k")).toBeGreaterThan(0);

    // Where the last lease is over, nothing is left of the holders.
    await server.command("PERSIST", "k");
    await server.command("DEL", holders);
    expect((await one.inspect("k")).holder).toMatchObject({ remaining: Infinity });
    expect(await failure(one.obtain("k", 300))).toMatchObject({ holder: { remaining: Infinity } });
    expect(await one.forceRelease("k")).toBe(true);
    expect(await one.inspect("k")).toEqual(NOBODY);
  });

  test("of a lock in another namespace sees nothing", async () => {
    await locker({ namespace: "a:" }).obtain("k", 60_000);
    expect(await locker().inspect("k")).toMatchObject({ holder: undefined });
    expect(await locker({ namespace: "a:" }).inspect("k")).toMatchObject({
      holder: { metadata: "" },
    });
  });
});

describe("forceRelease", () => {
  test("of a free lock says that nobody had it", async () => {
    expect(await locker().forceRelease("k")).toBe(false);
    expect(asked()).toEqual(["forceRelease"]);
  });

  test("takes the lock away, and the holder learns of it when it next asks", async () => {
    const lock = await locker().obtain("k", 60_000);
    proxy.commands.clear();
    expect(await locker().forceRelease("k")).toBe(true);
    expect(asked()).toEqual(["forceRelease"]);
    expect(await server.command("EXISTS", "k")).toBe(0);
    expect(lock.held).toBe(true);
    expect(await failure(lock.refresh())).toMatchObject({
      code: "NOT_HELD",
      cause: { reason: "deleted" },
    });
    expect(lock.signal.aborted).toBe(true);
  });

  test("takes away what others have set, with or without a ttl", async () => {
    await server.command("SET", "k", "another's");
    expect(await locker().forceRelease("k")).toBe(true);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  test("gives the lock to the next in line, with a higher fencing token", async () => {
    const one = locker();
    const lock = await one.obtain("k", 60_000);
    const [next] = await lineUp(one, "next");
    expect(await one.forceRelease("k")).toBe(true);
    const granted = await next;
    expect(granted?.fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(await server.command("GET", "k")).toBe(`${granted?.token ?? ""}next`);
    expect(await failure(lock.refresh())).toMatchObject({ cause: { reason: "taken" } });
  });

  test("of one of several keys is enough to lose them", async () => {
    const lock = await locker().obtain(["a", "b"], 60_000);
    await locker().forceRelease("b");
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
  });
});
