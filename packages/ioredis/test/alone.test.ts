/** What becomes of commands that have to wait for a connection: without a server. */
import { expect, test } from "@jest/globals";
import { failure, run } from "@redislock/test-kit";
import { EventEmitter } from "node:events";

import { ioredisClient } from "../src/index.js";

/** A socket, as far as it is looked at. */
const socket = () => ({ writableCorked: 1, cork: () => undefined, uncork: () => undefined });

/** A client that is connecting, and answers when the test says so. */
class Connecting extends EventEmitter {
  status = "connecting";
  readonly options = {};
  stream = socket();
  readonly answers: { resolve: (reply: unknown) => void; reject: (error: Error) => void }[] = [];

  evalsha(): Promise<unknown> {
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  }

  eval(): Promise<unknown> {
    return this.evalsha();
  }

  duplicate(): never {
    throw new Error("it opens none");
  }

  connected(): void {
    this.stream = socket();
    this.emit("ready");
  }
}

test("one that is given up before does not keep others from knowing over which they were sent", async () => {
  const redis = new Connecting();
  const client = ioredisClient(redis);
  const [first, second, third] = [1, 2, 3].map(() => run(client, "return 1"));
  redis.answers[0]?.reject(new Error("timed out"));
  expect(await failure(first ?? Promise.resolve())).toMatchObject({ message: "timed out" });
  redis.connected();
  redis.answers[1]?.resolve("once");
  expect(await second).toBe("once");
  redis.connected();
  redis.answers[2]?.resolve("perhaps twice");
  expect(await failure(third ?? Promise.resolve())).toMatchObject({
    message: "the connection was lost",
  });
  expect(redis.listenerCount("ready")).toBe(0);
});

test("one alone that is given up leaves no listener", async () => {
  const redis = new Connecting();
  const only = run(ioredisClient(redis), "return 1");
  expect(redis.listenerCount("ready")).toBe(1);
  redis.answers[0]?.reject(new Error("timed out"));
  await failure(only);
  expect(redis.listenerCount("ready")).toBe(0);
});
