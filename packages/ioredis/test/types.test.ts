import { describe, expect, test } from "@jest/globals";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import { Cluster as ClusterOfIovalkey, Redis as RedisOfIovalkey } from "iovalkey";

import { createLocker, ioredisClient, Locker } from "../src/index.js";

const lazyConnect = true;

// What the compiler says to each line is half of the test: `pnpm typecheck` reads it.
describe("accepts", () => {
  test("Redis of ioredis 6", () => {
    expect(createLocker(new Redis({ lazyConnect }))).toBeInstanceOf(Locker);
    expect(createLocker(new Redis("redis://127.0.0.1:1", { lazyConnect }))).toBeInstanceOf(Locker);
  });

  test("Redis of ioredis 6 whose replies are typed for RESP3", () => {
    const redis = new Redis({ lazyConnect, replyMapping: "resp3" });
    expect(createLocker(redis)).toBeInstanceOf(Locker);
  });

  test("Cluster of ioredis 6", () => {
    const options = { lazyConnect, redisOptions: { replyMapping: "resp3" as const } };
    expect(createLocker(new Cluster([], { lazyConnect }))).toBeInstanceOf(Locker);
    expect(createLocker(new Cluster([], options))).toBeInstanceOf(Locker);
  });

  test("Redis of ioredis 5", () => {
    expect(createLocker(new Redis5({ lazyConnect }))).toBeInstanceOf(Locker);
  });

  test("Cluster of ioredis 5", () => {
    expect(createLocker(new Cluster5([], { lazyConnect }))).toBeInstanceOf(Locker);
  });

  test("Redis and Cluster of iovalkey", () => {
    expect(createLocker(new RedisOfIovalkey({ lazyConnect }))).toBeInstanceOf(Locker);
    expect(createLocker(new ClusterOfIovalkey([], { lazyConnect }))).toBeInstanceOf(Locker);
  });

  test("either of the two, and either of the versions", () => {
    const some: Redis | Cluster | Redis5 | Cluster5 = pick(
      new Redis({ lazyConnect }),
      new Cluster([], { lazyConnect }),
      new Redis5({ lazyConnect }),
      new Cluster5([], { lazyConnect }),
    );
    expect(createLocker(some)).toBeInstanceOf(Locker);
  });
});

describe("refuses, saying what would be right,", () => {
  const right = "redis must be a Redis or Cluster of ioredis, such as new Redis(url), not ";

  test("nothing", () => {
    // @ts-expect-error -- no client
    expect(() => ioredisClient(undefined)).toThrow(new TypeError(`${right}undefined`));
    // @ts-expect-error -- no client
    expect(() => ioredisClient(null)).toThrow(new TypeError(`${right}null`));
    // @ts-expect-error -- no client
    expect(() => createLocker()).toThrow(new TypeError(`${right}undefined`));
  });

  test("an object that is no client", () => {
    // @ts-expect-error -- no client
    expect(() => ioredisClient({})).toThrow(new TypeError(`${right}object`));
    // @ts-expect-error -- no client
    expect(() => ioredisClient([])).toThrow(new TypeError(`${right}object`));
    // @ts-expect-error -- no client
    expect(() => ioredisClient(new Map())).toThrow(new TypeError(`${right}object`));
  });

  test("a URL, without repeating it", () => {
    // @ts-expect-error -- no client
    expect(() => ioredisClient("redis://:secret@host")).toThrow(new TypeError(`${right}string`));
  });

  test("the class instead of a client", () => {
    // @ts-expect-error -- no client
    expect(() => ioredisClient(Redis)).toThrow(new TypeError(`${right}function`));
    // @ts-expect-error -- no client
    expect(() => ioredisClient(Cluster5)).toThrow(new TypeError(`${right}function`));
  });

  test("the options of a client", () => {
    // @ts-expect-error -- no client
    expect(() => ioredisClient({ host: "127.0.0.1" })).toThrow(new TypeError(`${right}object`));
  });

  test("a client of Valkey GLIDE", () => {
    const glide = { customCommand: () => Promise.resolve(), close: () => undefined };
    // @ts-expect-error -- no client
    expect(() => ioredisClient(glide)).toThrow(
      new TypeError(
        "redis must be a Redis or Cluster of ioredis; that looks like a Valkey GLIDE client: use @redislock/valkey-glide",
      ),
    );
  });

  test("a client of node-redis", () => {
    const nodeRedis = {
      isOpen: true,
      isReady: true,
      options: {},
      evalSha: () => Promise.resolve(),
      eval: () => Promise.resolve(),
      duplicate: () => nodeRedis,
    };
    // @ts-expect-error -- no client
    expect(() => ioredisClient(nodeRedis)).toThrow(
      new TypeError(
        "redis must be a Redis or Cluster of ioredis; that looks like a node-redis client: use @redislock/node-redis",
      ),
    );
  });

  test("a pipeline, which answers when it is sent only", () => {
    // @ts-expect-error -- no client
    const refused: Parameters<typeof createLocker>[0] = new Redis({ lazyConnect }).pipeline();
    expect(refused).toBeDefined();
  });
});

/** One of them, the compiler cannot know which. */
function pick<T extends unknown[]>(...choices: T): T[number] {
  return choices[Math.floor(Math.random() * choices.length)];
}
