import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Heard, startCluster, waitUntil, type RedisCluster } from "@redislock/test-kit";

import { nodeRedisClient, ServerError, type Reply, type Subscription } from "../src/index.js";
import {
  BYTES,
  closeClients,
  script,
  versions,
  type ClusterUser,
  type Options,
} from "./versions.js";

/** One on each node, in their order. */
const KEYS = ["b", "c", "a"];

let cluster: RedisCluster;
let port: number;

beforeAll(async () => {
  cluster = await startCluster();
  port = Number(cluster.nodes[0]?.port);
  const owners = await Promise.all(
    KEYS.map(async (key) => cluster.nodeOfSlot(await cluster.slotOf(key))),
  );
  expect(owners).toEqual(cluster.nodes);
});

afterAll(async () => {
  await cluster.stop();
});

beforeEach(async () => {
  for (const node of cluster.nodes) {
    await node.command("FLUSHALL");
    await node.command("SCRIPT", "FLUSH");
  }
});

afterEach(closeClients);

function run(
  redis: ClusterUser,
  source: string,
  keys: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Reply> {
  return nodeRedisClient(redis).run(script(source), keys, args);
}

const append = "return {redis.call('APPEND', KEYS[1], ARGV[1]), KEYS[1]}";

describe.each(versions)("$name", ({ name, createCluster }) => {
  async function connect(options?: Options): Promise<ClusterUser> {
    const redis = createCluster(port, options);
    await redis.connect();
    return redis;
  }

  test("says that it is a cluster", () => {
    expect(nodeRedisClient(createCluster(port)).cluster).toBe(true);
  });

  test("runs each script at the node of its keys, as text where it is not known", async () => {
    const redis = await connect();
    for (const length of ["1", "2"]) {
      for (const key of KEYS) {
        await expect(run(redis, append, [key], ["x"])).resolves.toEqual([length, key]);
      }
    }
    for (const [index, node] of cluster.nodes.entries()) {
      await expect(node.command("GET", String(KEYS[index]))).resolves.toBe("xx");
    }
  });

  test("works with typeMapping", async () => {
    const redis = await connect({ commandOptions: { typeMapping: BYTES } });
    await expect(run(redis, append, ["a"], ["x"])).resolves.toEqual(["1", "a"]);
  });

  test("works with the keyPrefix that it has", async () => {
    const redis = await connect({ keyPrefix: "app:" });
    const prefix = name.startsWith("node-redis 6") ? "app:" : "";
    expect(nodeRedisClient(redis).keyPrefix).toBe(prefix);
    for (const key of KEYS) {
      await expect(run(redis, append, [key], ["x"])).resolves.toEqual(["1", `${prefix}${key}`]);
    }
  });

  test("finds a key that has moved", async () => {
    const redis = await connect();
    await run(redis, append, ["a"], ["x"]);
    const slot = await cluster.slotOf("a");
    const home = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
    await cluster.moveSlot(slot, (home + 1) % cluster.nodes.length);
    try {
      await expect(run(redis, append, ["a"], ["x"])).resolves.toEqual(["2", "a"]);
    } finally {
      await cluster.moveSlot(slot, home);
    }
  });

  test("says by a ServerError that keys do not belong together", async () => {
    const redis = await connect();
    const error = await run(redis, append, ["a", "b"], ["x"]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ reply: "CROSSSLOT" });
  });

  test("is closed before it is connected and after it is destroyed", async () => {
    const redis = createCluster(port);
    const client = nodeRedisClient(redis);
    expect(client.closed).toBe(true);
    await redis.connect();
    expect(client.closed).toBe(false);
    redis.destroy();
    expect(client.closed).toBe(true);
  });

  describe("subscribe", () => {
    let heard: Heard;
    let subscription: Subscription | undefined;

    beforeEach(() => {
      heard = new Heard();
    });

    afterEach(async () => {
      await subscription?.close();
    });

    async function subscribe(redis: ClusterUser): Promise<void> {
      subscription = await nodeRedisClient(redis).subscribe?.("channel", heard);
    }

    async function subscribers(): Promise<number[]> {
      return Promise.all(
        cluster.nodes.map(async (node) => {
          const [, count] = [await node.command("PUBSUB", "NUMSUB", "channel")].flat();
          return Number(count);
        }),
      );
    }

    test("hears what is published at any node, also with keyPrefix", async () => {
      await subscribe(await connect({ keyPrefix: "app:" }));
      for (const [index, node] of cluster.nodes.entries()) {
        await node.command("PUBLISH", "channel", `at ${index}`);
        expect(await heard.next()).toBe(`message: at ${index}`);
      }
    });

    test("has a connection of its own, and closes it", async () => {
      const redis = await connect();
      await subscribe(redis);
      expect((await subscribers()).sort()).toEqual([0, 0, 1]);
      await subscription?.close();
      await waitUntil(async () => (await subscribers()).every((count) => count === 0));
      await expect(run(redis, append, ["a"], ["x"])).resolves.toEqual(["1", "a"]);
    });

    test("goes on at another node when the one it listens to is gone", async () => {
      await subscribe(await connect());
      const listenedTo = cluster.nodes[(await subscribers()).indexOf(1)];
      const other = cluster.nodes.find((node) => node !== listenedTo);
      await listenedTo?.crash();
      try {
        expect(await heard.next()).toBe("resumed");
        await other?.command("PUBLISH", "channel", "still here");
        expect(await heard.next()).toBe("message: still here");
      } finally {
        await listenedTo?.restart();
        await cluster.untilServing();
      }
    });

    test("rejects when no node is connected", async () => {
      await expect(subscribe(createCluster(port))).rejects.toThrow(
        "No node of the cluster is connected",
      );
    });
  });
});
