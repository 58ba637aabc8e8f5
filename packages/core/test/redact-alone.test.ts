/** What is left of a client's error where it might hold a secret: without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { Locker, OutcomeUnknownError, type RedisClient } from "../src/index.js";
import { toReply } from "../src/adapter.js";

const TOKEN = "0123456789abcdef";
const TTL = 60_000;

/** What an obtain says was the cause, when its client rejects with this. */
async function causeOf(error: unknown, token: string = TOKEN): Promise<unknown> {
  const client: RedisClient & { closed: boolean } = {
    closed: false,
    run: async () => {
      client.closed = true;
      throw error;
    },
  };
  const told = await failure(new Locker(client).obtain("k", TTL, { token }));
  expect(told).toBeInstanceOf(OutcomeUnknownError);
  return told instanceof OutcomeUnknownError ? told.cause : undefined;
}

describe("an error of a client", () => {
  test("is handed on with its name, its code and its stack, but without the token", async () => {
    const error = new Error(`EVAL of ${TOKEN} failed`);
    const stack = `Oops: ${TOKEN}\n    at here`;
    Object.assign(error, { name: "Oops", code: "EPIPE", stack });
    expect(await causeOf(error)).toMatchObject({
      name: "Oops",
      code: "EPIPE",
      message: "EVAL of … failed",
      stack: "Oops: …\n    at here",
    });
  });

  test("keeps what is too short for a secret", async () => {
    const message = `no time for ${TTL}`;
    expect(await causeOf(new Error(message))).toMatchObject({ message });
  });

  test("that was cut off in a token keeps what stands behind it", async () => {
    const error = new Error(`near '${TOKEN.slice(0, 10)}', which is no command of this server`);
    expect(await causeOf(error)).toMatchObject({
      message: "near '…', which is no command of this server",
    });
  });

  test.each([
    [7, TOKEN.slice(0, 7)],
    [8, "…"],
  ])("with %d characters of a token shows %p", async (count, shown) => {
    const error = new Error(`near '${TOKEN.slice(0, count)}'`);
    expect(await causeOf(error)).toMatchObject({ message: `near '${shown}'` });
  });

  test("shows no token as it is spelled in JSON, or in an address", async () => {
    const token = 'a"b\\c/0123456789';
    const error = new Error(
      `near ${token}, ${JSON.stringify(token).slice(1, -1)}, ${encodeURIComponent(token)}.`,
    );
    expect(await causeOf(error, token)).toMatchObject({ message: "near …, …, …." });
  });

  test("shows nothing of a token whose spellings begin alike, nor of one at its end", async () => {
    const token = 'abcdefgh"ijklmnop';
    expect(await causeOf(new Error(`EVAL ${token} failed`), token)).toMatchObject({
      message: "EVAL … failed",
    });
    expect(await causeOf(new Error(`EVAL ${token}`), token)).toMatchObject({ message: "EVAL …" });
  });

  test("can be written to, as any error", async () => {
    const cause: unknown = await causeOf(new Error("it failed"));
    for (const key of ["name", "stack"]) {
      expect(Object.getOwnPropertyDescriptor(Object(cause), key)).toMatchObject({
        configurable: true,
        writable: true,
      });
    }
  });

  test.each([["a text"], [null], [undefined], [7]])("may be no object: %p", async (thrown) => {
    expect(await causeOf(thrown)).toMatchObject({ name: "Error", message: String(thrown) });
  });

  test("may be an object of any kind", async () => {
    const cause = await causeOf({ message: "it failed", code: 7, name: undefined });
    expect(cause).toMatchObject({ name: "Error", message: "it failed" });
    expect(cause).not.toHaveProperty("code");
    expect(await causeOf({})).toMatchObject({ name: "Error", message: "" });
  });
});

test.each([
  [null, null],
  [undefined, null],
  [7, "7"],
  [7n, "7"],
  ["text", "text"],
  [new TextEncoder().encode("bytes"), "bytes"],
  [
    [1, [null, "x"]],
    ["1", [null, "x"]],
  ],
])("the raw reply %p is %p to scripts", (raw, reply) => {
  expect(toReply(raw)).toEqual(reply);
});

test.each([
  [{}, "[object Object]"],
  [true, "[object Boolean]"],
  [new Map(), "[object Map]"],
])("%p is no reply of a script", (raw, kind) => {
  expect(() => toReply(raw)).toThrow(new TypeError(`a script replied with ${kind}`));
});
