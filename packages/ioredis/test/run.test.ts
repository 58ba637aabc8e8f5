import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startProxy, startServer, type FaultProxy, type RedisServer } from "@redislock/test-kit";
import { inspect } from "node:util";

import { ioredisClient, ServerError, type Reply } from "../src/index.js";
import { closeClients, script, versions, type User } from "./versions.js";

let server: RedisServer;
let proxy: FaultProxy;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

beforeEach(async () => {
  await server.command("FLUSHALL");
  await server.command("SCRIPT", "FLUSH");
  await server.command("CONFIG", "RESETSTAT");
});

afterEach(closeClients);

function run(
  redis: User,
  source: string,
  keys: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Reply> {
  return ioredisClient(redis).run(script(source), keys, args);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved to ${inspect(value)}`);
    },
    (error: unknown) => error,
  );
}

const SHAPES: readonly (readonly [string, Reply])[] = [
  ["return 7", "7"],
  ["return -1", "-1"],
  ["return 1795435353768901", "1795435353768901"],
  ["return 'text'", "text"],
  ["return '7'", "7"],
  ["return ''", ""],
  ["return 'naïve 🔒\\r\\n'", "naïve 🔒\r\n"],
  ["return redis.status_reply('DONE')", "DONE"],
  ["return nil", null],
  ["return false", null],
  ["return true", "1"],
  ["return redis.call('GET', 'nowhere')", null],
  ["return {}", []],
  ["return {1, 'two', false, {'three', {4}, {}}}", ["1", "two", null, ["three", ["4"], []]]],
];

describe.each(versions)("$name", ({ connect }) => {
  describe("replies come in one shape", () => {
    test.each(SHAPES)("%s", async (source, reply) => {
      await expect(run(connect(server.port), source)).resolves.toEqual(reply);
    });

    test.each(SHAPES)("with stringNumbers: %s", async (source, reply) => {
      const redis = connect(server.port, { stringNumbers: true });
      await expect(run(redis, source)).resolves.toEqual(reply);
    });

    test("what no script of ours replies with is a TypeError", async () => {
      const redis = connect(server.port);
      redis.evalsha = () => Promise.resolve(new Map());
      await expect(run(redis, "return 1")).rejects.toThrow(TypeError);
    });
  });

  test("keys and arguments arrive as they are", async () => {
    const keys = ["__proto__", "a\r\nb", "nul\0", "'\"\\", "{}", "🔒", "'] redis.call('FLUSHALL')"];
    const args = ["", "$5\r\nhello\r\n", "0", "KEYS[1]", "é", "e\u0301"];
    const reply = await run(connect(server.port), "return {KEYS, ARGV}", keys, args);
    expect(reply).toEqual([keys, args]);
  });

  describe("a script is sent by its hash", () => {
    const sent = (): string[] =>
      proxy.commands.all.map(([name = ""]) => name).filter((name) => name.startsWith("EVAL"));

    test("and as text, once, only when the server does not know it", async () => {
      const redis = connect(proxy.port);
      proxy.commands.clear();
      for (let i = 1; i <= 3; i++) {
        await expect(run(redis, "return ARGV[1]", [], [`${i}`])).resolves.toBe(`${i}`);
      }
      expect(sent()).toEqual(["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"]);
      await server.command("SCRIPT", "FLUSH");
      await expect(run(redis, "return ARGV[1]", [], ["4"])).resolves.toBe("4");
      expect(sent().slice(4)).toEqual(["EVALSHA", "EVAL"]);
    });

    test("while SCRIPT FLUSH happens at any moment", async () => {
      const redis = connect(server.port);
      const runs: Promise<Reply>[] = [];
      for (let i = 0; i < 200; i++) {
        runs.push(run(redis, "return redis.call('INCR', KEYS[1])", ["count"]));
        if (i % 10 === 0) await server.command("SCRIPT", "FLUSH");
      }
      const counts = (await Promise.all(runs)).map(Number).sort((a, b) => a - b);
      expect(counts).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    });

    test("not as text after any other error", async () => {
      const redis = connect(proxy.port);
      await server.command("LPUSH", "list", "1");
      await run(redis, "return redis.call('GET', KEYS[1])", ["text"]);
      proxy.commands.clear();
      await failure(run(redis, "return redis.call('GET', KEYS[1])", ["list"]));
      expect(sent()).toEqual(["EVALSHA"]);
    });
  });

  describe("works with", () => {
    const set = "return {redis.call('SET', KEYS[1], ARGV[1]), KEYS[1]}";

    test("keyPrefix, which it reports", async () => {
      const redis = connect(server.port, { keyPrefix: "app:" });
      expect(ioredisClient(redis).keyPrefix).toBe("app:");
      await expect(run(redis, set, ["key"], ["value"])).resolves.toEqual(["OK", "app:key"]);
      await expect(run(redis, set, ["key"], ["again"])).resolves.toEqual(["OK", "app:key"]);
      await expect(server.command("GET", "app:key")).resolves.toBe("again");
    });

    test("no keyPrefix, which it reports as an empty one", () => {
      expect(ioredisClient(connect(server.port)).keyPrefix).toBe("");
    });

    test("a db other than 0", async () => {
      const redis = connect(server.port, { db: 3 });
      await run(redis, set, ["key"], ["value"]);
      await expect(server.command("EXISTS", "key")).resolves.toBe(0);
      expect(await server.command("INFO", "keyspace")).toContain("db3:keys=1");
    });

    test("enableAutoPipelining", async () => {
      const redis = connect(server.port, { enableAutoPipelining: true });
      const echo = "return {KEYS[1], ARGV[1]}";
      const batch = (): Promise<Reply[]> =>
        Promise.all(["a", "b", "c"].map((name) => run(redis, echo, [name], [`of ${name}`])));
      const replies = ["a", "b", "c"].map((name) => [name, `of ${name}`]);
      await expect(batch()).resolves.toEqual(replies);
      await expect(batch()).resolves.toEqual(replies);
      await server.command("SCRIPT", "FLUSH");
      await expect(batch()).resolves.toEqual(replies);
    });

    test("lazyConnect", async () => {
      const redis = connect(server.port, { lazyConnect: true });
      const client = ioredisClient(redis);
      expect(client.closed).toBe(false);
      await expect(run(redis, "return 1")).resolves.toBe("1");
    });
  });

  describe("an error that the server answers is a ServerError", () => {
    test("with its text and its code", async () => {
      await server.command("LPUSH", "list", "1");
      const redis = connect(server.port);
      // By text the first time, by hash the second.
      for (let i = 0; i < 2; i++) {
        const error = await failure(run(redis, "return redis.call('GET', KEYS[1])", ["list"]));
        expect(error).toBeInstanceOf(ServerError);
        expect(error).toMatchObject({ reply: "WRONGTYPE" });
        expect(String(error)).toContain("Operation against a key holding the wrong kind of value");
      }
    });

    test("which a script made", async () => {
      const error = await failure(run(connect(server.port), "return {err = 'MINE is broken'}"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "MINE" });
    });

    test("for lack of permission", async () => {
      await server.command(...["ACL", "SETUSER", "poor", "on", "nopass", "~*", "+ping", "+info"]);
      const redis = connect(server.port, { username: "poor", password: "any" });
      const error = await failure(run(redis, "return 1"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "NOPERM" });
    });

    test("for a wrong password, which keeps the client from connecting", async () => {
      const redis = connect(server.port, { username: "nobody", password: "wrong" });
      const error = await failure(run(redis, "return 1"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "WRONGPASS" });
    });

    test("in a pipeline, next to those without", async () => {
      await server.command("LPUSH", "list", "1");
      const redis = connect(server.port, { enableAutoPipelining: true });
      const get = "return redis.call('GET', KEYS[1])";
      const [good, bad] = await Promise.allSettled([
        run(redis, get, ["nowhere"]),
        run(redis, get, ["list"]),
      ]);
      expect(good).toEqual({ status: "fulfilled", value: null });
      expect(bad).toMatchObject({ reason: expect.any(ServerError) });
    });

    test("and does not hold the arguments, as that of ioredis does", async () => {
      const redis = connect(server.port);
      const source = "return redis.error_reply('ERR no')";
      for (let i = 0; i < 2; i++) {
        const error = await failure(run(redis, source, ["some key"], ["secret token"]));
        expect(error).toBeInstanceOf(ServerError);
        expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("secret");
      }
    });

    test("also when a minifier has renamed the classes of ioredis", async () => {
      class A extends Error {
        override readonly name = "a";
      }
      const redis = connect(server.port, { lazyConnect: true });
      redis.evalsha = () => Promise.reject(new A("OOM command not allowed"));
      const error = await failure(run(redis, "return 1"));
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
      expect(await failure(run(redis, "return 1"))).toBe(given);
    });

    test("when the server hangs up before it answers", async () => {
      const redis = connect(proxy.port, { maxRetriesPerRequest: 0 });
      await run(redis, "return 1");
      proxy.dropNextReply("EVALSHA");
      const error = await failure(run(redis, "return 1"));
      expect(error).not.toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ name: "MaxRetriesPerRequestError" });
    });

    test("when the client is closed", async () => {
      const redis = connect(server.port);
      await redis.quit();
      const error = await failure(run(redis, "return 1"));
      expect(error).not.toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ message: "Connection is closed." });
    });
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
      await run(redis, "return 1");
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
      await run(redis, "return 1");
      const reconnecting = new Promise((resolve) => redis.once("reconnecting", resolve));
      await proxy.cutAll();
      await reconnecting;
      expect(client.closed).toBe(false);
    });

    test("once it has given up to reconnect", async () => {
      const redis = connect(proxy.port, { retryStrategy: () => null });
      const client = ioredisClient(redis);
      await run(redis, "return 1");
      const end = ended(redis);
      await proxy.cutAll();
      await end;
      expect(client.closed).toBe(true);
    });
  });
});
