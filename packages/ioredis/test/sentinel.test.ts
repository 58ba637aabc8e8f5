/** A `Redis` of ioredis behind sentinels: with the right settings it follows the master. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  follow,
  Heard,
  lastOrAll,
  SentinelSet,
  startSentinel,
  waitUntil,
  type RedisServer,
} from "@redislock/test-kit";

import { createLocker, ioredisClient, type Subscription } from "../src/index.js";
import { closeClients, versions, type Options } from "./versions.js";

/** One of each major, as it comes. */
const asTheyCome = lastOrAll(versions.filter(({ name }) => !name.includes("RESP2")));

let set: SentinelSet;
let subscription: Subscription | undefined;

beforeEach(async () => {
  set = await startSentinel();
});

afterEach(async () => {
  await subscription?.close();
  subscription = undefined;
  closeClients();
  await set.stop();
});

/** Ways to lose a master. Each resolves with the new one. */
const planned = (): Promise<RedisServer> => set.failOver();
const crash = (): Promise<RedisServer> => set.crash();
const hang = (): Promise<RedisServer> => set.hang();

/** Settings of the client, and failovers that it follows with them. */
const cases: readonly [what: string, Options, () => Promise<RedisServer>][] = [
  ["a crash, with its defaults", {}, crash],
  ["a planned failover, with failoverDetector", { failoverDetector: true }, planned],
  ["a hang, with failoverDetector", { failoverDetector: true }, hang],
  ["a hang, with socketTimeout", { socketTimeout: 1_000 }, hang],
];

describe.each(asTheyCome)("$name", ({ connect }) => {
  test.each(cases)(
    "after %s, locks are taken at the new master, and a subscription hears it",
    async (_, options, failOver) => {
      const redis = connect(0, {
        ...options,
        sentinels: [{ host: "127.0.0.1", port: set.sentinel.port }],
        name: SentinelSet.name,
      });
      const locker = createLocker(redis, { commandTimeout: 10_000 });
      await (await locker.obtain("key", 60_000)).release();
      const heard = new Heard();
      subscription = await ioredisClient(redis).subscribe?.("channel", heard);
      const second = await failOver();
      // A socketTimeout counts from a command on.
      const sent = locker.inspect("key");
      expect(await heard.next()).toBe("resumed"); // By now it is known that the client has to move.
      await sent;
      const lock = await locker.obtain("key", 60_000);
      await expect(second.command("EXISTS", "key")).resolves.toBe(1);
      await lock.release();
      const listeners = async (): Promise<unknown> =>
        [await second.command("PUBSUB", "NUMSUB", "channel")].flat()[1];
      await waitUntil(async () => (await listeners()) === 1, { what: "a listener" });
      await second.command("PUBLISH", "channel", "hello");
      // Whoever was the master hangs up once more when it is made a replica.
      expect(await heard.nextMessage()).toBe("message: hello");
    },
  );

  test.each([
    ["crashes", crash, {}],
    ["hangs", hang, { failoverDetector: true }],
  ] as const)(
    "a lock with minReplicas goes on at the replica when its master %s, once that has replicas",
    async (_, failOver, options) => {
      const redis = connect(0, {
        ...options,
        sentinels: [{ host: "127.0.0.1", port: set.sentinel.port }],
        name: SentinelSet.name,
      });
      const locker = createLocker(redis, { minReplicas: 1 });
      const lock = await locker.obtain("key", 120_000);
      const first = await set.master();
      const second = await failOver();
      await expect(second.command("GET", "key")).resolves.toBe(lock.token);
      const refreshed = (): Promise<boolean> =>
        lock.refresh().then(
          () => true,
          () => false,
        );
      expect(await refreshed()).toBe(false);
      expect(lock.held).toBe(true);
      if (failOver === hang) first.resume();
      else await first.restart();
      await follow(first, second); // Sooner than the sentinel sees to it.
      await waitUntil(refreshed, { what: "a replica to confirm", timeout: 60_000 });
      await expect(first.command("EXISTS", "key")).resolves.toBe(1);
      await lock.release();
      await locker.close();
    },
  );

  test("a subscription leaves no listener on the client behind", async () => {
    const redis = connect(0, {
      sentinels: [{ host: "127.0.0.1", port: set.sentinel.port }],
      name: SentinelSet.name,
    });
    const before = redis.listenerCount("reconnecting");
    subscription = await ioredisClient(redis).subscribe?.("channel", new Heard());
    expect(redis.listenerCount("reconnecting")).toBe(before + 1);
    await subscription?.close();
    await Promise.resolve();
    expect(redis.listenerCount("reconnecting")).toBe(before);
  });
});
