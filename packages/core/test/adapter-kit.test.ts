/** What adapters are made of: without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import {
  anyNode,
  asServerError,
  defineAdapter,
  endTogether,
  type Life,
  type RedisClient,
  runScript,
  type Script,
  ServerError,
  type SocketLike,
  writeTogether,
} from "../src/adapter.js";
import { Locker } from "../src/index.js";

const SCRIPT: Script = { name: "one", source: "return 1", sha1: "e0e1f9" };

describe("a script", () => {
  /** What is sent, while by its hash it fails with this. */
  async function sent(error?: Error, text: () => Promise<unknown> = async () => "by its text") {
    const commands: string[] = [];
    const outcome = runScript(SCRIPT, {
      evalsha: async (sha1) => {
        commands.push(`EVALSHA ${sha1}`);
        if (error) throw error;
        return 7;
      },
      eval: (source) => {
        commands.push(`EVAL ${source}`);
        return text();
      },
    });
    return { commands, outcome: await outcome.catch((reason: unknown) => reason) };
  }

  test("is run by its hash", async () => {
    expect(await sent()).toEqual({ commands: ["EVALSHA e0e1f9"], outcome: "7" });
  });

  test("is sent as text where it is not known", async () => {
    expect(await sent(new Error("NOSCRIPT No matching script."))).toEqual({
      commands: ["EVALSHA e0e1f9", "EVAL return 1"],
      outcome: "by its text",
    });
  });

  test.each([
    new Error("WRONGTYPE NOSCRIPT is not what this says"),
    new Error("the connection was lost: NOSCRIPT "),
  ])("is not sent as text after %p", async (error) => {
    expect((await sent(error)).commands).toEqual(["EVALSHA e0e1f9"]);
  });

  test("that fails as text says what the server said", async () => {
    const text = (): Promise<never> => Promise.reject(new Error("OOM command not allowed"));
    const { outcome } = await sent(new Error("NOSCRIPT No matching script."), text);
    expect(outcome).toBeInstanceOf(ServerError);
    expect(outcome).toMatchObject({ reply: "OOM", message: "OOM command not allowed" });
  });
});

test.each(["ERR no", "OK no", "WRONGTYPE Operation against a key"])(
  "%j is of the server",
  (text) => {
    expect(asServerError(new Error(text))).toBeInstanceOf(ServerError);
  },
);

test.each([
  new Error("Connection is closed."),
  new Error("E no"),
  new Error("ERR"),
  new Error("Err no"),
  new Error("an ERR no"),
  new Error("ERR1 no"),
  { message: "ERR no" },
  null,
])("%p is not", (error) => {
  expect(asServerError(error)).toBe(error);
});

describe("an adapter", () => {
  interface Needed {
    evalsha: () => unknown;
    duplicate: () => unknown;
  }
  const wrap = (): RedisClient => ({ run: () => Promise.resolve(null) });
  const expected = {
    what: "a Redis of ioredis",
    example: "new Redis(url)",
    methods: ["evalsha", "duplicate"],
  };
  const adapter = defineAdapter<Needed>(expected, wrap);
  const good = (): Needed => ({ evalsha: () => 1, duplicate: () => 2 });

  test("wraps a client once", () => {
    const one = good();
    expect(adapter(one)).toBe(adapter(one));
    expect(adapter(good())).not.toBe(adapter(one));
  });

  test.each([
    [null, "not null"],
    [undefined, "not undefined"],
    ["redis://me:s3cret@here", "not string"],
    [{}, "not object"],
    [{ evalsha: () => 1 }, "not object"],
    [{ evalsha: 1, duplicate: () => 2 }, "not object"],
    [() => 1, "not function"],
  ])("refuses %p", (given, kind) => {
    const make = (): unknown => Reflect.apply(adapter, undefined, [given]);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(
      new TypeError(`redis must be a Redis of ioredis, such as new Redis(url), ${kind}`),
    );
  });

  test.each([
    ["evalSha", "a node-redis client: use @redislock/node-redis"],
    ["customCommand", "a Valkey GLIDE client: use @redislock/valkey-glide"],
  ])("knows whose client has %s", (method, hint) => {
    const make = (): unknown =>
      Reflect.apply(adapter, undefined, [{ evalsha: () => 1, [method]: () => 1 }]);
    expect(make).toThrow(
      new TypeError(`redis must be a Redis of ioredis; that looks like ${hint}`),
    );
  });

  test("knows a client of ioredis by what it alone has", () => {
    const other = defineAdapter({ ...expected, what: "another", methods: ["other"] }, wrap);
    const make = (): unknown => other({ evalsha: () => 1 });
    expect(make).toThrow(
      new TypeError(
        "redis must be another; that looks like an ioredis client: use @redislock/ioredis",
      ),
    );
  });
});

