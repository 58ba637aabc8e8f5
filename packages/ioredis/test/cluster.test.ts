import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { failure, freePort, run, startCluster, startProxy, waitUntil } from "@redislock/test-kit";
import { clusterTests } from "@redislock/test-kit/adapters";
import { once } from "node:events";

import { createLocker, ioredisClient, OutcomeUnknownError, RefusedError } from "../src/index.js";
import { closeClients, versions, type ClusterSettings } from "./versions.js";

const cluster = await startCluster();
const port = Number(cluster.nodes[0]?.port);
afterAll(() => cluster.stop());

const keyPrefix = "app:";
const settings: Readonly<Record<string, ClusterSettings>> = {
  "the keyPrefix of the cluster": { keyPrefix },
  "the keyPrefix of its nodes": { redisOptions: { keyPrefix } },
  enableAutoPipelining: { enableAutoPipelining: true },
  stringNumbers: { redisOptions: { stringNumbers: true } },
};

const kinds = versions.map(({ name, connectCluster, pipelinesApart }) => ({
  name,
  connect: async (port: number) => ioredisClient(connectCluster(port)),
  create: (port: number) => ioredisClient(connectCluster(port, { lazyConnect: true })),
  settings: Object.fromEntries(
    Object.entries(settings)
      .filter(([, { enableAutoPipelining }]) => !enableAutoPipelining || pipelinesApart)
      .map(([what, options]) => [
        what,
        {
          connect: async (port: number) => ioredisClient(connectCluster(port, options)),
          ...(what.includes("keyPrefix") && { keyPrefix }),
        },
      ]),
  ),
  noNode: "No node of the cluster is connected",
}));

clusterTests(cluster, kinds, closeClients);

