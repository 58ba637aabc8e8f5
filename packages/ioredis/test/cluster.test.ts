import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { run, startCluster, waitUntil } from "@redislock/test-kit";
import { clusterTests } from "@redislock/test-kit/adapters";

import { ioredisClient } from "../src/index.js";
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
});
