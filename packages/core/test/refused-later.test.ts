/** A refusal says "nothing was done" only if that is true of every copy of the command. */
import { describe, expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";

import { ServerError } from "../src/adapter.js";
import { Locker, OutcomeUnknownError, RefusedError, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, client, locker } = await startRedis();

const TTL = 30_000;

/** Loses the reply to the next command that it runs, and refuses those after it until told otherwise. */
class Fickle implements RedisClient {
  mood: "well" | "losing" | "refusing" = "well";
  readonly #inner: RedisClient = client();

  async run(...command: Parameters<RedisClient["run"]>): ReturnType<RedisClient["run"]> {
    if (this.mood === "refusing") throw new ServerError("NOAUTH Authentication required.");
    const reply = await this.#inner.run(...command);
    if (this.mood === "well") return reply;
    this.mood = "refusing";
    throw new Error("the connection was lost");
  }
}

const refusal = {
  code: "UNKNOWN",
  message: expect.stringMatching(/the connection was lost; sent again, .* refused: NOAUTH/),
};

describe("a command that was done, whose reply was lost, and whose copy was refused, is unknown", () => {
  test("obtain", async () => {
    const redis = new Fickle();
    redis.mood = "losing";
    const error = await failure(new Locker(redis).obtain("k", TTL));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ ...refusal, operation: "obtain" });
    expect(await server.command("EXISTS", "k")).toBe(1);
  });

  test("obtain of many at once", async () => {
    const redis = new Fickle();
    const one = new Locker(redis);
    redis.mood = "losing";
    const errors = await Promise.all(["a", "b", "c"].map((key) => failure(one.obtain(key, TTL))));
    for (const error of errors) expect(error).toBeInstanceOf(OutcomeUnknownError);
  });

  test("obtain that polls: also when a later try is refused at once", async () => {
    const redis = new Fickle();
    const one = new Locker(redis, { commandTimeout: 20 });
    redis.mood = "losing";
    const error = await failure(one.obtain("k", TTL, { retry: (tries) => (tries < 2 ? 10 : 0) }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await server.command("EXISTS", "k")).toBe(1);
  });

  test("obtain that waits in line", async () => {
    const redis = new Fickle();
    redis.mood = "losing";
    const error = await failure(new Locker(redis).obtain("k", TTL, { wait: 300 }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await server.command("EXISTS", "k")).toBe(1);
  });

  test.each(["release", "refresh"] as const)("%s", async (operation) => {
    const redis = new Fickle();
    const lock = await new Locker(redis).obtain("k", TTL);
    redis.mood = "losing";
    const error = await failure(operation === "release" ? lock.release() : lock.refresh(2 * TTL));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ ...refusal, operation });
    redis.mood = "well";
    if (operation === "refresh") await lock.release();
  });

  test("forceRelease", async () => {
    const redis = new Fickle();
    const one = new Locker(redis);
    await one.obtain("k", TTL);
    redis.mood = "losing";
    expect(await failure(one.forceRelease("k"))).toMatchObject({
      ...refusal,
      operation: "forceRelease",
    });
    expect(await server.command("EXISTS", "k")).toBe(0);
  });
});

