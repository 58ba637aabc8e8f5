/** What is special about node-redis: its settings, its errors, and when it is closed. */
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import {
  failure,
  freePort,
  Heard,
  openInboxes,
  run,
  startProxiedServer,
  untilInLine,
  waitUntil,
} from "@redislock/test-kit";
import { inspect } from "node:util";
import { BasicClientSideCache, createClient } from "redis";
import { createClient as createClient5 } from "redis-5";

import {
  createLocker,
  nodeRedisClient,
  OutcomeUnknownError,
  type NodeRedisLike,
  type Subscription,
} from "../src/index.js";
import { ServerError } from "@redislock/core/adapter";
import { closeClients, kinds, type User } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterAll(stop);
let heard: Heard;
let subscriptions: Subscription[] = [];

beforeEach(async () => {
  heard = new Heard();
  await server.command("FLUSHALL");
  await server.command("SCRIPT", "FLUSH");
});

afterEach(async () => {
  await Promise.all(subscriptions.map((subscription) => subscription.close()));
  subscriptions = [];
  closeClients();
  await proxy.heal();
});

async function subscribe(redis: NodeRedisLike): Promise<Subscription> {
  const subscription = await nodeRedisClient(redis).subscribe?.("channel", heard);
  if (subscription === undefined) throw new Error("it cannot subscribe");
  subscriptions.push(subscription);
  return subscription;
}

/** A client whose commands all fail. */
function failing(error: Error): NodeRedisLike {
  const fail = (): Promise<never> => Promise.reject(error);
  return {
    isOpen: true,
    isReady: true,
    evalSha: fail,
    eval: fail,
    duplicate: () => createClient(),
  };
}

const SET = "return {redis.call('SET', KEYS[1], ARGV[1]), KEYS[1]}";

describe.each(kinds)("$name", ({ create, connect }) => {
  test("works with a database other than 0", async () => {
    const client = nodeRedisClient(await connect(server.port, { database: 3 }));
    await run(client, SET, ["key"], ["value"]);
    await expect(server.command("EXISTS", "key")).resolves.toBe(0);
    expect(await server.command("INFO", "keyspace")).toContain("db3:keys=1");
  });

  test("works with no keyPrefix, which it reports as an empty one", () => {
    expect(nodeRedisClient(create(server.port)).keyPrefix).toBe("");
  });

  describe("any other error than the server's is passed on as it is", () => {
    test("when the server hangs up before it answers", async () => {
      const client = nodeRedisClient(await connect(proxy.port));
      await run(client, "return 1");
      proxy.dropNextReply("EVALSHA");
      const error = await failure(run(client, "return 1"));
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ServerError);
    });

    test("before the client is connected and after it is closed", async () => {
      const redis = create(server.port);
      const client = nodeRedisClient(redis);
      const before = await failure(run(client, "return 1"));
      expect(before).toMatchObject({ message: "The client is closed" });
      expect(before).not.toBeInstanceOf(ServerError);
      await redis.connect();
      await expect(run(client, "return 1")).resolves.toBe("1");
      await redis.close();
      const after = await failure(run(client, "return 1"));
      expect(after).toMatchObject({ message: "The client is closed" });
    });
  });

  test("a subscription does not use the client's reconnectStrategy, whose pauses would keep the process alive", async () => {
    const reconnectStrategy = jest.fn((): false => false);
    await subscribe(await connect(proxy.port, { socket: { reconnectStrategy } }));
    await proxy.cutAll();
    expect(await heard.next()).toBe("resumed");
    // For the client's own connection.
    expect(reconnectStrategy).toHaveBeenCalledTimes(1);
  });

  test("a subscription hears what comes after a silence longer than the client's socketTimeout", async () => {
    const redis = await connect(proxy.port, { socket: { socketTimeout: 300 } });
    await subscribe(redis);
    // The user's own connection dies of the silence: that is how we know that it was long enough.
    await waitUntil(() => proxy.connections === 1, { what: "the user's connection to be gone" });
    await server.command("PUBLISH", "channel", "one");
    expect(await heard.next()).toBe("message: one");
  });

  test("is wrapped once: all lockers over it share one subscription", async () => {
    const redis = await connect(server.port);
    expect(nodeRedisClient(redis)).toBe(nodeRedisClient(redis));
    expect(nodeRedisClient(create(server.port))).not.toBe(nodeRedisClient(redis));
    const held = await createLocker(redis).obtain("key", 60_000);
    const lockers = Array.from({ length: 10 }, () => createLocker(redis));
    const waiting = lockers.map((locker) => locker.obtain("key", 60_000, { wait: 60_000 }));
    await untilInLine(server, "key", lockers.length);
    expect(await openInboxes(server)).toHaveLength(1);
    await held.release();
    for (const next of waiting) await (await next).release();
    await Promise.all(lockers.map((locker) => locker.close()));
  });

  describe("is closed", () => {
    test("before it is connected, and not from then on", async () => {
      const redis = create(server.port);
      const client = nodeRedisClient(redis);
      expect(client.closed).toBe(true);
      const connected = redis.connect();
      expect(client.closed).toBe(false);
      await connected;
      expect(client.closed).toBe(false);
    });

    test("after close, until it is connected again", async () => {
      const redis = await connect(server.port);
      const client = nodeRedisClient(redis);
      await redis.close();
      expect(client.closed).toBe(true);
      await redis.connect();
      expect(client.closed).toBe(false);
    });

    test("after destroy", async () => {
      const redis = await connect(server.port);
      const client = nodeRedisClient(redis);
      redis.destroy();
      expect(client.closed).toBe(true);
    });
  });
});

