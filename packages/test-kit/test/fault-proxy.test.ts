import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { once } from "node:events";
import { connect as dial, createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import {
  connect,
  freePort,
  startProxy,
  startServer,
  waitUntil,
  type FaultProxy,
  type RedisServer,
  type RespConnection,
} from "../src/index.js";

/** Milliseconds in which something that must not happen would have happened. */
const A_WHILE = 60;
const PING = "*1\r\n$4\r\nPING\r\n";
const PONG = "+PONG\r\n";

let server: RedisServer;
let proxy: FaultProxy;
let connections: RespConnection[] = [];

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server.port);
});

beforeEach(async () => {
  await server.command("FLUSHALL");
});

afterEach(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  connections = [];
  await proxy.heal();
  proxy.commands.clear();
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

async function client(): Promise<RespConnection> {
  const connection = await connect(proxy.port);
  connections.push(connection);
  return connection;
}

/** Of all connections that the server knows. */
async function ids(): Promise<string[]> {
  const list = String(await server.command("CLIENT", "LIST"));
  return [...list.matchAll(/^id=(\d+)/gm)].map(([, id = ""]) => id);
}

/** Whether it settles in a while. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, sleep(A_WHILE, false)]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

// Every fault must find its request among others, however the server phrases its replies.
describe.each(["2", "3"])("over RESP%s", (protocol) => {
  async function greeted(): Promise<RespConnection> {
    const connection = await client();
    await connection.send("HELLO", protocol);
    return connection;
  }

  it("passes everything on and tells what passed", async () => {
    const connection = await greeted();
    const replies = await Promise.all([
      connection.send("set", "key", "value"),
      connection.send("GET", "key"),
      connection.send("EVAL", "return {KEYS[1], ARGV[1], 3}", "1", "key", "arg"),
      connection.send("CONFIG", "GET", "maxmemory"),
      connection.send("GET", "nothing"),
    ]);
    expect(replies).toEqual(["OK", "value", ["key", "arg", 3], ["maxmemory", "0"], null]);
    expect(proxy.commands.all).toEqual([
      ["HELLO", protocol],
      ["SET", "key", "value"],
      ["GET", "key"],
      ["EVAL", "return {KEYS[1], ARGV[1], 3}", "1", "key", "arg"],
      ["CONFIG", "GET", "maxmemory"],
      ["GET", "nothing"],
    ]);
    expect(proxy.commands.count()).toBe(6);
    expect(proxy.commands.count("get")).toBe(2);
    expect(proxy.commands.count(["GET", "SET"])).toBe(3);
  });

  it("passes an error on as an error", async () => {
    const connection = await greeted();
    await connection.send("SET", "key", "value");
    await expect(connection.send("INCR", "key")).rejects.toMatchObject({
      name: "RespError",
      code: "ERR",
    });
  });

  it("drops the reply of the command meant, among others under way", async () => {
    const connection = await greeted();
    const fault = proxy.dropNextReply((command) => command[1] === "b");
    const before = connection.send("SET", "a", "1");
    const hit = connection.send("INCR", "b");
    const after = connection.send("SET", "c", "1");
    await expect(before).resolves.toBe("OK");
    await expect(hit).rejects.toThrow("closed");
    await expect(after).rejects.toThrow("closed");
    await expect(fault.happened).resolves.toEqual(["INCR", "b"]);
    await expect(server.command("GET", "b")).resolves.toBe("1");
  });

  it("drops a reply once", async () => {
    proxy.dropNextReply("INCR");
    await expect((await greeted()).send("INCR", "a")).rejects.toThrow("closed");
    await expect((await greeted()).send("INCR", "a")).resolves.toBe(2);
  });

  it("lets an error pass and waits for a command that is executed", async () => {
    const connection = await greeted();
    const fault = proxy.dropNextReply(["EVALSHA", "EVAL"]);
    await expect(connection.send("EVALSHA", "f".repeat(40), "0")).rejects.toMatchObject({
      code: "NOSCRIPT",
    });
    await expect(connection.send("EVAL", "return 1", "0")).rejects.toThrow("closed");
    await expect(fault.happened).resolves.toEqual(["EVAL", "return 1", "0"]);
  });

  it("swallows the request meant, after those before it are answered", async () => {
    const connection = await greeted();
    const fault = proxy.swallowNextRequest("INCR");
    const before = connection.send("SET", "a", "1");
    const hit = connection.send("INCR", "b");
    const after = connection.send("SET", "c", "1");
    await expect(before).resolves.toBe("OK");
    await expect(hit).rejects.toThrow("closed");
    await expect(after).rejects.toThrow("closed");
    await expect(fault.happened).resolves.toEqual(["INCR", "b"]);
    await expect(server.command("EXISTS", "b", "c")).resolves.toBe(0);
  });

  it("duplicates the request meant and passes the second reply", async () => {
    const connection = await greeted();
    const fault = proxy.duplicateNext("INCR");
    const replies = await Promise.all([
      connection.send("SET", "a", "1"),
      connection.send("INCR", "b"),
      connection.send("INCR", "b"),
    ]);
    expect(replies).toEqual(["OK", 2, 3]);
    await expect(fault.happened).resolves.toEqual(["INCR", "b"]);
  });

  it("hits nothing with a fault that was cancelled", async () => {
    proxy.dropNextReply("GET").cancel();
    await expect((await greeted()).send("GET", "a")).resolves.toBeNull();
  });

  it("tells messages from replies", async () => {
    const connection = await greeted();
    const heard: string[] = [];
    const replies = Promise.all([
      connection.subscribe("news", (message) => heard.push(message)),
      connection.send("PSUBSCRIBE", "a*", "b*"),
    ]);
    await replies;
    const fault = proxy.dropNextReply("PING");
    await server.command("PUBLISH", "news", "first");
    await server.command("PUBLISH", "news", "second");
    // The reply to PING comes after the messages, and alone is lost.
    await expect(connection.send("PING")).rejects.toThrow("closed");
    await expect(fault.happened).resolves.toEqual(["PING"]);
    expect(heard).toEqual(["first", "second"]);
  });

  it("finds the end of (un)subscriptions of several channels", async () => {
    const connection = await greeted();
    const confirmations = [connection.send("SUBSCRIBE", "a", "b"), connection.send("UNSUBSCRIBE")];
    await expect(Promise.all(confirmations)).resolves.toEqual([
      ["subscribe", "b", 2],
      ["unsubscribe", expect.any(String), 0],
    ]);
    // From nothing at all: a confirmation of nothing for Redis, a mistake for Valkey.
    const again = connection.send("UNSUBSCRIBE").catch(String);
    expect([["unsubscribe", null, 0], expect.stringContaining("NOSUB")]).toContainEqual(
      await again,
    );
    // An array that looks like a message, when it cannot be one.
    await connection.send("RPUSH", "list", "message", "x");
    proxy.duplicateNext("LRANGE");
    const replies = [connection.send("LRANGE", "list", "0", "-1"), connection.send("GET", "none")];
    await expect(Promise.all(replies)).resolves.toEqual([["message", "x"], null]);
  });

  it("understands what it slices", async () => {
    const connection = await greeted();
    proxy.slice(3);
    await connection.send("SET", "key", "ü".repeat(50));
    await expect(connection.send("GET", "key")).resolves.toBe("ü".repeat(50));
  });
});

describe("a silence", () => {
  it("lets no request pass, and drops what it held", async () => {
    const connection = await client();
    const silence = proxy.silence();
    const answer = connection.send("SET", "key", "value");
    await expect(silence.happened).resolves.toEqual(["SET", "key", "value"]);
    expect(await settles(answer)).toBe(false);
    await expect(server.command("EXISTS", "key")).resolves.toBe(0);
    expect(connection.open).toBe(true);
    proxy.speak();
    await expect(answer).rejects.toThrow("closed");
    await expect(server.command("EXISTS", "key")).resolves.toBe(0);
  });

  it("delivers what it held when told to", async () => {
    const connection = await client();
    const silence = proxy.silence();
    const answers = [connection.send("INCR", "key"), connection.send("INCR", "key")];
    await silence.happened;
    proxy.speak({ deliver: true });
    await expect(Promise.all(answers)).resolves.toEqual([1, 2]);
  });

  it("accepts new connections and says nothing", async () => {
    proxy.silence();
    const connection = await client();
    expect(await settles(connection.send("PING"))).toBe(false);
  });

  it("leaves alone the connections in which nothing was held", async () => {
    const [talker, listener] = [await client(), await client()];
    const silence = proxy.silence();
    const lost = talker.send("PING");
    await silence.happened;
    proxy.speak();
    await expect(lost).rejects.toThrow("closed");
    await expect(listener.send("PING")).resolves.toBe("PONG");
  });

  it("hides the end of a client from the server, and of the server from a client", async () => {
    const [leaver, stayer] = [await client(), await client()];
    const leaverId = String(await leaver.send("CLIENT", "ID"));
    const stayerId = String(await stayer.send("CLIENT", "ID"));
    proxy.silence();
    await leaver.close();
    await server.command("CLIENT", "KILL", "ID", stayerId);
    expect(await settles(stayer.closed)).toBe(false);
    expect(await ids()).toContain(leaverId);
    proxy.speak({ deliver: true });
    await stayer.closed;
  });

  it("of the replies lets the server execute", async () => {
    const connection = await client();
    const silence = proxy.silenceReplies();
    const answer = connection.send("SET", "key", "value");
    await expect(silence.happened).resolves.toEqual(["SET", "key", "value"]);
    await expect(server.command("GET", "key")).resolves.toBe("value");
    expect(await settles(answer)).toBe(false);
    proxy.speak({ deliver: true });
    await expect(answer).resolves.toBe("OK");
  });
});

describe("connections", () => {
  it("get bytes in pieces, in both directions", async () => {
    const pieces = { request: [] as number[], reply: [] as number[] };
    const port = await freePort();
    const target = createServer((socket) => {
      socket.on("data", (chunk) => {
        pieces.request.push(chunk.length);
        if (sum(pieces.request) === PING.length) socket.write(PONG);
      });
    });
    await once(target.listen(port, "127.0.0.1"), "listening");
    const sliced = await startProxy(port);
    sliced.slice(4);
    const socket = dial(sliced.port, "127.0.0.1");
    socket.write(PING);
    await new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        pieces.reply.push(chunk.length);
        if (sum(pieces.reply) === PONG.length) resolve();
      });
    });
    await sliced.stop();
    target.close();
    expect(pieces).toEqual({ request: [4, 4, 4, 2], reply: [4, 3] });
  });

  it("get replies late, but in order and together", async () => {
    const connection = await client();
    const delay = 500;
    const late = proxy.delayReplies(delay);
    const start = performance.now();
    const answers = Array.from({ length: 5 }, () => connection.send("INCR", "key"));
    await expect(late.happened).resolves.toEqual(["INCR", "key"]);
    await expect(Promise.all(answers)).resolves.toEqual([1, 2, 3, 4, 5]);
    const took = performance.now() - start;
    expect(took).toBeGreaterThanOrEqual(delay);
    expect(took).toBeLessThan(5 * delay);
  });

  it("lose a reply only after the late ones before it", async () => {
    const connection = await client();
    proxy.delayReplies(20);
    proxy.dropNextReply("INCR");
    const before = connection.send("SET", "a", "1");
    const hit = connection.send("INCR", "b");
    await expect(before).resolves.toBe("OK");
    await expect(hit).rejects.toThrow("closed");
  });

  it("are all cut at once", async () => {
    const [one, other] = [await client(), await client()];
    await Promise.all([one.send("PING"), other.send("PING")]);
    expect(proxy.connections).toBe(2);
    await proxy.cutAll();
    expect(proxy.connections).toBe(0);
    await Promise.all([one.closed, other.closed]);
    await expect((await client()).send("PING")).resolves.toBe("PONG");
  });

  it("that have subscribed can be made deaf, and stay open, while others hear", async () => {
    const [deaf, other, late] = [await client(), await client(), await client()];
    const heard: string[] = [];
    for (const [name, connection] of Object.entries({ deaf, other, late })) {
      if (name === "deaf") proxy.deafen(); // Too early: nobody has subscribed yet.
      if (name === "late") proxy.deafen();
      await connection.subscribe("news", () => heard.push(name));
      if (name === "deaf") proxy.deafen();
    }
    await expect(server.command("PUBLISH", "news", "hello")).resolves.toBe(3);
    await waitUntil(() => heard.includes("late"));
    expect(heard).toEqual(["late"]);
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await late.closed;
    expect([deaf.open, other.open]).toEqual([true, true]);
    expect(proxy.deaf).toBe(2);
    await deaf.close();
    await waitUntil(() => proxy.deaf === 1);
    await proxy.heal();
    await other.closed;
    await waitUntil(() => proxy.deaf === 0);
  });

  it("are closed one way only, and go on the other way", async () => {
    const socket = dial({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
    await once(socket, "connect");
    socket.write(PING);
    await once(socket, "data");
    proxy.halfClose();
    await once(socket, "end");
    socket.write("*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n");
    await waitUntil(async () => (await server.command("GET", "half")) === "1");
    socket.destroy();
  });

  it("lead to another server from some moment on, those that there are excepted", async () => {
    const next = await startServer();
    try {
      const before = await client();
      await before.send("SET", "where", "first");
      proxy.lead(next.port);
      const after = await client();
      await expect(after.send("GET", "where")).resolves.toBeNull();
      await expect(before.send("GET", "where")).resolves.toBe("first");
    } finally {
      proxy.lead(server.port);
      await next.stop();
    }
  });

  it("are refused while those that there are go on", async () => {
    const connection = await client();
    await connection.send("PING");
    proxy.refuse();
    await expect(connect(proxy.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(connection.send("PING")).resolves.toBe("PONG");
    await proxy.accept();
    await expect((await client()).send("PING")).resolves.toBe("PONG");
  });

  it("end when the client ends, and when the server does", async () => {
    const [leaver, stayer] = [await client(), await client()];
    const id = String(await leaver.send("CLIENT", "ID"));
    const stayerId = String(await stayer.send("CLIENT", "ID"));
    await leaver.close();
    await server.command("CLIENT", "KILL", "ID", stayerId);
    await stayer.closed;
    expect(await ids()).not.toContain(id);
    await proxy.cutAll();
  });

  it("are closed when the server is down", async () => {
    const gone = await startServer();
    const toGone = await startProxy(gone.port);
    await gone.stop();
    const connection = await connect(toGone.port);
    await connection.closed;
    await toGone.stop();
  });
});

describe("the log of commands", () => {
  it("waits for a command that has yet to come", async () => {
    const connection = await client();
    const coming = proxy.commands.waitFor("INCR");
    await connection.send("PING");
    expect(await settles(coming)).toBe(false);
    await connection.send("INCR", "key");
    await expect(coming).resolves.toEqual(["INCR", "key"]);
  });

  it("finds one that came already, and waits for the next one", async () => {
    const connection = await client();
    await connection.send("INCR", "a");
    await expect(proxy.commands.waitFor("INCR")).resolves.toEqual(["INCR", "a"]);
    const second = proxy.commands.waitFor("INCR", { count: 2 });
    await connection.send("INCR", "b");
    await expect(second).resolves.toEqual(["INCR", "b"]);
  });

  it("gives up and tells what it has seen", async () => {
    await (await client()).send("PING");
    await expect(proxy.commands.waitFor("INCR", { timeout: 10 })).rejects.toThrow(
      /INCR.*Seen: PING/,
    );
  });
});

it("says so when it could not follow a connection", async () => {
  const misled = await startProxy(server.port);
  const raw = dial(misled.port, "127.0.0.1");
  raw.write("this is not RESP\r\n");
  await new Promise((resolve) => raw.once("close", resolve));
  await expect(misled.stop()).rejects.toThrow("could not follow");
});
