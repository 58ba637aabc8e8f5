/** Three masters, between whom slots move. */
import {
  freeClusterPort,
  startCluster,
  startServer,
  waitUntil,
  type RedisCluster,
  type RedisServer,
} from "@redislock/test-kit";
import { test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";

import type { Deployment } from "./deployment.js";
import { ALL, trial } from "./trial.js";

test("a cluster whose slots move", () =>
  trial({
    ttl: 30_000,
    bound: 15_000,
    refusals: ["TRYAGAIN"],
    start: async () => {
      const cluster = await startCluster(3);
      const [node] = cluster.nodes;
      const slots = await Promise.all(["a", "b"].map((tag) => cluster.slotOf(tag)));
      return {
        access: { how: "cluster", port: node?.port ?? 0 },
        servers: cluster.nodes,
        faults: {
          "a slot moves": {
            run: async (random) => {
              const slot = slots[random(slots.length)] ?? 0;
              const from = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
              const move = await cluster.beginMove(slot, (from + 1 + random(2)) % 3);
              await sleep(random(600));
              await move.migrateKeys();
              await sleep(random(600));
              await move.migrateKeys();
              await move.finish();
            },
          },
          "connections break": {
            run: async (random) => {
              const node = cluster.nodes[random(cluster.nodes.length)];
              await node?.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
              await node?.command("CLIENT", "KILL", "TYPE", "pubsub");
            },
          },
        },
        stop: () => cluster.stop(),
      };
    },
  }));

test("a cluster in which a replica of a node takes over, with nothing lost", () =>
  trial({
    ttl: 30_000,
    bound: 15_000,
    refusals: ["READONLY", "CLUSTERDOWN"],
    start: async () => {
      const { deployment, ...nodes } = await startWithReplica();
      let { pair } = nodes;
      return {
        ...deployment,
        faults: {
          "a replica takes over": {
            run: async (random) => {
              const [before, next] = pair;
              await waitUntil(() => takesOver(next, before), { what: "it", timeout: 60_000 });
              pair = [next, before];
              await sleep(random(1_000));
            },
          },
        },
      };
    },
  }));

test("a cluster in which a node dies, and its replica takes over", () =>
  trial({
    ttl: 2_000,
    bound: 20_000,
    refusals: ["READONLY", "CLUSTERDOWN"],
    start: async () => {
      const { deployment, ...nodes } = await startWithReplica();
      let { pair } = nodes;
      return {
        ...deployment,
        faults: {
          "a node dies": {
            // When it comes back, it is some time until it is told that it is a master no more.
            loses: ALL ? "meanwhile" : "from then on",
            run: async (random) => {
              const [before, next] = pair;
              await before.crash();
              await waitUntil(() => isMaster(next), { what: "a new master", timeout: 30_000 });
              await sleep(random(1_000));
              await before.restart();
              await waitUntil(() => isReplica(before), { what: "a replica", timeout: 60_000 });
              pair = [next, before];
            },
          },
        },
      };
    },
  }));

interface WithReplica {
  readonly deployment: Omit<Deployment, "faults">;
  /** One of the masters, and its replica. */
  readonly pair: readonly [RedisServer, RedisServer];
}

/** Three masters, one of which has a replica. */
async function startWithReplica(): Promise<WithReplica> {
  const cluster = await startCluster(3);
  const [master, other, third] = cluster.nodes;
  if (!master || !other || !third) throw new Error("there are not three nodes");
  const pair = [master, await joinAsReplica(cluster, master)] as const;
  const servers = [...pair, other, third];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  return { pair, deployment: { access: { how: "cluster", port: other.port }, servers, stop } };
}

async function joinAsReplica(cluster: RedisCluster, master: RedisServer): Promise<RedisServer> {
  const port = await freeClusterPort();
  const replica = await startServer({
    port,
    args: ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"],
  });
  const id = String(await master.command("CLUSTER", "MYID"));
  for (const node of cluster.nodes) {
    await node.command("CLUSTER", "MEET", "127.0.0.1", String(port));
  }
  const knows = async (): Promise<boolean> =>
    String(await replica.command("CLUSTER", "NODES")).includes(id);
  await waitUntil(knows, { what: "the nodes to know each other" });
  await replica.command("CLUSTER", "REPLICATE", id);
  await waitUntil(() => isReplica(replica), { what: "the replica to follow" });
  return replica;
}

/** The other nodes vote for a replica of the same node at most once in a while: until then it asks in vain. */
async function takesOver(replica: RedisServer, master: RedisServer): Promise<boolean> {
  await replica.command("CLUSTER", "FAILOVER").catch(() => undefined);
  return waitUntil(() => isReplica(master), { timeout: 6_000 }).catch(() => false);
}

async function isMaster(server: RedisServer): Promise<boolean> {
  return String(await server.command("INFO", "replication")).includes("role:master");
}

async function isReplica(server: RedisServer): Promise<boolean> {
  const info = String(await server.command("INFO", "replication"));
  return info.includes("master_link_status:up");
}
