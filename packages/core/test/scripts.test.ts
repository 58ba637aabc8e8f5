import { describe, expect, test } from "@jest/globals";
import { createHash } from "node:crypto";

import { scripts } from "../src/adapter.js";
import { quorumScripts } from "../src/quorum/index.js";
import { companion } from "@redislock/test-kit";

import { startRedis } from "./redis.js";

const { server, proxy, locker, asked } = await startRedis();

describe.each(Object.values({ ...scripts, ...quorumScripts }))(
  "$name",
  ({ name, source, sha1 }) => {
    test("its hash is that of its text", () => {
      expect(sha1).toBe(createHash("sha1").update(source).digest("hex"));
    });

    test("its hash is what Redis calls it", async () => {
      expect(await server.command("SCRIPT", "LOAD", source)).toBe(sha1);
    });

    test("it holds nothing but ASCII, so that no client's encoding can change it", () => {
      expect(source).toMatch(/^[\x20-\x7e\n]*$/);
    });

    test("it is a plain value with a name", () => {
      expect(name).toMatch(/^[a-zA-Z]+$/);
    });
  },
);

test("all scripts differ", () => {
  expect(new Set(Object.values(scripts).map(({ name }) => name)).size).toBe(
    Object.keys(scripts).length,
  );
  expect(new Set(Object.values(scripts).map(({ sha1 }) => sha1)).size).toBe(
    Object.keys(scripts).length,
  );
});

test("SCRIPT FLUSH before each operation makes no difference to its result", async () => {
  const flush = (): Promise<unknown> => server.command("SCRIPT", "FLUSH");
  const one = locker();
  await flush();
  const lock = await one.obtain("k", 10_000, { metadata: "m" });
  await flush();
  expect(await one.tryObtain("k", 10_000)).toBeNull();
  await flush();
  await lock.refresh(20_000);
  await flush();
  expect(await lock.ttl()).toBeGreaterThan(10_000);
  await flush();
  expect(await one.inspect("k")).toMatchObject({ holder: { metadata: "m" }, waiters: 0 });
  const waiting = one.obtain("k", 10_000, { wait: Infinity });
  await proxy.commands.waitFor("SUBSCRIBE");
  await flush();
  await lock.release();
  const next = await waiting;
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  await flush();
  expect(await one.forceRelease("k")).toBe(true);
});

test("SCRIPT FLUSH at any moment disturbs no lock", async () => {
  const one = locker();
  let working = true;
  const flushing = (async () => {
    while (working) await server.command("SCRIPT", "FLUSH");
  })();
  let inside = 0;
  let most = 0;
  const work = Array.from({ length: 5 }, async () => {
    for (let round = 0; round < 10; round++) {
      const lock = await one.obtain("k", 10_000, { wait: Infinity });
      most = Math.max(most, ++inside);
      await lock.refresh();
      inside--;
      await lock.release();
    }
  });
  await Promise.all(work).finally(() => (working = false));
  await flushing;
  expect(most).toBe(1);
  expect(asked()).toContain("text");
});

test("the scripts write only keys they were given", async () => {
  // A server of a cluster refuses what was not declared; this one is told apart by what it holds.
  const one = locker();
  const lock = await one.obtain(["a", "b"], 60_000);
  const waiting = one.obtain("a", 60_000, { wait: 50 }).catch(() => undefined);
  await waiting;
  const keys = await server.command("KEYS", "*");
  const companions = ["a", "b"].flatMap((key) =>
    (["grant", "fence", "line", "waiters"] as const).map((what) => companion(key, what)),
  );
  for (const key of Array.isArray(keys) ? keys : []) {
    expect(["a", "b", ...companions]).toContain(key);
  }
  await lock.release();
});
