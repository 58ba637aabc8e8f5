import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from "@jest/globals";
import {
  Heard,
  startProxy,
  startServer,
  waitUntil,
  type FaultProxy,
  type RedisServer,
} from "@redislock/test-kit";
import { BasicClientSideCache, createClient, createSentinel } from "redis";

import {
  nodeRedisClient,
  ServerError,
  type NodeRedisLike,
  type Subscription,
} from "../src/index.js";
import { BYTES, closeClients, kinds, script, type Options, type User } from "./versions.js";

let server: RedisServer;
let proxy: FaultProxy;
let subscriptions: Subscription[] = [];
let heard: Heard;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
  await server.command("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "resetchannels", "+@all");
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

beforeEach(() => {
  heard = new Heard();
});

afterEach(async () => {
  await Promise.all(subscriptions.map((subscription) => subscription.close()));
  subscriptions = [];
  closeClients();
  await proxy.heal();
  proxy.commands.clear();
  await untilSubscribers("channel", 0);
});

async function subscribe(
  redis: NodeRedisLike,
  channel = "channel",
  listener = heard,
): Promise<Subscription> {
  const client = nodeRedisClient(redis);
  if (client.subscribe === undefined) throw new Error("it cannot subscribe");
  const subscription = await client.subscribe(channel, listener);
  subscriptions.push(subscription);
  return subscription;
}

function publish(text: string, channel = "channel"): Promise<unknown> {
  return server.command("PUBLISH", channel, text);
}

async function subscribers(channel: string): Promise<unknown> {
  const [, count] = [await server.command("PUBSUB", "NUMSUB", channel)].flat();
  return count;
}

async function untilSubscribers(channel: string, count: number): Promise<void> {
  await waitUntil(async () => (await subscribers(channel)) === count, {
    what: `${count} subscribers`,
  });
}

describe.each(kinds)("$name", ({ create }) => {
  async function connect(port: number, options?: Options): Promise<User> {
    const redis = create(port, options);
    await redis.connect();
    return redis;
  }

  describe("hears", () => {
    test("every message from the moment that subscribe resolves", async () => {
      await subscribe(await connect(server.port));
      await expect(publish("one")).resolves.toBe(1);
      await publish("two");
      expect(await heard.next()).toBe("message: one");
      expect(await heard.next()).toBe("message: two");
    });

    test("nothing of other channels", async () => {
      const redis = await connect(server.port);
      const other = new Heard();
      await subscribe(redis);
      await subscribe(redis, "other", other);
      await publish("to the other", "other");
      await publish("to this one");
      expect(await heard.next()).toBe("message: to this one");
      expect(await other.next()).toBe("message: to the other");
      expect([...heard.rest, ...other.rest]).toEqual([]);
    });

    test("any text on a channel of any name", async () => {
      const name = "{🔒}\r\n*'\" \0é";
      await subscribe(await connect(server.port), name);
      await publish("{🔒}\r\n*'\" \0é", name);
      expect(await heard.next()).toBe("message: {🔒}\r\n*'\" \0é");
    });

    test("on a connection of its own, while the client goes on with its work", async () => {
      const redis = await connect(server.port);
      await subscribe(redis);
      await expect(nodeRedisClient(redis).run(script("return 1"), [], [])).resolves.toBe("1");
      const clients = await server.command("CLIENT", "LIST", "TYPE", "pubsub");
      expect(String(clients).trim().split("\n")).toHaveLength(1);
    });
  });

  test.each<[string, Options]>([
    ["disableOfflineQueue", { disableOfflineQueue: true }],
    ["keyPrefix", { keyPrefix: "app:" }],
    ["typeMapping", { commandOptions: { typeMapping: BYTES } }],
    ["database and name", { database: 3, name: "named" }],
    ["reconnectStrategy: false", { socket: { reconnectStrategy: false } }],
    ["pingInterval", { pingInterval: 10 }],
  ])("hears, and hears again after a loss, with %s", async (_, options) => {
    await subscribe(await connect(proxy.port, options));
    await publish("one");
    expect(await heard.next()).toBe("message: one");
    await proxy.cutAll();
    expect(await heard.next()).toBe("resumed");
    await publish("two");
    expect(await heard.next()).toBe("message: two");
  });

  test("does not use the client's reconnectStrategy, whose pauses would keep the process alive", async () => {
    const reconnectStrategy = jest.fn((): false => false);
    await subscribe(await connect(proxy.port, { socket: { reconnectStrategy } }));
    await proxy.cutAll();
    expect(await heard.next()).toBe("resumed");
    // For the client's own connection.
    expect(reconnectStrategy).toHaveBeenCalledTimes(1);
  });

  test("hears what comes after a silence longer than the client's socketTimeout", async () => {
    const redis = await connect(proxy.port, { socket: { socketTimeout: 300 } });
    await subscribe(redis);
    // The user's own connection dies of the silence: that is how we know that it was long enough.
    await waitUntil(() => proxy.connections === 1, { what: "the user's connection to be gone" });
    await publish("one");
    expect(await heard.next()).toBe("message: one");
  });

  describe("rejects", () => {
    test("with a ServerError when it is not permitted, and leaves nothing behind", async () => {
      const redis = await connect(proxy.port, { username: "deaf", password: "any" });
      const error = await subscribe(redis).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "NOPERM" });
      await waitUntil(() => proxy.connections === 1, { what: "the user's connection alone" });
      expect(proxy.commands.count("SUBSCRIBE")).toBe(1);
    });

    test("with a ServerError when it may not connect", async () => {
      const redis = await connect(server.port, { username: "deaf", password: "any" });
      await server.command("ACL", "SETUSER", "deaf", "off");
      try {
        const error = await subscribe(redis).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(ServerError);
        expect(error).toMatchObject({ reply: "WRONGPASS" });
      } finally {
        await server.command("ACL", "SETUSER", "deaf", "on");
      }
    });

    test("with the client's error when the server is not there", async () => {
      const redis = await connect(proxy.port);
      proxy.refuse();
      await expect(subscribe(redis)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    });

    test("when the server hangs up instead of an answer", async () => {
      const redis = await connect(proxy.port);
      proxy.swallowNextRequest("SUBSCRIBE");
      const error = await subscribe(redis).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ServerError);
      await waitUntil(() => proxy.connections === 1, { what: "the user's connection alone" });
    });

    test("when the server hangs up while it is greeted", async () => {
      const redis = await connect(proxy.port);
      proxy.swallowNextRequest();
      const error = await subscribe(redis).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ServerError);
      await waitUntil(() => proxy.connections === 1, { what: "the user's connection alone" });
    });
  });

  describe("after a loss", () => {
    test("says that it resumed, as often as it does", async () => {
      await subscribe(await connect(proxy.port));
      for (const text of ["one", "two", "three"]) {
        await proxy.cutAll();
        await publish("into the void");
        expect(await heard.next()).toBe("resumed");
        await publish(text);
        expect(await heard.next()).toBe(`message: ${text}`);
      }
      await untilSubscribers("channel", 1);
    });

    test("tries until the server is back, and says once that it resumed", async () => {
      const other = await startServer();
      try {
        await subscribe(await connect(other.port));
        await other.crash();
        await other.restart();
        expect(await heard.next()).toBe("resumed");
        await other.command("PUBLISH", "channel", "one");
        expect(await heard.next()).toBe("message: one");
      } finally {
        await other.stop();
      }
    });

    test("tries again when the new connection is lost, too", async () => {
      await subscribe(await connect(proxy.port));
      const swallowed = proxy.swallowNextRequest("SUBSCRIBE");
      await proxy.cutAll();
      await swallowed.happened;
      expect(await heard.next()).toBe("resumed");
      await publish("one");
      expect(await heard.next()).toBe("message: one");
    });
  });

  describe("close", () => {
    test("ends the connection, and does nothing the second time", async () => {
      const subscription = await subscribe(await connect(server.port));
      await subscription.close();
      await untilSubscribers("channel", 0);
      await subscription.close();
      await publish("one");
      expect(heard.rest).toEqual([]);
    });

    test("leaves the client alone", async () => {
      const redis = await connect(server.port);
      const subscription = await subscribe(redis);
      await subscription.close();
      await expect(nodeRedisClient(redis).run(script("return 1"), [], [])).resolves.toBe("1");
    });

    test("ends reconnecting", async () => {
      // The user's own connection does not come back.
      const redis = await connect(proxy.port, { socket: { reconnectStrategy: false } });
      const subscription = await subscribe(redis);
      // The new connection is open, its subscription not confirmed.
      const silent = proxy.silence();
      await proxy.cutAll();
      await silent.happened;
      await subscription.close();
      proxy.speak({ deliver: true });
      await waitUntil(() => proxy.connections === 0, { what: "no connection" });
      await untilSubscribers("channel", 0);
      expect(heard.rest).toEqual([]);
    });
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
    await untilSubscribers("channel", 0);
    expect(cache.size()).toBe(1);
  } finally {
    redis.destroy();
  }
});

test("a sentinel cannot subscribe", () => {
  const sentinelRootNodes = [{ host: "127.0.0.1", port: 1 }];
  const sentinel = createSentinel({ name: "main", sentinelRootNodes });
  expect("subscribe" in nodeRedisClient(sentinel)).toBe(false);
});
