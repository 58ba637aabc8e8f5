import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { failure, Heard, run, startCluster } from "@redislock/test-kit";
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

describe.each(versions)("$name", (version) => {
  const { createCluster } = version;

  test("is closed before it is connected and after it is destroyed", async () => {
    const redis = createCluster(port);
    const client = nodeRedisClient(redis);
    expect(client.closed).toBe(true);
    await redis.connect();
    expect(client.closed).toBe(false);
    redis.destroy();
    expect(client.closed).toBe(true);
  });

  test("fails with no TypeError of node-redis while it knows no node", async () => {
    const redis = createCluster(port);
    const connected = redis.connect();
    const error = await failure(run(nodeRedisClient(redis), "return 1", ["a"]));
    expect(error).not.toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/knows no server for the key|client is offline/);
    await connected;
  });

  describe("with minimizeConnections, before a node was asked", () => {
    const minimized = connect(version, { minimizeConnections: true });

    test("a connection beside it leads there", async () => {
      const { side } = await minimized();
      let end: (reason: unknown) => void = () => undefined;
      const ended = new Promise<unknown>((resolve) => (end = resolve));
      const master = side?.masterOf?.(await cluster.slotOf("key"));
      const connection = await side?.open({ end, ended }, master);
      expect(await connection?.send(["SET", "key", "here"])).toBe("OK");
      end(new Error("the test is over"));
    });

    test("a subscription hears", async () => {
      const heard = new Heard();
      const subscription = await (await minimized()).subscribe?.("channel", heard);
      await cluster.nodes[0]?.command("PUBLISH", "channel", "hello");
      expect(await heard.next()).toBe("message: hello");
      await subscription?.close();
    });
  });
});
