import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type RedisCluster, startCluster } from "@redislock/test-kit";
import { runExample } from "./run-example.js";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

test("cluster: a common hash tag brings several keys to one server", async () => {
  const [node] = cluster.nodes;
  const lines = await runExample("cluster", node ? { cluster: node.port } : {});
  expect(lines).toEqual([
    "holding {order:7}:stock and {order:7}:payment",
    expect.stringMatching(/^keys must share a hash slot in a cluster: "stock:7" is in \d+, /),
  ]);
});
