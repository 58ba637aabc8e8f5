import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { startCluster } from "@redislock/test-kit";
import { clusterTests } from "@redislock/test-kit/adapters";

import { nodeRedisClient, type RedisClient } from "../src/index.js";
import { BYTES, closeClients, versions, type Options, type Version } from "./versions.js";

const cluster = await startCluster();
const port = Number(cluster.nodes[0]?.port);
afterAll(() => cluster.stop());
afterEach(closeClients);

const connect =
  ({ createCluster }: Version, options?: Options) =>
  async (): Promise<RedisClient> => {
    const redis = createCluster(port, options);
    await redis.connect();
    return nodeRedisClient(redis);
  };

clusterTests(
  cluster,
  versions.map((version) => ({
    name: version.name,
    connect: connect(version),
    create: () => nodeRedisClient(version.createCluster(port)),
    settings: {
      typeMapping: { connect: connect(version, { commandOptions: { typeMapping: BYTES } }) },
      "the keyPrefix that it has": {
        connect: connect(version, { keyPrefix: "app:" }),
        keyPrefix: version.hasKeyPrefix ? "app:" : "",
      },
    },
    noNode: "No node of the cluster is connected",
  })),
  closeClients,
);

describe.each(versions)("$name", ({ createCluster }) => {
  test("is closed before it is connected and after it is destroyed", async () => {
    const redis = createCluster(port);
    const client = nodeRedisClient(redis);
    expect(client.closed).toBe(true);
    await redis.connect();
    expect(client.closed).toBe(false);
    redis.destroy();
    expect(client.closed).toBe(true);
  });
});
