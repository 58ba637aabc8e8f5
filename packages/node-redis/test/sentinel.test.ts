/** A sentinel of node-redis: its waiters are told, whichever server is the master. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
  failure,
  follow,
  Heard,
  lastOrAll,
  openInboxes,
  run,
  startProxy,
  startSentinel,
  untilInLine,
  waitUntil,
  type RedisServer,
  SentinelSet,
} from "@redislock/test-kit";

import { createSentinel } from "redis";
import { createSentinel as createSentinel5 } from "redis-5";

import {
  createLocker,
  nodeRedisClient,
  OutcomeUnknownError,
  RefusedError,
  type Subscription,
} from "../src/index.js";
import { closeClients, versions, type SentinelOptions, type SentinelUser } from "./versions.js";

/** One of each major, as it comes. */
const asTheyCome = lastOrAll(versions.filter(({ name }) => /5 with RESP2|6 with RESP3/.test(name)));

let set: SentinelSet;
let heard: Heard;
let subscription: Subscription | undefined;

beforeEach(async () => {
  set = await startSentinel();
  heard = new Heard();
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
const failOvers = { planned, "after a crash": crash, "of a master that hangs": hang };

const listeners = async (server: RedisServer): Promise<number> =>
  Number([await server.command("PUBSUB", "NUMSUB", "channel")].flat()[1]);

describe.each(asTheyCome)("$name", ({ createSentinel, hasKeyPrefix }) => {
  async function connect(options?: SentinelOptions): Promise<SentinelUser> {
    const redis = createSentinel(set.sentinel.port, options);
    await redis.connect();
    return redis;
  }

  test("a waiter is told that it is its turn, and asks no more than is needed for that", async () => {
    const [one, two] = [createLocker(await connect()), createLocker(await connect())];
    const master = await set.master();
    const held = await one.obtain("key", 60_000);
    const waiting = two.obtain("key", 60_000, { wait: 60_000 });
    await untilInLine(master, "key", 1);
    const scripts = async (): Promise<number> => {
      const stats = String(await master.command("INFO", "commandstats"));
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]);
    };
    const before = await scripts();
    await held.release();
    const lock = await waiting;
    expect(await scripts()).toBeLessThanOrEqual(before + 2);
    await lock.release();
    await Promise.all([one.close(), two.close()]);
  });

  test("what is sent first after a failover that was heard of is known to be sent once", async () => {
    const redis = await connect();
    const locker = createLocker(redis);
    expect(await locker.forceRelease("nobody's")).toBe(false);
    const heardOf = new Promise<void>((resolve) =>
      redis.on("topology-change", ({ type }) => {
        if (type === "MASTER_CHANGE") resolve();
      }),
    );
    await Promise.all([heardOf, set.failOver()]);
    await waitUntil(() => Promise.resolve(redis.isReady !== false), { what: "a ready client" });
    expect(await locker.forceRelease("nobody's")).toBe(false);
    await locker.close();
  });

  describe.each(Object.entries(failOvers))("after a failover, %s,", (_, failOver) => {
    test("the epoch is another from the first answer of the new master on", async () => {
      const client = nodeRedisClient(await connect());
      expect(client.epoch).toBeUndefined();
      await run(client, "return 1");
      const { epoch } = client;
      expect(epoch).toBeDefined();
      await run(client, "return 1");
      expect(client.epoch).toBe(epoch);
      const { port } = await failOver();
      const answerer = "return string.match(redis.call('INFO', 'server'), 'tcp_port:(%d+)')";
      const isThere = async (): Promise<boolean> =>
        (await run(client, answerer).catch(() => undefined)) === String(port);
      await waitUntil(isThere, { what: "an answer of the new master" });
      expect(client.epoch).not.toBe(epoch);
    });

    test("a subscription says that it resumed, and hears what the new master says", async () => {
      subscription = await nodeRedisClient(await connect()).subscribe?.("channel", heard);
      const second = await failOver();
      expect(await heard.next()).toBe("resumed");
      await waitUntil(async () => (await listeners(second)) === 1, { what: "a listener" });
      await second.command("PUBLISH", "channel", "hello");
      // Whoever was the master hangs up once more when it is made a replica.
      expect(await heard.nextMessage()).toBe("message: hello");
    });

    test("a waiter keeps its place in line, and is told", async () => {
      const [one, two] = [createLocker(await connect()), createLocker(await connect())];
      const first = await set.master();
      const held = await one.obtain("key", 60_000);
      const waiting = two.obtain("key", 60_000, { wait: 60_000 });
      await untilInLine(first, "key", 1);
      await expect(first.command("WAIT", "1", "5000")).resolves.toBe(1);
      const second = await failOver();
      await waitUntil(async () => (await openInboxes(second)).length === 1, { what: "an inbox" });
      await untilInLine(second, "key", 1);
      await held.release();
      await (await waiting).release();
      await Promise.all([one.close(), two.close()]);
    });
  });

  test.each([
    ["after a crash", crash],
    ["of a master that hangs", hang],
  ] as const)(
    "a lock with minReplicas goes on at the replica after a failover, %s, once that has replicas",
    async (_, failOver) => {
      const locker = createLocker(await connect(), { minReplicas: 1 });
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
      if (failOver === crash) await first.restart();
      else first.resume();
      await follow(first, second); // Sooner than the sentinel sees to it.
      await waitUntil(refreshed, { what: "a replica to confirm", timeout: 60_000 });
      await expect(first.command("EXISTS", "key")).resolves.toBe(1);
      await lock.release();
      await locker.close();
    },
  );

  test("what was done, its reply lost with the connection, and whose copy is refused, is unknown", async () => {
    const master = await set.master();
    const proxy = await startProxy(master.port);
    try {
      const address = { host: "127.0.0.1", port: proxy.port };
      const redis = await connect({ nodeAddressMap: { [`127.0.0.1:${master.port}`]: address } });
      const locker = createLocker(redis, { commandTimeout: 60_000 });
      await (await locker.obtain("another", 60_000)).release();
      const fault = proxy.dropNextReply("EVALSHA");
      // No copy comes through before it is refused.
      proxy.refuse();
      const call = failure(locker.obtain("key", 60_000));
      await fault.happened;
      await master.command("ACL", "SETUSER", "default", "-evalsha", "-eval");
      await proxy.accept();
      const error = await call;
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(String(error)).toMatch(/sent again, it was refused: NOPERM/);
      await expect(master.command("EXISTS", "key")).resolves.toBe(1);
      expect(await failure(locker.obtain("third", 60_000))).toBeInstanceOf(RefusedError);
    } finally {
      await proxy.stop();
    }
  });

  test("what is released through one that was destroyed is unknown, with no TypeError of node-redis", async () => {
    const redis = await connect();
    const lock = await createLocker(redis).obtain("key", 60_000);
    await redis.destroy();
    const error = await failure(lock.release());
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toMatch(/outcome unknown: the client knows no server for the key$/);
  });

  test("a keyPrefix goes before the keys, once", async () => {
    const redis = await connect({ keyPrefix: "app:" });
    const lock = await createLocker(redis).obtain("key", 60_000);
    const master = await set.master();
    const key = hasKeyPrefix ? "app:key" : "key";
    await expect(master.command("GET", key)).resolves.toBe(lock.token);
    await lock.release();
    await expect(master.command("EXISTS", key)).resolves.toBe(0);
  });

  test("a subscription that is closed leaves no connection", async () => {
    subscription = await nodeRedisClient(await connect()).subscribe?.("channel", heard);
    const master = await set.master();
    expect(await listeners(master)).toBe(1);
    await subscription?.close();
    await waitUntil(async () => (await listeners(master)) === 0, { what: "no listener" });
  });
});

test.each(["5", "6"])(
  "a client of node-redis %s that nobody listened to hears later listeners after a subscription",
  async (major) => {
    const sentinelRootNodes = [{ host: "127.0.0.1", port: set.sentinel.port }];
    const options = { name: SentinelSet.name, sentinelRootNodes };
    const redis = major === "5" ? createSentinel5(options) : createSentinel(options);
    await redis.connect();
    subscription = await nodeRedisClient(redis).subscribe?.("channel", heard);
    await subscription?.close();
    const error = new Promise((resolve) => redis.once("error", resolve));
    await set.sentinel.crash();
    await expect(error).resolves.toBeDefined();
    redis.on("error", () => undefined);
    await redis.destroy();
  },
);
