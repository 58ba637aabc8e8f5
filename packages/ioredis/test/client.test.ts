/** What is special about ioredis: its settings, its errors, and when it is closed. */
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import {
  failure,
  freePort,
  openInboxes,
  run,
  startProxiedServer,
  untilInLine,
} from "@redislock/test-kit";
import { once } from "node:events";
import { inspect } from "node:util";

import { createLocker, ioredisClient, OutcomeUnknownError } from "../src/index.js";
import { ServerError } from "@redislock/core/adapter";
import { closeClients, versions, type User } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterAll(stop);

beforeEach(async () => {
  await server.command("FLUSHALL");
  await server.command("SCRIPT", "FLUSH");
  await server.command("CONFIG", "RESETSTAT");
});

afterEach(closeClients);

const SET = "return {redis.call('SET', KEYS[1], ARGV[1]), KEYS[1]}";

describe.each(versions)("$name", ({ connect }) => {
  describe("works with", () => {
    test("keyPrefix, which it reports", async () => {
      const client = ioredisClient(connect(server.port, { keyPrefix: "app:" }));
      expect(client.keyPrefix).toBe("app:");
      await expect(run(client, SET, ["key"], ["value"])).resolves.toEqual(["OK", "app:key"]);
      await expect(run(client, SET, ["key"], ["again"])).resolves.toEqual(["OK", "app:key"]);
      await expect(server.command("GET", "app:key")).resolves.toBe("again");
    });

    test("no keyPrefix, which it reports as an empty one", () => {
      expect(ioredisClient(connect(server.port)).keyPrefix).toBe("");
    });

    test("a db other than 0", async () => {
      const client = ioredisClient(connect(server.port, { db: 3 }));
      await run(client, SET, ["key"], ["value"]);
      await expect(server.command("EXISTS", "key")).resolves.toBe(0);
      expect(await server.command("INFO", "keyspace")).toContain("db3:keys=1");
    });

    test("enableAutoPipelining, also when the server has forgotten the script", async () => {
      const client = ioredisClient(connect(server.port, { enableAutoPipelining: true }));
      const names = ["a", "b", "c"];
      const batch = (): Promise<unknown> =>
        Promise.all(
          names.map((name) => run(client, "return {KEYS[1], ARGV[1]}", [name], [`of ${name}`])),
        );
      const replies = names.map((name) => [name, `of ${name}`]);
      await expect(batch()).resolves.toEqual(replies);
      await server.command("SCRIPT", "FLUSH");
      await expect(batch()).resolves.toEqual(replies);
    });
  });

  test("what no script of ours replies with is a TypeError", async () => {
    const redis = connect(server.port);
    redis.evalsha = () => Promise.resolve(new Map());
    await expect(run(ioredisClient(redis), "return 1")).rejects.toThrow(TypeError);
  });

  describe("an error that the server answers is a ServerError", () => {
    test("for a wrong password, which keeps the client from connecting", async () => {
      const redis = connect(server.port, { username: "nobody", password: "wrong" });
      const error = await failure(run(ioredisClient(redis), "return 1"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "WRONGPASS" });
    });

    test("in a pipeline, next to those without", async () => {
      await server.command("LPUSH", "list", "1");
      const client = ioredisClient(connect(server.port, { enableAutoPipelining: true }));
      const get = "return redis.call('GET', KEYS[1])";
      const [good, bad] = await Promise.allSettled([
        run(client, get, ["nowhere"]),
        run(client, get, ["list"]),
      ]);
      expect(good).toEqual({ status: "fulfilled", value: null });
      expect(bad).toMatchObject({ reason: expect.any(ServerError) });
    });

    test("also when a minifier has renamed the classes of ioredis", async () => {
      class A extends Error {
        override readonly name = "a";
      }
      const redis = connect(server.port, { lazyConnect: true });
      redis.evalsha = () => Promise.reject(new A("OOM command not allowed"));
      const error = await failure(run(ioredisClient(redis), "return 1"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "OOM" });
    });
  });

  describe("any other error is passed on as it is", () => {
    test.each([
      new Error("Connection is closed."),
      new Error("Command timed out"),
      Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
      new Error("Too many Cluster redirections. Last error: ReplyError: MOVED 1 127.0.0.1:1"),
    ])("$message", async (given) => {
      const redis = connect(server.port, { lazyConnect: true });
      redis.evalsha = () => Promise.reject(given);
      expect(await failure(run(ioredisClient(redis), "return 1"))).toBe(given);
    });

    test("when the server hangs up before it answers", async () => {
      const client = ioredisClient(connect(proxy.port, { maxRetriesPerRequest: 0 }));
      await run(client, "return 1");
      proxy.dropNextReply("EVALSHA");
      const error = await failure(run(client, "return 1"));
      expect(error).not.toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ name: "MaxRetriesPerRequestError" });
    });

    test("when the client is closed", async () => {
      const redis = connect(server.port);
      await redis.quit();
      const error = await failure(run(ioredisClient(redis), "return 1"));
      expect(error).not.toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ message: "Connection is closed." });
    });
  });

  describe("the state of the connection", () => {
    test("is told until it is ready, and again when it is lost", async () => {
      const redis = connect(proxy.port, { lazyConnect: true, retryStrategy: () => 60_000 });
      const client = ioredisClient(redis);
      expect(client.connection).toBe("wait");
      const connected = redis.connect();
      expect(client.connection).toBe("connecting");
      await connected;
      expect(client.connection).toBeUndefined();
      const reconnecting = once(redis, "reconnecting");
      await proxy.cutAll();
      await reconnecting;
      expect(client.connection).toBe("reconnecting");
    });

    test("is in the error when nothing listens at the address, and no password is", async () => {
      const redis = connect(await freePort(), { username: "me", password: "s3cret" });
      const error = await failure(createLocker(redis, { commandTimeout: 300 }).obtain("a", 5_000));
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(String(error)).toMatch(
        /no answer in \d+ ms: the client is not connected \((re)?connecting\)$/,
      );
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("s3cret");
    });
  });

  test("is wrapped once: all lockers over it share one subscription", async () => {
    const redis = connect(server.port);
    expect(ioredisClient(redis)).toBe(ioredisClient(redis));
    expect(ioredisClient(connect(server.port))).not.toBe(ioredisClient(redis));
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
    const ended = (redis: User): Promise<void> =>
      new Promise((resolve) => {
        redis.once("end", () => {
          resolve();
        });
      });

    test("neither before nor while it is connected", async () => {
      const redis = connect(server.port, { lazyConnect: true });
      const client = ioredisClient(redis);
      expect(client.closed).toBe(false);
      const connected = redis.connect();
      expect(client.closed).toBe(false);
      await connected;
      expect(client.closed).toBe(false);
    });

    test("after quit", async () => {
      const redis = connect(server.port);
      const client = ioredisClient(redis);
      const end = ended(redis);
      await redis.quit();
      await end;
      expect(client.closed).toBe(true);
    });

    test("after disconnect, until it is connected again", async () => {
      const redis = connect(server.port);
      const client = ioredisClient(redis);
      await run(client, "return 1");
      const end = ended(redis);
      redis.disconnect();
      await end;
      expect(client.closed).toBe(true);
      await redis.connect();
      expect(client.closed).toBe(false);
    });

    test("not while it reconnects", async () => {
      const redis = connect(proxy.port, { retryStrategy: () => 60_000 });
      const client = ioredisClient(redis);
      await run(client, "return 1");
      const reconnecting = new Promise((resolve) => redis.once("reconnecting", resolve));
      await proxy.cutAll();
      await reconnecting;
      expect(client.closed).toBe(false);
    });

    test.each(["disconnect", "quit"] as const)(
      "after %s while it waits to connect again, which its status does not say",
      async (way) => {
        const redis = connect(proxy.port, { retryStrategy: () => 60_000 });
        const client = ioredisClient(redis);
        await run(client, "return 1");
        const reconnecting = once(redis, "reconnecting");
        await proxy.cutAll();
        await reconnecting;
        expect(client.closed).toBe(false);
        void redis[way]();
        expect([redis.status, client.closed]).toEqual(["reconnecting", true]);
      },
    );

    test("once it has given up to reconnect", async () => {
      const redis = connect(proxy.port, { retryStrategy: () => null });
      const client = ioredisClient(redis);
      await run(client, "return 1");
      const end = ended(redis);
      await proxy.cutAll();
      await end;
      expect(client.closed).toBe(true);
    });
  });

  test("a waiter comes to an end whose client is disconnected while it waits to connect again", async () => {
    const redis = connect(proxy.port, { retryStrategy: () => 60_000 });
    const locker = createLocker(redis, { commandTimeout: 300 });
    await locker.obtain("key", 60_000);
    const waiting = failure(locker.obtain("key", 60_000, { wait: Infinity }));
    await untilInLine(server, "key", 1);
    const reconnecting = once(redis, "reconnecting");
    proxy.refuse();
    await proxy.cutAll();
    await reconnecting;
    redis.disconnect();
    expect(await waiting).toBeInstanceOf(OutcomeUnknownError);
    await locker.close();
    await proxy.accept();
  });

  test("its epoch is another once it has connected anew", async () => {
    const redis = connect(server.port);
    const client = ioredisClient(redis);
    await run(client, "return 1");
    const { epoch } = client;
    await run(client, "return 1");
    expect(epoch).toBeDefined();
    expect(client.epoch).toBe(epoch);
    redis.disconnect(true);
    await run(client, "return 1");
    expect(client.epoch).not.toBe(epoch);
  });

  describe("a command that had to wait for a connection, and that ioredis sent again over another", () => {
    const TWICE = "if redis.call('INCR', KEYS[1]) == 1 then return 'first' end return ";

    async function answer(
      source: string,
      options: { readonly lazyConnect?: true },
    ): Promise<unknown> {
      await server.command("SCRIPT", "LOAD", source);
      const client = ioredisClient(connect(proxy.port, options));
      proxy.dropNextReply("EVALSHA");
      const error = await failure(run(client, source, ["n"]));
      expect(await server.command("GET", "n")).toBe("2");
      expect(client.connection).toBeUndefined();
      return error;
    }

    test.each([
      ["replied to", "'second'", {}],
      ["replied to", "'second'", { lazyConnect: true }],
      ["refused", "redis.error_reply('NOPERM no')", {}],
      ["refused", "redis.error_reply('NOPERM no')", { lazyConnect: true }],
    ] as const)("is unknown, where that copy was %s", async (_, second, options) => {
      const error = await answer(TWICE + second, options);
      expect(error).not.toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ message: "the connection was lost" });
    });

    test("so that a forced release says that it may have found somebody", async () => {
      const locker = createLocker(connect(server.port));
      await locker.forceRelease("k");
      await locker.obtain("k", 60_000);
      proxy.dropNextReply("EVALSHA");
      const waits = createLocker(connect(proxy.port, { lazyConnect: true }));
      expect(await waits.forceRelease("k")).toBe(true);
    });

    test("leaves no listener on the client, whatever becomes of it", async () => {
      for (const end of [() => undefined, (redis: User) => redis.disconnect()]) {
        const redis = connect(server.port, { lazyConnect: true });
        const client = ioredisClient(redis);
        const before = redis.listenerCount("ready");
        const sent = Array.from({ length: 3 }, () => run(client, "return 1"));
        expect(redis.listenerCount("ready")).toBe(before + 1);
        end(redis);
        await Promise.allSettled(sent);
        expect(redis.listenerCount("ready")).toBe(before);
      }
    });
  });

  test("has no listener of ours for a command that need not wait for a connection", async () => {
    const redis = connect(server.port);
    const client = ioredisClient(redis);
    const waiting = run(client, "return 1");
    expect(redis.listenerCount("ready")).toBe(1);
    await waiting;
    const running = run(client, "return 1");
    expect(redis.listenerCount("ready")).toBe(0);
    await running;
  });

  describe("a connection beside it", () => {
    /** Opens one, which ends with a reason. */
    async function open(redis: User): Promise<{ ended: Promise<unknown>; id: string }> {
      let end: (reason: unknown) => void = () => undefined;
      const ended = new Promise<unknown>((resolve) => (end = resolve));
      const side = await ioredisClient(redis).side?.open({ end, ended });
      return { ended, id: String(await side?.send(["CLIENT", "ID"])) };
    }

    test("does not keep the process alive", async () => {
      const redis = connect(server.port);
      await redis.ping();
      // Those alone that keep it alive.
      const sockets = (): number =>
        process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
      const before = sockets();
      await open(redis);
      expect(sockets()).toBe(before);
    });

    test("passes on what the server refuses, in its words", async () => {
      const life = { end: () => undefined, ended: new Promise<void>(() => undefined) };
      const side = await ioredisClient(connect(server.port)).side?.open(life);
      const error = await failure(side?.send(["SET", "key"]) ?? Promise.resolve());
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "ERR" });
      expect(await side?.send(["PING"])).toBe("PONG");
    });

    test("that is closed by the server says so", async () => {
      const { ended, id } = await open(connect(server.port));
      await server.command("CLIENT", "KILL", "ID", id);
      await expect(ended).resolves.toMatchObject({ message: "The connection was closed" });
    });

    test("ends when the client connects anew", async () => {
      const redis = connect(server.port);
      const { ended } = await open(redis);
      redis.disconnect(true);
      await expect(ended).resolves.toMatchObject({
        message: "The client itself was disconnected",
      });
    });
  });

  describe("subscribe", () => {
    const listener = { message: (): void => undefined, resumed: (): void => undefined };

    test("leaves the client's own connection as it is", async () => {
      const redis = connect(server.port);
      const client = ioredisClient(redis);
      const subscription = await client.subscribe?.("channel", listener);
      expect(redis.mode).toBe("normal");
      await subscription?.close();
    });

    test("fails when no sentinel knows the server, however long the client itself would try", async () => {
      const sentinelRetryStrategy = jest.fn(() => 1);
      const redis = connect(0, {
        // This one is no sentinel at all.
        sentinels: [{ host: "127.0.0.1", port: server.port }],
        name: "main",
        sentinelRetryStrategy,
        lazyConnect: true,
      });
      const subscribing = ioredisClient(redis).subscribe?.("channel", listener);
      await expect(subscribing).rejects.toThrow("All sentinels are unreachable");
      expect(sentinelRetryStrategy).not.toHaveBeenCalled();
    });
  });
});
