/** What is special about GLIDE: what it makes of errors, and when it is closed. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { failure, run, startProxiedServer, waitUntil } from "@redislock/test-kit";
import { ServerError } from "@redislock/core/adapter";
import { GlideClient } from "@valkey/valkey-glide";

import { createLocker, type RedisClient, valkeyGlideClient } from "../src/index.js";
import { closeClients, connect } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterAll(stop);
beforeEach(() => server.command("FLUSHALL"));
afterEach(closeClients);

describe("an error that the server answers is a ServerError, in the server's own words", () => {
  test.each([
    "ASK 1 127.0.0.1:1",
    "BUSY Redis is busy running a script",
    "CLUSTERDOWN The cluster is down",
    "CROSSSLOT Keys in request don't hash to the same slot",
    "ERR some: thing",
    "EXECABORT Transaction discarded",
    "LOADING Redis is loading",
    "MASTERDOWN Link with MASTER is down",
    "MINE is broken",
    "MISCONF Redis is configured to save",
    "MOVED 1 127.0.0.1:1",
    "NOAUTH Authentication required.",
    "NOPERM this user has no permissions",
    "NOREPLICAS Not enough good replicas",
    "NOTBUSY No scripts in execution",
    "OOM command not allowed",
    "READONLY You can't write against a read only replica.",
    "TRYAGAIN Multiple keys request",
    "UNBLOCKED force unblock",
  ])("%s", async (answer) => {
    const client = valkeyGlideClient(await connect(server.port));
    const error = await failure(run(client, "return redis.error_reply(ARGV[1])", [], [answer]));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ message: answer, reply: answer.split(" ")[0] });
  });

  test("for what no code is known of", async () => {
    const client = valkeyGlideClient(await connect(server.port));
    const error = await failure(run(client, "this is no script"));
    expect(error).toMatchObject({ code: "SERVER", reply: "ERR" });
  });

  test("for a wrong password, found out when it connects at last", async () => {
    const credentials = { username: "nobody", password: "wrong" };
    const glide = await connect(server.port, { credentials, lazyConnect: true });
    const error = await failure(run(valkeyGlideClient(glide), "return 1"));
    expect(error).toMatchObject({ code: "SERVER", reply: "WRONGPASS" });
  });

  test("for a wrong password, of one that listens beside a client that connects later", async () => {
    const credentials = { username: "nobody", password: "wrong" };
    const glide = await connect(server.port, { credentials, lazyConnect: true });
    const listener = { message: () => undefined, resumed: () => undefined };
    const error = await failure(
      valkeyGlideClient(glide).subscribe?.("channel", listener) ?? Promise.resolve(),
    );
    expect(error).toMatchObject({ code: "SERVER", reply: "WRONGPASS" });
  });
});

describe("any other error is passed on as it is", () => {
  test.each([
    "Operation timed out",
    "Received connection error `Failed to receive a response due to a fatal error`",
    "Unable to execute requests; the client is closed. Please create a new client.",
    "IO error: broken pipe",
  ])("%s", async (message) => {
    const given = new Error(message);
    const glide = { customCommand: () => Promise.reject(given), exec: () => given, close: () => 1 };
    expect(await failure(run(valkeyGlideClient(glide), "return 1"))).toBe(given);
  });

  test("when there is no answer in the time that GLIDE is set to", async () => {
    const client = valkeyGlideClient(await connect(proxy.port, { requestTimeout: 1_000 }));
    await run(client, "return 1");
    proxy.silence();
    const error = await failure(run(client, "return 1"));
    proxy.speak();
    expect(error).not.toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ name: "TimeoutError" });
  });
});

test("bytes that are no text are none the less an answer", async () => {
  const client = valkeyGlideClient(await connect(server.port));
  await expect(run(client, "return {'\\255', 'a'}")).resolves.toEqual(["\u{FFFD}", "a"]);
});

test("a message that is no text is heard as well, and so is the next one", async () => {
  const client = valkeyGlideClient(await connect(server.port));
  const heard: string[] = [];
  let done!: () => void;
  const all = new Promise<void>((resolve) => (done = resolve));
  const message = (text: string): void => {
    if (heard.push(text) === 2) done();
  };
  const subscription = await client.subscribe?.("channel", { message, resumed: done });
  await server.command("EVAL", "return redis.call('PUBLISH', 'channel', '\\255')", "0");
  await server.command("PUBLISH", "channel", "text");
  await all;
  expect(heard).toEqual(["\u{FFFD}", "text"]);
  await subscription?.close();
});

test("what is heard does not end the connection that hears it", async () => {
  const client = valkeyGlideClient(await connect(server.port));
  const heard: string[] = [];
  let resumed = 0;
  const subscription = await client.subscribe?.("channel", {
    message: (text) => heard.push(text),
    resumed: () => resumed++,
  });
  const ids = async (): Promise<readonly string[]> =>
    String(await server.command("CLIENT", "LIST", "TYPE", "pubsub")).match(/\bid=\d+/g) ?? [];
  // That of another test may still be about to close.
  await waitUntil(async () => (await ids()).length === 1, { what: "one that listens" });
  const before = await ids();
  for (const text of ["one", "two", "three"]) {
    await server.command("PUBLISH", "channel", text);
    await waitUntil(() => heard.at(-1) === text, { what: text });
  }
  expect([heard, resumed, await ids()]).toEqual([["one", "two", "three"], 0, before]);
  await subscription?.close();
});

describe("a connection beside it", () => {
  /** The life of a connection, to be ended. */
  function life(): { readonly end: () => void; readonly ended: Promise<void> } {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    return { end, ended };
  }

  /** A client whose connection is the only one: those of tests before may take long to close. */
  async function only(): Promise<RedisClient> {
    const client = valkeyGlideClient(await connect(proxy.port));
    await alone();
    return client;
  }

  const alone = (): Promise<unknown> =>
    waitUntil(() => proxy.connections === 1, { what: "all others to be closed" });

  test("does not keep the process alive, and is closed when its life has ended", async () => {
    const client = await only();
    // Those alone that keep it alive.
    const pipes = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === "PipeWrap").length;
    const before = pipes();
    const { end, ended } = life();
    const side = await client.side?.open({ end, ended });
    expect(await side?.send(["PING"])).toBe("PONG");
    expect(pipes()).toBeLessThanOrEqual(before);
    expect(proxy.connections).toBe(2);
    end();
    await alone();
  });

  test("passes on what the server refuses, in its words", async () => {
    const { end, ended } = life();
    const side = await valkeyGlideClient(await connect(server.port)).side?.open({ end, ended });
    const error = await failure(side?.send(["SET", "key"]) ?? Promise.resolve());
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ message: "ERR wrong number of arguments for 'set' command" });
    expect(await side?.send(["PING"])).toBe("PONG");
    end();
  });

  test("that is lost is not used on, once GLIDE has connected again", async () => {
    const client = await only();
    const { end, ended } = life();
    const side = await client.side?.open({ end, ended });
    const id = (): Promise<unknown> => side?.send(["CLIENT", "ID"]) ?? Promise.resolve();
    expect(await id()).toBe(await id());
    await proxy.cutAll();
    // What is sent before GLIDE knows of the loss fails by an error of its own.
    await waitUntil(() => proxy.connections === 2, { what: "GLIDE to be connected again" });
    expect(await failure(id())).toMatchObject({ message: "The connection was lost" });
    await ended;
  });

  test("that comes when nobody wants it any more is closed", async () => {
    const client = await only();
    proxy.silence();
    const { end, ended } = life();
    void Promise.allSettled([client.side?.open({ end, ended })]);
    await waitUntil(() => proxy.connections === 2, { what: "it to connect" });
    end();
    await ended;
    proxy.speak({ deliver: true });
    await alone();
  });
});