describe.each(kinds.filter(({ hasKeyPrefix }) => hasKeyPrefix))("$name", ({ create }) => {
  test.each(["app:", Buffer.from("äpp:")])(
    "works with the keyPrefix %s, which it reports",
    async (keyPrefix) => {
      const redis = create(server.port, { keyPrefix });
      await redis.connect();
      expect(nodeRedisClient(redis).keyPrefix).toBe(String(keyPrefix));
      const key = `${String(keyPrefix)}key`;
      for (const value of ["value", "again"]) {
        await expect(run(nodeRedisClient(redis), SET, ["key"], [value])).resolves.toEqual([
          "OK",
          key,
        ]);
      }
      await expect(server.command("GET", key)).resolves.toBe("again");
    },
  );
});

describe.each(kinds.filter(({ isPool }) => !isPool))("$name", ({ create }) => {
  const happened = (redis: User, event: "error" | "reconnecting"): Promise<void> =>
    new Promise((resolve) => redis.on(event, resolve));

  test("says that it is not connected until it is, and again when it has lost its connection", async () => {
    const redis = create(proxy.port, { socket: { reconnectStrategy: 60_000 } });
    const client = nodeRedisClient(redis);
    expect(client.connection).toBe("connecting or reconnecting");
    await redis.connect();
    expect(client.connection).toBeUndefined();
    const lost = happened(redis, "error");
    await proxy.cutAll();
    await lost;
    expect(client.connection).toBe("connecting or reconnecting");
  });

  test("says so in the error when nothing listens at the address, and no password", async () => {
    const redis = create(await freePort(), { username: "me", password: "s3cret" });
    const connecting = Promise.allSettled([redis.connect()]);
    const error = await failure(createLocker(redis, { commandTimeout: 300 }).obtain("a", 5_000));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toMatch(
      /no answer in \d+ ms: the client is not connected \(connecting or reconnecting\)$/,
    );
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("s3cret");
    redis.destroy();
    await connecting;
  });

  test("what the server refuses over a connection beside it is passed on in its words", async () => {
    const redis = create(server.port);
    await redis.connect();
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const side = await nodeRedisClient(redis).side?.open({ end, ended });
    const error = await failure(side?.send(["SET", "key"]) ?? Promise.resolve());
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ reply: "ERR" });
    expect(await side?.send(["PING"])).toBe("PONG");
    end();
  });

  test("its epoch is another once it has connected anew", async () => {
    const redis = create(proxy.port);
    await redis.connect();
    const client = nodeRedisClient(redis);
    const { epoch } = client;
    await run(client, "return 1");
    expect(epoch).toBeDefined();
    expect(client.epoch).toBe(epoch);
    await proxy.cutAll();
    await waitUntil(() => redis.isReady === true && client.epoch !== epoch, { what: "another" });
  });

  test("is not closed while it reconnects", async () => {
    const redis = create(proxy.port, { socket: { reconnectStrategy: 100 } });
    const client = nodeRedisClient(redis);
    await redis.connect();
    const lost = happened(redis, "error");
    proxy.refuse();
    await proxy.cutAll();
    await lost;
    expect(client.closed).toBe(false);
  });

  test("is closed once it has given up to reconnect", async () => {
    const redis = create(proxy.port, { socket: { reconnectStrategy: false } });
    const client = nodeRedisClient(redis);
    await redis.connect();
    const lost = happened(redis, "error");
    await proxy.cutAll();
    await lost;
    await Promise.resolve();
    expect(client.closed).toBe(true);
  });
});