describe("what is sent in one moment", () => {
  class Socket implements SocketLike {
    writableCorked = 0;
    readonly calls: string[] = [];
    cork(): void {
      this.writableCorked++;
      this.calls.push("cork");
    }
    uncork(): void {
      this.writableCorked--;
      this.calls.push("uncork");
    }
  }

  test("leaves in one write", async () => {
    const socket = new Socket();
    writeTogether(socket);
    writeTogether(socket);
    expect(socket.calls).toEqual(["cork"]);
    await Promise.resolve();
    expect(socket.calls).toEqual(["cork", "uncork"]);
    writeTogether(socket);
    expect(socket.calls).toEqual(["cork", "uncork", "cork"]);
  });

  test("leaves as ever where no socket is known", () => {
    expect(() => writeTogether(undefined)).not.toThrow();
  });
});

describe("connections beside a client", () => {
  class Client {
    readonly listeners = new Set<(reason: Error) => void>();
    listened = 0;
    listen(listener: (reason: Error) => void): void {
      this.listened++;
      this.listeners.add(listener);
    }
    move(): void {
      for (const listener of this.listeners) listener(new Error("moved"));
    }
  }

  function newLife(): Life & { reason: unknown } {
    let end: (reason: unknown) => void = () => undefined;
    const ended = new Promise<unknown>((resolve) => (end = resolve));
    const life = { end, ended, reason: undefined as unknown };
    void ended.then((reason) => (life.reason = reason));
    return life;
  }

  const watched = endTogether<Client>((client, moved) => {
    client.listen(moved);
    return () => client.listeners.delete(moved);
  });

  test("end when it moves, and those of no other", async () => {
    const [client, other] = [new Client(), new Client()];
    const [one, two, three] = [newLife(), newLife(), newLife()];
    for (const life of [one, two]) watched(client, life);
    watched(other, three);
    expect(client.listened).toBe(1);
    client.move();
    await Promise.resolve();
    expect([one, two, three].map(({ reason }) => reason)).toEqual([
      new Error("moved"),
      new Error("moved"),
      undefined,
    ]);
  });

  test("are listened for while there are any, and anew when there is one again", async () => {
    const client = new Client();
    const [one, two, three] = [newLife(), newLife(), newLife()];
    for (const life of [one, two]) watched(client, life);
    one.end("lost");
    await one.ended;
    expect(client.listeners.size).toBe(1);
    two.end("closed");
    await two.ended;
    expect([client.listeners.size, client.listened]).toEqual([0, 1]);
    watched(client, three);
    expect([client.listeners.size, client.listened]).toEqual([1, 2]);
    client.move();
    await three.ended;
    expect([one, two, three].map(({ reason }) => reason)).toEqual([
      "lost",
      "closed",
      new Error("moved"),
    ]);
  });

  test("are listened for once, where that is for good", async () => {
    const forGood = endTogether<Client>((client, moved) => {
      client.listen(moved);
      return undefined;
    });
    const client = new Client();
    const [one, two] = [newLife(), newLife()];
    forGood(client, one);
    one.end("lost");
    await one.ended;
    forGood(client, two);
    expect([client.listeners.size, client.listened]).toEqual([1, 1]);
    client.move();
    await two.ended;
    expect(two.reason).toEqual(new Error("moved"));
  });
});

test("any node will do, each of them some time", () => {
  expect(() => anyNode([])).toThrow(new Error("No node of the cluster is connected"));
  const nodes = ["a", "b", "c"];
  const met = new Set(Array.from({ length: 1_000 }, () => anyNode(nodes)));
  expect([...met].sort()).toEqual(nodes);
});

test.each<[unknown, string]>([
  ["QUEUED", '"QUEUED"'],
  ["fifteen letters", '"fifteen letters"'],
  ["sixteen letters.", "a text of 16 characters"],
  [null, "nil"],
  [undefined, "nil"],
  [true, "boolean"],
  [["a", ["b", null]], '["a", ["b", nil]]'],
  [{ result: "1" }, "object"],
  [Object.create(null), "object"],
  [Symbol("reply"), "symbol"],
  [["1", "2", "3", "4", "5"], '["1", "2", "3", "4", "5"]'],
  [["1", "2", "3", "4", "5", "6"], '["1", "2", "3", "4", "5", …]'],
])("a reply that no script gives is told, but for what may be a token: %j", async (reply, text) => {
  const client: RedisClient = { run: async () => null };
  Reflect.set(client, "run", async () => reply);
  const locker = new Locker(client);
  expect(await failure(locker.obtain("k", 60_000))).toMatchObject({ code: "UNKNOWN" });
  const error = await failure(locker.forceRelease("k"));
  expect(error).toMatchObject({
    code: "UNKNOWN",
    cause: {
      name: "UnexpectedReplyError",
      message: `Redis gave a reply that the script cannot give: ${text}`,
    },
  });
});

test("an inspection that cannot even be looked at is not understood", async () => {
  const client: RedisClient = { run: async () => null };
  Reflect.set(client, "run", async () => ({ result: [null, null, null, "0"] }));
  expect(await failure(new Locker(client).inspect("k"))).toMatchObject({ code: "UNKNOWN" });
});
