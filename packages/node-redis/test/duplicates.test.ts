/** Of what a connection of our own is made: without a server. */
import { describe, expect, test } from "@jest/globals";
import { EventEmitter } from "node:events";

import { nodeRedisClient, type NodeRedisLike } from "../src/index.js";

class Connection extends EventEmitter {
  isDestroyed = false;
  connect(): Promise<void> {
    return Promise.resolve();
  }
  subscribe(): Promise<void> {
    return Promise.resolve();
  }
  sendCommand(): Promise<string> {
    return Promise.resolve("PONG");
  }
  unref(): void {
    this.emit("unref");
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

const scripts = { isOpen: true, evalSha: async () => null, eval: async () => null };
const listener = { message: () => undefined, resumed: () => undefined };

/** What connections are made of. */
function source() {
  const made: Connection[] = [];
  const duplicate = (): Connection => {
    const connection = new Connection();
    made.push(connection);
    return connection;
  };
  return { made, isReady: true, duplicate };
}

const open = (redis: NodeRedisLike) => {
  let end: (reason: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => (end = resolve));
  const life = { end, ended };
  return { life, opened: nodeRedisClient(redis).side?.open(life) };
};

describe("behind sentinels", () => {
  function sentinel() {
    const master = { ...source(), sendCommand: () => Promise.resolve("OK") };
    const asked: boolean[] = [];
    const topology = new EventEmitter();
    const redis = {
      ...scripts,
      getSentinelNode: () => undefined,
      _execute: <T>(readonly: boolean, task: (node: typeof master) => Promise<T>): Promise<T> => {
        asked.push(readonly);
        return task(master);
      },
      on: (event: "topology-change", run: (change: { type: string }) => void) =>
        topology.on(event, run),
    };
    return { master, asked, topology, redis };
  }

  test("it is made of the master's, and ends when there is another", async () => {
    const { master, asked, topology, redis } = sentinel();
    const [one, other] = [open(redis), open(redis)];
    await Promise.all([one.opened, other.opened]);
    expect(asked).toEqual([false, false]);
    expect(master.made).toHaveLength(2);
    expect(topology.listenerCount("topology-change")).toBe(1);
    topology.emit("topology-change", { type: "REPLICA_ADD" });
    await new Promise(setImmediate);
    expect(master.made.map(({ isDestroyed }) => isDestroyed)).toEqual([false, false]);
    topology.emit("topology-change", { type: "MASTER_CHANGE" });
    expect(await one.life.ended).toMatchObject({ message: "There is a new master" });
    expect(await other.life.ended).toMatchObject({ message: "There is a new master" });
    await new Promise(setImmediate);
    expect(master.made.map(({ isDestroyed }) => isDestroyed)).toEqual([true, true]);
  });
});

describe("of a cluster", () => {
  test("it is made of a master that is connected", async () => {
    const [ready, late] = [source(), { ...source(), isReady: false }];
    const redis = {
      ...scripts,
      slots: [],
      nodeClient: ({ address }: { readonly address: string }) =>
        address === "ready" ? Promise.resolve(ready) : Promise.reject(new Error("it is gone")),
      masters: [
        { address: "gone" },
        { address: "late", client: late },
        { address: "ready", client: ready },
      ],
    };
    for (let n = 0; n < 20; n++) await nodeRedisClient(redis).subscribe?.("channel", listener);
    expect([ready.made.length, late.made.length]).toEqual([20, 0]);
    redis.masters = redis.masters.filter(({ address }) => address === "late");
    await expect(nodeRedisClient(redis).subscribe?.("channel", listener)).rejects.toThrow(
      "No node of the cluster is connected",
    );
  });
});

test("of a pool, it is made of one of its clients", async () => {
  const one = source();
  const redis = {
    ...scripts,
    execute: async <T>(task: (client: typeof one) => T): Promise<Awaited<T>> => await task(one),
  };
  const { opened } = open(redis);
  expect(await (await opened)?.send(["PING"])).toBe("PONG");
  expect(one.made).toHaveLength(1);
});