describe.each(kinds.filter(({ isPool }) => isPool))("$name", ({ create }) => {
  test("says in the error that none of its clients is connected and free, until one is", async () => {
    const redis = create(proxy.port);
    proxy.silence();
    const connected = redis.connect();
    const locker = createLocker(redis, { commandTimeout: 300 });
    expect(String(await failure(locker.obtain("a", 5_000)))).toMatch(
      /no answer in \d+ ms: the client is not connected \(no client of the pool is connected and free\)$/,
    );
    proxy.speak({ deliver: true });
    await connected;
    await run(nodeRedisClient(redis), "return 1");
    expect(nodeRedisClient(redis).connection).toBeUndefined();
    await locker.close();
  });
});

test.each(["5", "6"])(
  "a subscription of node-redis %s leaves nothing with who gives credentials when its connection is lost",
  async (major) => {
    const told = new Set<unknown>();
    const credentials = { username: "default", password: "any" };
    const credentialsProvider = {
      type: "streaming-credentials-provider" as const,
      subscribe: async (one: unknown): Promise<[typeof credentials, { dispose(): void }]> => {
        told.add(one);
        return [credentials, { dispose: () => told.delete(one) }];
      },
      onReAuthenticationError: () => undefined,
    };
    const options = { url: server.url, credentialsProvider };
    const redis = major === "5" ? createClient5(options) : createClient(options);
    await redis.connect();
    try {
      const subscription = await subscribe(redis);
      for (let losses = 0; losses < 3; losses++) {
        await server.command("CLIENT", "KILL", "TYPE", "pubsub");
        expect(await heard.next()).toBe("resumed");
      }
      await waitUntil(() => told.size === 2, { what: "the client and one connection to be told" });
      await subscription.close();
      await waitUntil(() => told.size === 1, { what: "the client alone to be told" });
    } finally {
      redis.destroy();
    }
  },
);

describe("an error, as a minifier leaves it,", () => {
  // Renamed as minifiers do; node-redis gives its errors no other name.
  class A extends Error {}
  class B extends A {}

  test("is a ServerError if it begins with a code", async () => {
    const error = await failure(
      run(nodeRedisClient(failing(new B("OOM command not allowed"))), "return 1"),
    );
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ reply: "OOM" });
  });

  test.each<Error>([
    new A("Socket closed unexpectedly"),
    new A("The client is closed"),
    new A("Disconnects client"),
    new B("Socket timeout during maintenance. Expecting data, but didn't receive any in 10ms."),
    new A("Too many Cluster redirections"),
    new A(""),
    Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
  ])("is passed on as it is otherwise: $message", async (given) => {
    expect(await failure(run(nodeRedisClient(failing(given)), "return 1"))).toBe(given);
  });

  test("is a TypeError for a reply that no script of ours gives", async () => {
    const redis = { ...failing(new A()), evalSha: () => Promise.resolve(new Map()) };
    await expect(run(nodeRedisClient(redis), "return 1")).rejects.toThrow(TypeError);
  });
});

test("only what is needed is sent", async () => {
  const redis = createClient({ url: proxy.url, maintNotifications: "auto" });
  await redis.connect();
  try {
    proxy.commands.clear();
    await subscribe(redis);
    const sent = proxy.commands.all.map(([name, word]) => (name === "CLIENT" ? word : name));
    expect(sent).toEqual(["HELLO", "SETINFO", "SETINFO", "SUBSCRIBE"]);
  } finally {
    redis.destroy();
  }
});

test("a cache that the client shares with others is not emptied", async () => {
  const cache = new BasicClientSideCache();
  const redis = createClient({ url: server.url, RESP: 3, clientSideCache: cache });
  await redis.connect();
  try {
    await redis.get("key");
    expect(cache.size()).toBe(1);
    const subscription = await subscribe(redis);
    await subscription.close();
    await waitUntil(async () => (await server.command("PUBLISH", "channel", "anyone?")) === 0);
    expect(cache.size()).toBe(1);
  } finally {
    redis.destroy();
  }
});
