import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Heard, startCluster, waitUntil, type RedisCluster } from "@redislock/test-kit";

import { ioredisClient, ServerError, type Reply, type Subscription } from "../src/index.js";
import { closeClients, script, versions, type ClusterUser } from "./versions.js";

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
  return ioredisClient(redis).run(script(source), keys, args);
}

const append = "return {redis.call('APPEND', KEYS[1], ARGV[1]), KEYS[1]}";

describe.each(versions)("$name", ({ connectCluster }) => {
  test("says that it is a cluster", () => {
    expect(ioredisClient(connectCluster(port)).cluster).toBe(true);
  });

  test("runs each script at the node of its keys, as text where it is not known", async () => {
    const redis = connectCluster(port);
    for (const length of ["1", "2"]) {
      for (const key of KEYS) {
        await expect(run(redis, append, [key], ["x"])).resolves.toEqual([length, key]);
      }
    }
    for (const [index, node] of cluster.nodes.entries()) {
      await expect(node.command("GET", String(KEYS[index]))).resolves.toBe("xx");
    }
  });

  test.each([
    ["of the cluster", { keyPrefix: "app:" }],
    ["of its nodes", { redisOptions: { keyPrefix: "app:" } }],
  ])("works with the keyPrefix %s, put before the key once", async (_, options) => {
    const redis = connectCluster(port, options);
    expect(ioredisClient(redis).keyPrefix).toBe("app:");
    for (const key of KEYS) {
      await expect(run(redis, append, [key], ["x"])).resolves.toEqual(["1", `app:${key}`]);
    }
  });

  test("works with enableAutoPipelining, for keys of several nodes at once", async () => {
    const redis = connectCluster(port, { enableAutoPipelining: true });
    for (const length of ["1", "2"]) {
      await expect(
        Promise.all(KEYS.map((key) => run(redis, append, [key], ["x"]))),
      ).resolves.toEqual(KEYS.map((key) => [length, key]));
    }
  });

  test("works with stringNumbers", async () => {
    const redis = connectCluster(port, { redisOptions: { stringNumbers: true } });
    await expect(run(redis, append, ["a"], ["x"])).resolves.toEqual(["1", "a"]);
  });

  test("finds a key that has moved", async () => {
    const redis = connectCluster(port);
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
    const redis = connectCluster(port);
    const error = await run(redis, append, ["a", "b"], ["x"]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ reply: "CROSSSLOT" });
  });

  test("is closed after quit, neither before it connects nor while it is connected", async () => {
    const redis = connectCluster(port, { lazyConnect: true });
    const client = ioredisClient(redis);
    expect(client.closed).toBe(false);
    await run(redis, append, ["a"], ["x"]);
    expect(client.closed).toBe(false);
    const end = new Promise((resolve) => redis.once("end", resolve));
    await redis.quit();
    await end;
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
      subscription = await ioredisClient(redis).subscribe?.("channel", heard);
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
      const redis = connectCluster(port, { keyPrefix: "app:" });
      await run(redis, append, ["a"], ["x"]);
      await subscribe(redis);
      for (const [index, node] of cluster.nodes.entries()) {
        await node.command("PUBLISH", "channel", `at ${index}`);
        expect(await heard.next()).toBe(`message: at ${index}`);
      }
    });

    test("leaves the client's own subscriptions and nodes as they are", async () => {
      const redis = connectCluster(port);
      await run(redis, append, ["a"], ["x"]);
      const nodes = redis.nodes().length;
      await subscribe(redis);
      expect((await subscribers()).sort()).toEqual([0, 0, 1]);
      expect(redis.nodes()).toHaveLength(nodes);
      await subscription?.close();
      await waitUntil(async () => (await subscribers()).every((count) => count === 0));
      await expect(run(redis, append, ["a"], ["x"])).resolves.toEqual(["2", "a"]);
    });

    test("goes on at another node when the one it listens to is gone", async () => {
      const redis = connectCluster(port);
      await run(redis, append, ["a"], ["x"]);
      await subscribe(redis);
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

    test("rejects when no node is known yet", async () => {
      const redis = connectCluster(port, { lazyConnect: true });
      await expect(subscribe(redis)).rejects.toThrow("No node of the cluster is known");
    });
  });
});
