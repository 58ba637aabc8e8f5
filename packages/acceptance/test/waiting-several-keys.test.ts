/** Standing in line for several keys at once. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Lock, Locker } from "@redislock/core";
import { line, startServer, untilInLine, type RedisServer } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { cast, ioredis, nodeRedis, nodeRedisPool, type User } from "./clients.js";
import { loadScripts } from "./scenes.js";

const LONG = 30_000;

let server: RedisServer;
const users: User[] = [];

beforeAll(async () => {
  server = await startServer();
});

beforeEach(async () => {
  await server.command("FLUSHALL");
  await loadScripts(server);
});

afterEach(() => {
  for (const user of users.splice(0)) user.destroy();
});

afterAll(async () => {
  await server.stop();
});

async function locker(kind = ioredis(6)): Promise<Locker> {
  const user = await kind.connect(server.port);
  users.push(user);
  return user.locker();
}

describe.each(cast([ioredis(5), ioredis(6), nodeRedis(5), nodeRedis(6), nodeRedisPool(6)]))(
  "$name",
  (kind) => {
    test("all keys are had at once, or none: no part of them is held while waiting", async () => {
      const [us, them] = [await locker(kind), await locker(kind)];
      const held = await them.obtain("b", LONG);
      const waiting = us.obtain(["a", "b", "c"], LONG, { wait: LONG });
      await untilInLine(server, "b", 1);
      expect(await server.command("EXISTS", "a", "b", "c")).toBe(1);
      await held.release();
      const lock = await waiting;
      const values = await server.command("MGET", "a", "b", "c");
      expect(new Set(Array.isArray(values) ? values : [])).toEqual(new Set([lock.token]));
      expect(lock.fencingToken).toBeGreaterThan(held.fencingToken);
      await lock.release();
      expect(await server.command("EXISTS", "a", "b", "c")).toBe(0);
      for (const key of ["a", "b", "c"]) expect(await line(server, key)).toEqual([]);
    });

    test("a key whose turn it is stays free for who waits for another too: single keys wait behind", async () => {
      const [us, them] = [await locker(kind), await locker(kind)];
      const held = await them.obtain("b", LONG);
      const waiting = us.obtain(["a", "b"], LONG, { wait: LONG });
      await untilInLine(server, "a", 1);
      expect(await them.tryObtain("a", LONG)).toBeNull();
      const single = them.obtain("a", LONG, { wait: LONG });
      await untilInLine(server, "a", 2);
      await held.release();
      const lock = await waiting;
      expect(lock.keys).toEqual(["a", "b"]);
      await lock.release();
      await (await single).release();
    });

    test("who gives up frees what was kept for it", async () => {
      const [us, them] = [await locker(kind), await locker(kind)];
      const held = await them.obtain("b", LONG);
      const abort = new AbortController();
      const waiting = us.obtain(["a", "b"], LONG, { wait: LONG, signal: abort.signal });
      waiting.catch(() => undefined);
      await untilInLine(server, "a", 1);
      const single = them.obtain("a", LONG, { wait: LONG });
      await untilInLine(server, "a", 2);
      abort.abort();
      await (await single).release();
      await held.release();
      expect(await line(server, "b")).toEqual([]);
    });
  },
);

test("two that want the same keys in either order and a crowd that wants one of them: no deadlock, nobody starves", async () => {
  const ROUNDS = 15;
  const inside = new Map<string, string>();
  const turns: string[] = [];
  const work = async (name: string, one: Locker, keys: string[], done?: () => boolean) => {
    for (let i = 0; done ? !done() : i < ROUNDS; i++) {
      const lock: Lock = await one.obtain(keys, LONG, { wait: LONG });
      for (const key of keys) {
        expect(inside.get(key)).toBeUndefined();
        inside.set(key, name);
      }
      turns.push(name);
      await sleep(1);
      for (const key of keys) inside.delete(key);
      await lock.release();
    }
  };
  let left = 2;
  const pair = async (name: string, one: Locker, keys: string[]): Promise<void> => {
    await work(name, one, keys);
    left--;
  };
  const [first, second, third] = [
    await locker(ioredis(6)),
    await locker(nodeRedis(6)),
    await locker(nodeRedisPool(6)),
  ];
  await Promise.all([
    pair("both", first, ["a", "b"]),
    pair("crosswise", second, ["b", "a"]),
    ...[1, 2, 3, 4].flatMap((i) => [
      work(`a${i}`, i % 2 === 0 ? first : third, ["a"], () => left === 0),
      work(`b${i}`, i % 2 === 0 ? second : third, ["b"], () => left === 0),
    ]),
  ]);
  // Fair: between two turns of a pair each of the eight singles has one turn, or two if the pair is slow
  // to come back. Polling gives them hundreds.
  const [from, to] = [turns.indexOf("both"), turns.lastIndexOf("both")];
  const singles = turns.slice(from, to).filter((name) => /\d/.test(name));
  expect(singles.length).toBeLessThanOrEqual(3 * 8 * ROUNDS);
  expect(await server.command("EXISTS", "a", "b")).toBe(0);
});
