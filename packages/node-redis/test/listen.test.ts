import { beforeEach, describe, expect, jest, test } from "@jest/globals";
import { EventEmitter } from "node:events";

import { nodeRedisClient, type NodeRedisClientLike } from "../src/index.js";

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
  readonly sendCommand = jest.fn(() => Promise.resolve());
  readonly unref = jest.fn();
  readonly destroy = jest.fn(() => {
    this.emit("destroyed");
  });
}

let connection: Connection;
let client: NodeRedisClientLike;
const listener = { message: jest.fn(), resumed: jest.fn() };

/** Subscribes, and fails as soon as the connection does. */
function subscribe(): void {
  nodeRedisClient(client)
    .subscribe?.("channel", listener)
    .catch(() => undefined);
}

const destruction = (): Promise<void> =>
  new Promise((resolve) => connection.once("destroyed", resolve));

beforeEach(() => {
  connection = new Connection();
  client = {
    isOpen: true,
    isReady: true,
    evalSha: () => Promise.resolve(),
    eval: () => Promise.resolve(),
    duplicate: () => connection,
  };
});

// node-redis 5, destroyed while it connects, goes on connecting, and then cannot be destroyed again.
describe("a connection that is ended while it connects", () => {
  test("is destroyed as soon as it is connected, not before", async () => {
    subscribe();
    await Promise.resolve();
    expect(connection.connect).toHaveBeenCalledTimes(1);
    connection.emit("error", new Error("no more"));
    await new Promise(setImmediate);
    expect(connection.destroy).not.toHaveBeenCalled();
    const destroyed = destruction();
    connection.emit("connect");
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });

  test("is destroyed at once when it is only waiting for the server's greeting", async () => {
    subscribe();
    await Promise.resolve();
    connection.emit("connect");
    const destroyed = destruction();
    connection.emit("error", new Error("no more"));
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });

  test("is destroyed at once when it is ready", async () => {
    subscribe();
    await Promise.resolve();
    connection.emit("connect");
    connection.ready();
    await new Promise(setImmediate);
    expect(connection.subscribe).toHaveBeenCalledTimes(1);
    const destroyed = destruction();
    connection.emit("error", new Error("no more"));
    await destroyed;
    expect(connection.destroy).toHaveBeenCalledTimes(1);
  });
});

test("a connection does not keep the process alive from the beginning", async () => {
  subscribe();
  await Promise.resolve();
  expect(connection.unref).toHaveBeenCalledTimes(1);
  const [unref] = connection.unref.mock.invocationCallOrder;
  const [connect] = connection.connect.mock.invocationCallOrder;
  expect(unref).toBeLessThan(Number(connect));
});
