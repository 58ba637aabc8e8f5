/** `minReplicas` in a cluster: each master is asked for its own replicas. */
import { afterAll, expect, test } from "@jest/globals";
import { failure, startCluster, startServer, waitUntil } from "@redislock/test-kit";

import { cast, ioredisCluster, kinds, nodeRedisCluster } from "./clients.js";

const cluster = await startCluster(3);
const [first, second, third] = cluster.nodes;
if (!first || !second || !third) throw new Error("never");
const replica = await startServer({
  args: [
    ...["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"],
    ...["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"],
  ],
});
await replica.command("CLUSTER", "MEET", "127.0.0.1", String(first.port));
const masterId = String(await first.command("CLUSTER", "MYID"));
await waitUntil(async () => String(await replica.command("CLUSTER", "NODES")).includes(masterId), {
  what: "the replica to know the cluster",
});
await replica.command("CLUSTER", "REPLICATE", masterId);
await waitUntil(
  async () => / state=online|state=online/.test(String(await first.command("INFO", "replication"))),
  { what: "the replica to follow", timeout: 30_000 },
);

afterAll(async () => {
  await replica.stop();
  await cluster.stop();
});

/** A key that a node owns. */
async function keyAt(node: typeof first): Promise<string> {
  for (let number = 0; ; number++) {
    const key = `key ${number}`;
    if (cluster.nodeOfSlot(await cluster.slotOf(key)) === node) return key;
  }
}

// Valkey GLIDE does not say which node has a slot, and its adapter refuses the option.
const clusters = kinds.filter(({ cluster, library }) => cluster && library !== "valkey-glide");
const prefixed = [
  ioredisCluster(6, { keyPrefix: "app:" }, "with keyPrefix"),
  nodeRedisCluster(6, { keyPrefix: "app:" }, "with keyPrefix"),
];

test.each(clusters)(
  "$name: the master that owns the slot is the one whose replicas count",
  async ({ connect }) => {
    const user = await connect(second.port);
    const locker = user.locker({ minReplicas: 1, commandTimeout: 8_000, replicaTimeout: 1_000 });
    try {
      const key = await keyAt(first);
      // It may have begun to follow only just now.
      const lock = await locker.obtain(key, 60_000, { retry: () => 50, renew: true });
      await replica.command("READONLY");
      expect(await replica.command("EXISTS", key)).toBe(1);
      await lock.refresh();
      // The others have no replicas.
      for (const node of [second, third]) {
        const other = await keyAt(node);
        expect(await failure(locker.obtain(other, 60_000))).toMatchObject({ reply: "NOREPLICAS" });
        await waitUntil(async () => (await node.command("EXISTS", other)) === 0, {
          what: "it to be given back",
        });
      }
      await lock.release();
    } finally {
      await locker.close();
      user.destroy();
    }
  },
);

test.each([...prefixed, ...cast(clusters)])(
  "$name: many locks at many slots of one master",
  async ({ connect, prefix }) => {
    const user = await connect(first.port);
    const locker = user.locker({ minReplicas: 1, commandTimeout: 8_000, namespace: "lock:" });
    try {
      const keys: string[] = [];
      for (let number = 0; keys.length < 16; number++) {
        const slot = await cluster.slotOf(`${prefix}lock:${number}`);
        if (cluster.nodeOfSlot(slot) === first) keys.push(String(number));
      }
      const locks = await Promise.all(
        keys.map((key) => locker.obtain(key, 60_000, { retry: () => 50 })),
      );
      for (const key of keys) {
        expect(await replica.command("EXISTS", `${prefix}lock:${key}`)).toBe(1);
      }
      await Promise.all(locks.map((lock) => lock.release()));
    } finally {
      await locker.close();
      user.destroy();
    }
  },
);
