import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { startProxy, startServer, type FaultProxy, type RedisServer } from "@redislock/test-kit";
import { inspect } from "node:util";

import { nodeRedisClient, ServerError, type NodeRedisLike, type Reply } from "../src/index.js";
import { BYTES, closeClients, kinds, script, type Options, type User } from "./versions.js";

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
});

afterEach(async () => {
  closeClients();
  await proxy.heal();
});

function run(
  redis: NodeRedisLike,
  source: string,
  keys: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Reply> {
  return nodeRedisClient(redis).run(script(source), keys, args);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved to ${inspect(value)}`);
    },
    (error: unknown) => error,
  );
}

/** A client whose commands all fail. */
function failing(error: Error): NodeRedisLike {
  const fail = (): Promise<never> => Promise.reject(error);
  return { isOpen: true, evalSha: fail, eval: fail };
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

const set = "return {redis.call('SET', KEYS[1], ARGV[1]), KEYS[1]}";

describe.each(kinds)("$name", ({ create }) => {
  async function connect(port: number, options?: Options): Promise<User> {
    const redis = create(port, options);
    await redis.connect();
    return redis;
  }

  describe("replies come in one shape", () => {
    test.each(SHAPES)("%s", async (source, reply) => {
      await expect(run(await connect(server.port), source)).resolves.toEqual(reply);
    });

    test.each(SHAPES)("with typeMapping: %s", async (source, reply) => {
      const redis = await connect(server.port, { commandOptions: { typeMapping: BYTES } });
      await expect(run(redis, source)).resolves.toEqual(reply);
    });
  });

  test("keys and arguments arrive as they are", async () => {
    const keys = ["__proto__", "a\r\nb", "nul\0", "'\"\\", "{}", "🔒", "'] redis.call('FLUSHALL')"];
    const args = ["", "$5\r\nhello\r\n", "0", "KEYS[1]", "é", "e\u0301"];
    const reply = await run(await connect(server.port), "return {KEYS, ARGV}", keys, args);
    expect(reply).toEqual([keys, args]);
  });

  describe("a script is sent by its hash", () => {
    const sent = (): string[] =>
      proxy.commands.all.map(([name = ""]) => name).filter((name) => name.startsWith("EVAL"));

    test("and as text, once, only when the server does not know it", async () => {
      const redis = await connect(proxy.port);
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
      const redis = await connect(server.port);
      const runs: Promise<Reply>[] = [];
      for (let i = 0; i < 200; i++) {
        runs.push(run(redis, "return redis.call('INCR', KEYS[1])", ["count"]));
        if (i % 10 === 0) await server.command("SCRIPT", "FLUSH");
      }
      const counts = (await Promise.all(runs)).map(Number).sort((a, b) => a - b);
      expect(counts).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    });

    test("not as text after any other error", async () => {
      const redis = await connect(proxy.port);
      await server.command("LPUSH", "list", "1");
      await run(redis, "return redis.call('GET', KEYS[1])", ["text"]);
      proxy.commands.clear();
      await failure(run(redis, "return redis.call('GET', KEYS[1])", ["list"]));
      expect(sent()).toEqual(["EVALSHA"]);
    });
  });

  describe("works with", () => {
    test("a database other than 0", async () => {
      const redis = await connect(server.port, { database: 3 });
      await run(redis, set, ["key"], ["value"]);
      await expect(server.command("EXISTS", "key")).resolves.toBe(0);
      expect(await server.command("INFO", "keyspace")).toContain("db3:keys=1");
    });

    test("disableOfflineQueue", async () => {
      const redis = await connect(server.port, { disableOfflineQueue: true });
      await expect(run(redis, "return 1")).resolves.toBe("1");
    });

    test("no keyPrefix, which it reports as an empty one", () => {
      expect(nodeRedisClient(create(server.port)).keyPrefix).toBe("");
    });
  });

  describe("an error that the server answers is a ServerError", () => {
    test("with its text and its code", async () => {
      await server.command("LPUSH", "list", "1");
      const redis = await connect(server.port);
      // By text the first time, by hash the second.
      for (let i = 0; i < 2; i++) {
        const error = await failure(run(redis, "return redis.call('GET', KEYS[1])", ["list"]));
        expect(error).toBeInstanceOf(ServerError);
        expect(error).toMatchObject({ reply: "WRONGTYPE" });
        expect(String(error)).toContain("Operation against a key holding the wrong kind of value");
      }
    });

    test("which a script made", async () => {
      const redis = await connect(server.port);
      const error = await failure(run(redis, "return {err = 'MINE is broken'}"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "MINE" });
    });

    test("for lack of permission", async () => {
      await server.command(...["ACL", "SETUSER", "poor", "on", "nopass", "~*", "+hello"]);
      const redis = await connect(server.port, { username: "poor", password: "any" });
      const error = await failure(run(redis, "return 1"));
      expect(error).toBeInstanceOf(ServerError);
      expect(error).toMatchObject({ reply: "NOPERM" });
    });

    test("and does not hold the arguments", async () => {
      const redis = await connect(server.port);
      const source = "return redis.error_reply('ERR no')";
      for (let i = 0; i < 2; i++) {
        const error = await failure(run(redis, source, ["some key"], ["secret token"]));
        expect(error).toBeInstanceOf(ServerError);
        expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("secret");
      }
    });
  });

  describe("any other error is passed on as it is", () => {
    test("when the server hangs up before it answers", async () => {
      const redis = await connect(proxy.port);
      await run(redis, "return 1");
      proxy.dropNextReply("EVALSHA");
      const error = await failure(run(redis, "return 1"));
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(ServerError);
    });

    test("before the client is connected and after it is closed", async () => {
      const redis = create(server.port);
      const before = await failure(run(redis, "return 1"));
      expect(before).toMatchObject({ message: "The client is closed" });
      expect(before).not.toBeInstanceOf(ServerError);
      await redis.connect();
      await expect(run(redis, "return 1")).resolves.toBe("1");
      await redis.close();
      const after = await failure(run(redis, "return 1"));
      expect(after).toMatchObject({ message: "The client is closed" });
    });
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
        await expect(run(redis, set, ["key"], [value])).resolves.toEqual(["OK", key]);
      }
      await expect(server.command("GET", key)).resolves.toBe("again");
    },
  );
});

describe.each(kinds.filter(({ isPool }) => !isPool))("$name", ({ create }) => {
  const happened = (redis: User, event: "error" | "reconnecting"): Promise<void> =>
    new Promise((resolve) => redis.on(event, resolve));

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

describe("an error, as a minifier leaves it,", () => {
  // Renamed as minifiers do; node-redis gives its errors no other name.
  class A extends Error {}
  class B extends A {}

  test("is a ServerError if it begins with a code", async () => {
    const error = await failure(run(failing(new B("OOM command not allowed")), "return 1"));
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
    expect(await failure(run(failing(given), "return 1"))).toBe(given);
  });

  test("is a TypeError for a reply that no script of ours gives", async () => {
    const redis = { ...failing(new A()), evalSha: () => Promise.resolve(new Map()) };
    await expect(run(redis, "return 1")).rejects.toThrow(TypeError);
  });
});