describe.each(versions)("$name", ({ connect, connectCluster }) => {
  afterEach(closeClients);

  test("is closed after quit, neither before it connects nor while it is connected", async () => {
    const redis = connectCluster(port, { lazyConnect: true });
    const client = ioredisClient(redis);
    expect(client.closed).toBe(false);
    await run(client, "return 1", ["a"]);
    expect(client.closed).toBe(false);
    const end = new Promise((resolve) => redis.once("end", resolve));
    await redis.quit();
    await end;
    expect(client.closed).toBe(true);
  });

  test("is closed after disconnect, also when its last node has hung up", async () => {
    const redis = connectCluster(port);
    const client = ioredisClient(redis);
    await run(client, "return 1", ["a"]);
    const ends = redis.nodes().map((node) => once(node, "end"));
    redis.disconnect();
    await Promise.all(ends);
    await new Promise(setImmediate); // In which the cluster hears of the last.
    expect(client.closed).toBe(true);
  });

  test("is closed after disconnect while it waits to connect again, not before", async () => {
    const redis = connectCluster(await freePort(), { clusterRetryStrategy: () => 60_000 });
    const client = ioredisClient(redis);
    await new Promise((resolve) => redis.once("reconnecting", resolve));
    expect(client.closed).toBe(false);
    redis.disconnect();
    expect(client.closed).toBe(true);
  });

  test("its epoch is another once one of its masters has another client, not before", () => {
    const redis = connectCluster(port, { lazyConnect: true });
    const [a, b, c] = [1, 2, 3].map(() => connect(port, { lazyConnect: true }));
    let masters: readonly unknown[] = [];
    Reflect.set(redis, "nodes", () => [...masters]);
    const client = ioredisClient(redis);
    const epochs = [[], [a, b], [a, c], [b, c], [b], [b, a]].map((now) => {
      masters = now;
      const { epoch } = client;
      expect(client.epoch).toBe(epoch);
      return epoch;
    });
    expect(new Set(epochs).size).toBe(epochs.length);
  });

  test("its epoch is another once it has lost a connection to one of its nodes", async () => {
    const redis = connectCluster(port);
    const client = ioredisClient(redis);
    await run(client, "return 1", ["a"]);
    const { epoch } = client;
    await run(client, "return 1", ["a"]);
    expect(client.epoch).toBe(epoch);
    const node = cluster.nodeOfSlot(await cluster.slotOf("a"));
    await node.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await waitUntil(() => client.epoch !== epoch, { what: "another" });
    await run(client, "return 1", ["a"]);
  });

  test("a subscription leaves the client's own nodes as they are", async () => {
    const redis = connectCluster(port);
    const client = ioredisClient(redis);
    await run(client, "return 1", ["a"]);
    const nodes = redis.nodes();
    const listener = { message: () => undefined, resumed: () => undefined };
    const subscription = await client.subscribe?.("channel", listener);
    expect(redis.nodes()).toEqual(nodes);
    await subscription?.close();
  });

  test("what a node that reconnects by itself has sent again, and was refused, is unknown", async () => {
    const node = cluster.nodeOfSlot(await cluster.slotOf("key"));
    const proxy = await startProxy(node.port);
    try {
      const redis = connectCluster(port, {
        natMap: { [`127.0.0.1:${node.port}`]: { host: "127.0.0.1", port: proxy.port } },
        // Often enough for the copy to be given up late.
        clusterNodeRetryStrategy: () => 200,
      });
      const locker = createLocker(redis, { commandTimeout: 60_000 });
      await (await locker.obtain("{key} b", 60_000)).release();
      const fault = proxy.dropNextReply("EVALSHA");
      // No copy comes through before it is refused.
      proxy.refuse();
      const call = failure(locker.obtain("key", 60_000));
      await fault.happened;
      await node.command("ACL", "SETUSER", "default", "-evalsha", "-eval");
      await proxy.accept();
      expect(await call).toBeInstanceOf(OutcomeUnknownError);
      await expect(node.command("EXISTS", "key")).resolves.toBe(1);
      expect(await failure(locker.obtain("{key} c", 60_000))).toBeInstanceOf(RefusedError);
    } finally {
      await node.command("ACL", "SETUSER", "default", "+evalsha", "+eval");
      await node.command("FLUSHALL");
      await proxy.stop();
    }
  });

  test("so is what it was sent over its first connection of all", async () => {
    const node = cluster.nodeOfSlot(await cluster.slotOf("key"));
    const proxy = await startProxy(node.port);
    try {
      await (await createLocker(connect(node.port)).obtain("{key} b", 60_000)).release();
      const other = cluster.nodes.find((one) => one !== node);
      const redis = connectCluster(Number(other?.port), {
        natMap: { [`127.0.0.1:${node.port}`]: { host: "127.0.0.1", port: proxy.port } },
        clusterNodeRetryStrategy: () => 200,
      });
      await run(ioredisClient(redis), "return 1", [await keyElsewhere("key")]);
      const fault = proxy.dropNextReply("EVALSHA");
      proxy.commands.clear();
      const locker = createLocker(redis, { commandTimeout: 60_000 });
      const call = failure(locker.obtain("key", 60_000));
      await proxy.commands.waitFor("EVALSHA");
      proxy.refuse();
      await fault.happened;
      await node.command("ACL", "SETUSER", "default", "-evalsha", "-eval");
      await proxy.accept();
      expect(await call).toBeInstanceOf(OutcomeUnknownError);
    } finally {
      await node.command("ACL", "SETUSER", "default", "+evalsha", "+eval");
      await node.command("FLUSHALL");
      await proxy.stop();
    }
  });

  test("what is refused by a node that was never asked before is refused", async () => {
    const node = cluster.nodeOfSlot(await cluster.slotOf("key"));
    await node.command("ACL", "SETUSER", "default", "-evalsha", "-eval");
    try {
      const redis = connectCluster(port);
      await run(ioredisClient(redis), "return 1", [await keyElsewhere("key")]);
      expect(await failure(createLocker(redis).obtain("key", 60_000))).toBeInstanceOf(RefusedError);
    } finally {
      await node.command("ACL", "SETUSER", "default", "+evalsha", "+eval");
    }
  });
});

/** A key that another node of the cluster has. */
async function keyElsewhere(key: string): Promise<string> {
  const node = cluster.nodeOfSlot(await cluster.slotOf(key));
  for (let n = 0; ; n++) {
    const other = `other ${n}`;
    if (cluster.nodeOfSlot(await cluster.slotOf(other)) !== node) return other;
  }
}
