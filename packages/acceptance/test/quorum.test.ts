/** Locks of several independent servers, through clients of both libraries, and mixed. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { RedisLockError } from "@redislock/core";
import { QuorumLocker } from "@redislock/core/quorum";
import { ioredisClient } from "@redislock/ioredis";
import { createQuorumLocker } from "@redislock/ioredis/quorum";
import { nodeRedisClient, type NodeRedisClientLike } from "@redislock/node-redis";
import { createQuorumLocker as createNodeRedisQuorumLocker } from "@redislock/node-redis/quorum";
import {
  companion,
  failure,
  startProxy,
  startServer,
  waitUntil,
  type RedisServer,
} from "@redislock/test-kit";
import { Redis } from "ioredis-6";
import { createClient } from "redis-6";

const TTL = 1_500;
/** The servers vote from their third second on. */
const options = { maxTtl: 1_500, commandTimeout: 1_000 };
const LOOPS = 4;

const servers = await Promise.all(Array.from({ length: 3 }, () => startServer()));
const ends: (() => unknown)[] = [];

beforeAll(() => Promise.all(servers.map(untilOld)));

afterAll(async () => {
  for (const server of servers) server.resume();
  for (const end of ends) end();
  await Promise.all(servers.map((server) => server.stop()));
});

async function untilOld(server: RedisServer): Promise<void> {
  const isOld = async (): Promise<boolean> => {
    const [, seconds] = /uptime_in_seconds:(\d+)/.exec(String(await server.command("INFO"))) ?? [];
    return Number(seconds) > 2;
  };
  await waitUntil(isOld, { what: "the server to be old enough to vote" });
}

function ioredis({ port }: Pick<RedisServer, "port">): Redis {
  const retryStrategy = (): number => 50;
  const redis = new Redis({ host: "127.0.0.1", port, retryStrategy, maxRetriesPerRequest: 1 });
  redis.on("error", () => undefined);
  ends.push(() => redis.disconnect());
  return redis;
}

async function nodeRedis({ port }: Pick<RedisServer, "port">): Promise<NodeRedisClientLike> {
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: 50 } });
  client.on("error", () => undefined);
  await client.connect();
  ends.push(() => client.isOpen && client.destroy());
  return client;
}

async function lockers(): Promise<QuorumLocker[]> {
  const [a, b, c] = servers;
  if (!a || !b || !c) throw new Error("There are not three servers");
  const all = [
    createQuorumLocker(servers.map(ioredis), options),
    createNodeRedisQuorumLocker(await Promise.all(servers.map(nodeRedis)), options),
    new QuorumLocker(
      [ioredisClient(ioredis(a)), nodeRedisClient(await nodeRedis(b)), ioredisClient(ioredis(c))],
      options,
    ),
    new QuorumLocker(
      [
        nodeRedisClient(await nodeRedis(a)),
        nodeRedisClient(await nodeRedis(b)),
        ioredisClient(ioredis(c)),
      ],
      options,
    ),
  ];
  for (const locker of all) ends.unshift(() => locker.close());
  return all;
}

function untilFree(key: string): Promise<unknown> {
  const names = [key, companion(key, "grant"), companion(key, "line"), companion(key, "waiters")];
  const isFree = async (): Promise<boolean> => {
    const counts = servers.map((server) => server.command("EXISTS", ...names));
    return (await Promise.all(counts)).every((count) => count === 0);
  };
  return waitUntil(isFree, { what: `nothing to be left of ${key}` });
}

/** Mishaps of one server at a time, each of which ends with all of them well and old. */
const mishaps: readonly {
  readonly what: string;
  readonly begin: (server: RedisServer) => unknown;
  readonly end: (server: RedisServer) => unknown;
}[] = [
  {
    what: "hangs",
    begin: (server) => server.pause(),
    end: (server) => server.resume(),
  },
  {
    what: "dies, and comes back with nothing",
    begin: (server) => server.crash(),
    end: async (server) => {
      await server.restart({ empty: true });
      await untilOld(server);
    },
  },
  {
    what: "forgets everything",
    begin: (server) => server.command("FLUSHALL"),
    end: () => undefined,
  },
];

