import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { run, startCluster } from "@redislock/test-kit";
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

describe.each(versions)("$name", ({ connectCluster }) => {
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