describe("a command that the client itself has sent again, over another connection", () => {
  const refused = (): never => {
    throw new ServerError("NOAUTH Authentication required.");
  };

  /** Runs the next command, loses its reply, and then does what it is told, over another connection. */
  class Resending implements RedisClient {
    epoch = 1;
    connection: string | undefined;
    copy: (() => ReturnType<RedisClient["run"]>) | undefined;
    readonly #inner: RedisClient = client();

    async run(...command: Parameters<RedisClient["run"]>): ReturnType<RedisClient["run"]> {
      const first = await this.#inner.run(...command);
      if (!this.copy) return first;
      this.epoch++;
      this.connection = undefined;
      return this.copy();
    }
  }

  test.each([
    ["obtain", (one: Locker) => one.obtain("k", TTL)],
    ["obtain in line", (one: Locker) => one.obtain("k", TTL, { wait: 300 })],
    ["inspect", (one: Locker) => one.inspect("k")],
    ["forceRelease", (one: Locker) => one.forceRelease("k")],
  ])("and that was refused then, may have been done: %s", async (_, call) => {
    const redis = new Resending();
    redis.copy = async () => refused();
    const error = await failure(call(new Locker(redis)));
    expect(error).toMatchObject({ code: "UNKNOWN", message: refusal.message });
  });

  test("does not count as refused where it had to wait for its first connection", async () => {
    const redis = new Resending();
    redis.connection = "connecting";
    redis.copy = async () => refused();
    expect(await failure(new Locker(redis).obtain("k", TTL))).toBeInstanceOf(RefusedError);
  });

  test("may have taken a lock away, whatever the copy found", async () => {
    const redis = new Resending();
    await locker().obtain("k", TTL);
    redis.copy = () => Promise.resolve(["0", "0"]);
    expect(await new Locker(redis).forceRelease("k")).toBe(true);
  });

  test("is left, though the copy was told that the lock is taken: the first may come later", async () => {
    const redis = new Resending();
    redis.copy = () => Promise.resolve(["9000", "7", "another"]);
    expect(await new Locker(redis).tryObtain("k", TTL)).toBeNull();
    redis.copy = undefined;
    await waitUntil(async () => (await server.command("EXISTS", "k")) === 0, {
      what: "it to be given back",
    });
  });
});

test("a command that is not known is refused, whatever key is quoted with it", async () => {
  const refusing = new Locker({
    run: () =>
      Promise.reject(
        new ServerError("ERR unknown command 'EVALSHA', with args beginning with: 'conn:host' "),
      ),
  });
  expect(await failure(refusing.obtain("conn:host", TTL))).toBeInstanceOf(RefusedError);
});

describe("no refusal, since it may have been done, is", () => {
  test.each([
    [
      "a script that was cut off in its middle, in a slot that moves",
      "ERR Script attempted to access a non local key in a cluster node",
    ],
    ["the word of twemproxy for a server that is silent", "ERR Connection timed out"],
    ["that of Codis for one it has lost", "ERR handle response, backend conn reset"],
    ["that of Envoy", "upstream failure"],
    ["that of twemproxy for one that hung up", "ERR unknown"],
    ["that of twemproxy for one that cannot be reached any more", "ERR No route to host"],
    ["that of twemproxy for one whose answer it cannot read", "ERR Invalid argument"],
    ["that of Corvus", "ERR Proxy error"],
    ["that of Predixy", "ERR deliver request fail"],
    ["that of a proxy for clusters", "ERR Cluster node disconnected: 10.0.0.2:6379"],
    ["that of one that could not read the answer", "ERR Failed to read reply"],
    ["that of a proxy in Go", "ERR read tcp 10.0.0.1:50000->10.0.0.2:6379: i/o timeout"],
  ])("%s", async (_, text) => {
    const inner = client();
    let lost = true;
    const one = new Locker({
      async run(...command) {
        const reply = await inner.run(...command);
        if (!lost) return reply;
        lost = false;
        throw new ServerError(text);
      },
    });
    const lock = await one.obtain("k", TTL);
    expect(await server.command("GET", "k")).toBe(lock.token);
    lost = true;
    expect(await failure(lock.release())).toBeInstanceOf(OutcomeUnknownError);
  });
});

test("what is refused at once, and was never sent before, did nothing", async () => {
  const redis = new Fickle();
  redis.mood = "refusing";
  const one = new Locker(redis);
  for (const call of [
    one.obtain("k", TTL),
    one.obtain("k", TTL, { wait: TTL }),
    one.obtain("k", TTL, { retry: () => 10 }),
    one.inspect("k"),
    one.forceRelease("k"),
  ]) {
    expect(await failure(call)).toBeInstanceOf(RefusedError);
  }
});
