import { describe, expect, test } from "@jest/globals";
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from "redis";
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
  RESP_TYPES as RESP_TYPES5,
} from "redis-5";

import { createLocker, Locker, nodeRedisClient } from "../src/index.js";

const rootNodes = [{ url: "redis://127.0.0.1:1" }];
const sentinels = { name: "main", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] };

// What the compiler says to each line is half of the test: `pnpm typecheck` reads it.
describe("accepts", () => {
  test("a client of node-redis 6", () => {
    expect(createLocker(createClient())).toBeInstanceOf(Locker);
    expect(createLocker(createClient({ RESP: 2 }))).toBeInstanceOf(Locker);
    expect(createLocker(createClient({ RESP: 3, keyPrefix: "app:" }))).toBeInstanceOf(Locker);
  });

  test("a client of node-redis 6 with its types mapped", () => {
    const typeMapping = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String };
    expect(createLocker(createClient().withTypeMapping(typeMapping))).toBeInstanceOf(Locker);
    expect(createLocker(createClient({ commandOptions: { typeMapping } }))).toBeInstanceOf(Locker);
  });

  test("a pool of node-redis 6", () => {
    expect(createLocker(createClientPool())).toBeInstanceOf(Locker);
    expect(createLocker(createClient().createPool())).toBeInstanceOf(Locker);
  });

  test("a cluster of node-redis 6", () => {
    expect(createLocker(createCluster({ rootNodes }))).toBeInstanceOf(Locker);
  });

  test("a sentinel of node-redis 6", () => {
    expect(createLocker(createSentinel(sentinels))).toBeInstanceOf(Locker);
  });

  test("a client of node-redis 5", () => {
    expect(createLocker(createClient5())).toBeInstanceOf(Locker);
    expect(createLocker(createClient5({ RESP: 3 }))).toBeInstanceOf(Locker);
  });

  test("a client of node-redis 5 with its types mapped", () => {
    const typeMapping = { [RESP_TYPES5.BLOB_STRING]: Buffer, [RESP_TYPES5.NUMBER]: String };
    expect(createLocker(createClient5().withTypeMapping(typeMapping))).toBeInstanceOf(Locker);
  });

  test("a pool of node-redis 5", () => {
    expect(createLocker(createClientPool5())).toBeInstanceOf(Locker);
  });

  test("a cluster of node-redis 5", () => {
    expect(createLocker(createCluster5({ rootNodes }))).toBeInstanceOf(Locker);
  });

  test("a sentinel of node-redis 5", () => {
    expect(createLocker(createSentinel5(sentinels))).toBeInstanceOf(Locker);
  });

  test("any of them", () => {
    const some = pick(
      createClient(),
      createClientPool(),
      createCluster({ rootNodes }),
      createClient5(),
      createClientPool5(),
      createCluster5({ rootNodes }),
      createSentinel(sentinels),
      createSentinel5(sentinels),
    );
    expect(createLocker(some)).toBeInstanceOf(Locker);
  });
});

describe("refuses, saying what would be right,", () => {
  const right =
    "redis must be a client, pool, cluster or sentinel of node-redis, such as createClient({ url }), not ";

  test("nothing", () => {
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient(undefined)).toThrow(new TypeError(`${right}undefined`));
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient(null)).toThrow(new TypeError(`${right}null`));
    // @ts-expect-error -- no client
    expect(() => createLocker()).toThrow(new TypeError(`${right}undefined`));
  });

  test("an object that is no client", () => {
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient({})).toThrow(new TypeError(`${right}object`));
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient([])).toThrow(new TypeError(`${right}object`));
  });

  test("a client that is still being connected", async () => {
    const connecting = createClient({
      url: "redis://127.0.0.1:1",
      socket: { reconnectStrategy: false },
    });
    connecting.on("error", () => undefined);
    const promise = connecting.connect();
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient(promise)).toThrow(new TypeError(`${right}object`));
    await expect(promise).rejects.toThrow("ECONNREFUSED");
  });

  test("a URL, without repeating it", () => {
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient("redis://:secret@host")).toThrow(new TypeError(`${right}string`));
  });

  test("a function that makes clients", () => {
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient(createClient)).toThrow(new TypeError(`${right}function`));
  });

  test("a client of ioredis", () => {
    const ioredis = {
      status: "ready",
      options: {},
      evalsha: () => Promise.resolve(),
      eval: () => Promise.resolve(),
      duplicate: () => ioredis,
    };
    // @ts-expect-error -- no client
    expect(() => nodeRedisClient(ioredis)).toThrow(
      new TypeError(
        "redis must be a client, pool, cluster or sentinel of node-redis; that looks like an ioredis client: use @redislock/ioredis",
      ),
    );
  });
});

/** One of them, the compiler cannot know which. */
function pick<T extends unknown[]>(...choices: T): T[number] {
  return choices[Math.floor(Math.random() * choices.length)];
}