test("sixteen who contend are alone inside, whichever one server hangs, dies or forgets", async () => {
  const all = await lockers();
  let [inside, sections, last, over] = [0, 0, 0, false];
  const wrong: string[] = [];
  const loop = async (locker: QuorumLocker): Promise<void> => {
    while (!over) {
      const lock = await locker.obtain("hot", TTL, { wait: 60_000, renew: true });
      if (++inside > 1) wrong.push(`${inside} were inside`);
      if (lock.fencingToken <= last) wrong.push(`${lock.fencingToken} came after ${last}`);
      last = lock.fencingToken;
      await new Promise((resolve) => setTimeout(resolve, 2));
      inside--;
      sections++;
      await lock[Symbol.asyncDispose]();
    }
  };
  const loops = all.flatMap((locker) => Array.from({ length: LOOPS }, () => loop(locker)));
  for (const server of servers) {
    for (const { what, begin, end } of mishaps) {
      await begin(server);
      const from = sections;
      await waitUntil(() => sections > from + 16, {
        what: `sections while a server ${what}`,
        timeout: 60_000,
      });
      await end(server);
    }
  }
  over = true;
  await Promise.all(loops);
  expect(wrong).toEqual([]);
  await untilFree("hot");
}, 240_000);

test("a lock is the same through every client", async () => {
  for (const locker of await lockers()) {
    const lock = await locker.obtain("k", TTL, { metadata: "me" });
    expect(await locker.inspect("k")).toMatchObject({ holder: { metadata: "me" }, held: 1 });
    expect(await locker.tryObtain("k", TTL)).toBeNull();
    await lock.refresh();
    await lock.release();
    await untilFree("k");
  }
});

/** Right after they were exchanged, the clients have no connection. */
function notYet(error: unknown): false {
  expect(error).toBeInstanceOf(RedisLockError);
  return false;
}

const libraries = [
  { name: "ioredis", connect: async (port: number) => ioredisClient(ioredis({ port })) },
  {
    name: "node-redis",
    connect: async (port: number) => nodeRedisClient(await nodeRedis({ port })),
  },
];

test.each(libraries)(
  "$name: two servers that exchange their addresses have one vote each, as before",
  async ({ connect }) => {
    const [a, b, c] = servers;
    if (!a || !b || !c) throw new Error("There are not three servers");
    const proxies = await Promise.all([a, c].map(({ port }) => startProxy(port)));
    const [first, third] = proxies;
    if (!first || !third) throw new Error("There are not two proxies");
    try {
      const [one, two, three] = await Promise.all(
        [first, b, third].map(({ port }) => connect(port)),
      );
      if (!one || !two || !three) throw new Error("There are not three clients");
      const locker = new QuorumLocker([one, two, three], options);
      ends.unshift(() => locker.close());
      await (await locker.obtain("known", TTL)).release();
      first.lead(c.port);
      third.lead(a.port);
      for (const proxy of proxies) await proxy.cutAll();
      const votes = async (): Promise<string> =>
        String(await Promise.all(servers.map((server) => server.command("EXISTS", "exchanged"))));
      const allVote = async (): Promise<boolean> =>
        locker.using("exchanged", TTL, async () => (await votes()) === "1,1,1").catch(notYet);
      await waitUntil(allVote, { what: "three votes" });
    } finally {
      for (const proxy of proxies) await proxy.stop();
    }
  },
);

test.each(libraries)(
  "$name: a server to which a second address leads from some time on has one vote",
  async ({ connect }) => {
    const [a, b, c] = servers;
    if (!a || !b || !c) throw new Error("There are not three servers");
    const proxy = await startProxy(c.port);
    try {
      const [one, two, three] = await Promise.all([a, b, proxy].map(({ port }) => connect(port)));
      if (!one || !two || !three) throw new Error("There are not three clients");
      const locker = new QuorumLocker([one, two, three], options);
      ends.unshift(() => locker.close());
      await (await locker.obtain("known", TTL)).release();
      // Somebody has a lock by the votes of the others.
      for (const server of [b, c]) await server.command("SET", "moved", "another's", "PX", "60000");
      proxy.lead(a.port);
      await proxy.cutAll();
      // At first its clients have no connection.
      const isSeen = async (): Promise<boolean> => {
        const error = await failure(locker.obtain("moved", TTL));
        return error instanceof TypeError && error.message.includes("are one server");
      };
      await waitUntil(isSeen, { what: "what is said of two addresses of one server" });
      await waitUntil(async () => (await a.command("EXISTS", "moved")) === 0, { what: "no vote" });
    } finally {
      await proxy.stop();
      for (const server of [b, c]) await server.command("DEL", "moved");
    }
  },
);