test("is closed once it was closed, not before", async () => {
  const glide = await connect(server.port, { lazyConnect: true });
  const client = valkeyGlideClient(glide);
  expect(client.closed).toBe(false);
  await run(client, "return 1");
  expect(client.closed).toBe(false);
  glide.close();
  expect(client.closed).toBe(true);
});

test("is wrapped once: all lockers over it share one subscription", async () => {
  const glide = await connect(server.port);
  expect(valkeyGlideClient(glide)).toBe(valkeyGlideClient(glide));
});

test("a waiter whose connection is lost hears of its turn on the next one", async () => {
  const locker = createLocker(await connect(proxy.port));
  const held = await locker.obtain("key", 60_000);
  proxy.commands.clear();
  const waiting = locker.obtain("key", 60_000, { wait: 60_000 });
  await proxy.commands.waitFor("SUBSCRIBE");
  await proxy.cutAll();
  await held.release();
  await (await waiting).release();
  await locker.close();
});

test("a subscription whose connection is lost before it is confirmed is none", async () => {
  const client = valkeyGlideClient(await connect(proxy.port));
  proxy.commands.clear();
  const listener = { message: () => undefined, resumed: () => undefined };
  const subscribing = failure(client.subscribe?.("channel", listener) ?? Promise.resolve());
  await proxy.commands.waitFor("DISCARD"); // It has asked whether it may; now it subscribes.
  const swallowed = proxy.swallowNextRequest("SUBSCRIBE");
  proxy.refuse();
  await swallowed.happened;
  const error = await subscribing;
  await proxy.heal();
  expect(error).toMatchObject({ message: "The connection was lost" });
});

describe("refuses, saying what would be right,", () => {
  const right =
    "redis must be a GlideClient or GlideClusterClient of Valkey GLIDE, " +
    "such as await GlideClient.createClient({ addresses })";

  test("what is no client", () => {
    // @ts-expect-error -- no client
    expect(() => valkeyGlideClient(undefined)).toThrow(new TypeError(`${right}, not undefined`));
    // @ts-expect-error -- no client
    expect(() => valkeyGlideClient({})).toThrow(new TypeError(`${right}, not object`));
    // @ts-expect-error -- no client
    expect(() => valkeyGlideClient(GlideClient)).toThrow(new TypeError(`${right}, not function`));
  });

  test("a client that is still being connected", async () => {
    const connecting = connect(server.port);
    // @ts-expect-error -- no client
    expect(() => createLocker(connecting)).toThrow(new TypeError(`${right}, not object`));
    await connecting;
  });
});
