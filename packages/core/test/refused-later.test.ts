/** A refusal says "nothing was done" only if that is true of every copy of the command. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { ServerError } from "../src/adapter.js";
import { Locker, OutcomeUnknownError, RefusedError, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, client } = await startRedis();

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

test("a script that was cut off in its middle, in a slot that moves, is no refusal", async () => {
  const inner = client();
  let cutOff = true;
  const one = new Locker({
    async run(...command) {
      const reply = await inner.run(...command);
      if (!cutOff) return reply;
      cutOff = false;
      throw new ServerError("ERR Script attempted to access a non local key in a cluster node");
    },
  });
  const lock = await one.obtain("k", TTL);
  expect(await server.command("GET", "k")).toBe(lock.token);
  cutOff = true;
  expect(await failure(lock.release())).toBeInstanceOf(OutcomeUnknownError);
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
