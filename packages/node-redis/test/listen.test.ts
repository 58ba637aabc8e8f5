import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import { EventEmitter, once } from "node:events";

import { listen } from "../src/listen.js";
import type { NodeRedisClientLike } from "../src/index.js";

/** A connection that takes as long to connect as the test wants. */
class Connection extends EventEmitter {
  ready!: () => void;
  readonly connect = jest.fn(
    () =>
      new Promise<void>((resolve) => {
        this.ready = resolve;
      }),
  );
  readonly subscribe = jest.fn(() => Promise.resolve());
  readonly unref = jest.fn();
  readonly destroy = jest.fn(() => {
    this.emit("destroyed");
  });
}

let connection: Connection;
let client: NodeRedisClientLike;
const listener = { message: jest.fn() };

beforeEach(() => {
  connection = new Connection();
  client = {
    isOpen: true,
    isReady: true,
    evalSha: () => Promise.resolve(),
    eval: () => Promise.resolve(),
    duplicate: () => connection,
    unref: () => undefined,
  };
});

// node-redis 5, destroyed while it connects, goes on connecting, and then cannot be destroyed again.
describe("a connection that is ended while it connects", () => {
  test("is destroyed as soon as it is connected, not before", async () => {
    const { ended, end } = listen(client, "channel", listener);
    await Promise.resolve();
    expect(connection.connect).toHaveBeenCalledTimes(1);
    end(new Error("no more"));
    await ended;
    await new Promise(setImmediate);
    expect(connection.destroy).not.toHaveBeenCalled();
    const destroyed = once(connection, "destroyed");
    connection.emit("connect");
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });

  test("is destroyed at once when it is only waiting for the server's greeting", async () => {
    const { end } = listen(client, "channel", listener);
    await Promise.resolve();
    connection.emit("connect");
    const destroyed = once(connection, "destroyed");
    end(new Error("no more"));
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });

  test("is destroyed at once when it is ready", async () => {
    const { confirmed, end } = listen(client, "channel", listener);
    await Promise.resolve();
    connection.emit("connect");
    connection.ready();
    await confirmed;
    const destroyed = once(connection, "destroyed");
    end(new Error("no more"));
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });
});

test("a connection does not keep the process alive from the beginning", async () => {
  listen(client, "channel", listener);
  await Promise.resolve();
  expect(connection.unref).toHaveBeenCalledTimes(1);
  const [unref] = connection.unref.mock.invocationCallOrder;
  const [connect] = connection.connect.mock.invocationCallOrder;
  expect(unref).toBeLessThan(Number(connect));
});
