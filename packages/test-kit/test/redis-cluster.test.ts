import { afterAll, beforeAll, expect, it } from "@jest/globals";

import { startCluster, waitUntil, type RedisCluster, type RedisServer } from "../src/index.js";

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  await cluster.stop();
});

it("has all slots, spread over three masters that know each other", async () => {
  expect(cluster.nodes).toHaveLength(3);
  for (const node of cluster.nodes) {
    const info = String(await node.command("CLUSTER", "INFO"));
    expect(info).toContain("cluster_state:ok");
    expect(info).toContain("cluster_slots_assigned:16384");
    expect(info).toContain("cluster_size:3");
  }
  expect(cluster.nodes.indexOf(cluster.nodeOfSlot(0))).toBe(0);
  expect(cluster.nodes.indexOf(cluster.nodeOfSlot(8_192))).toBe(1);
  expect(cluster.nodes.indexOf(cluster.nodeOfSlot(16_383))).toBe(2);
  expect(() => cluster.nodeOfSlot(16_384)).toThrow(RangeError);
});

it("serves a key at the node of its slot, and MOVED elsewhere", async () => {
  const slot = await cluster.slotOf("key");
  for (const node of cluster.nodes) {
    const answer = node.command("SET", "key", "value");
    if (node === cluster.nodeOfSlot(slot)) await expect(answer).resolves.toBe("OK");
    else await expect(answer).rejects.toMatchObject({ code: "MOVED" });
  }
});

it("moves a slot with its keys", async () => {
  const slot = await cluster.slotOf("{tag}");
  const source = cluster.nodeOfSlot(slot);
  const toIndex = (cluster.nodes.indexOf(source) + 1) % 3;
  const keys = Array.from({ length: 250 }, (_, index) => `{tag}${index}`);
  for (const key of keys) await source.command("SET", key, key, "PX", "60000");

  await cluster.moveSlot(slot, toIndex);

  const target = cluster.nodeOfSlot(slot);
  expect(cluster.nodes.indexOf(target)).toBe(toIndex);
  await expect(target.command("EXISTS", ...keys)).resolves.toBe(keys.length);
  expect(await target.command("PTTL", "{tag}1")).toBeGreaterThan(0);
  for (const node of cluster.nodes) {
    if (node === target) continue;
    await expect(node.command("GET", "{tag}1")).rejects.toMatchObject({
      message: `MOVED ${slot} 127.0.0.1:${target.port}`,
    });
  }
});

it("gives a slot to a node with an epoch that beats the old owner's, also one just taken", async () => {
  const figureOf = async (node: RedisServer, name: string): Promise<number> => {
    const info = String(await node.command("CLUSTER", "INFO"));
    return Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
  };
  const slot = await cluster.slotOf("{epoch}");
  const source = cluster.nodeOfSlot(slot);
  const [target, other] = cluster.nodes.filter((node) => node !== source);
  if (!target || !other) throw new Error("too few nodes");
  // Only who has not the highest takes a higher one, of which the rest hear by and by.
  await other.command("CLUSTER", "BUMPEPOCH");
  const highest = await figureOf(other, "cluster_my_epoch");
  await waitUntil(async () => (await figureOf(source, "cluster_current_epoch")) === highest);
  await source.command("CLUSTER", "BUMPEPOCH");
  await cluster.moveSlot(slot, cluster.nodes.indexOf(target));
  expect(await figureOf(target, "cluster_my_epoch")).toBeGreaterThan(
    await figureOf(source, "cluster_my_epoch"),
  );
});

it("answers ASK while a slot is on its way", async () => {
  const slot = await cluster.slotOf("{way}");
  const source = cluster.nodeOfSlot(slot);
  const toIndex = (cluster.nodes.indexOf(source) + 1) % 3;
  await source.command("SET", "{way}there", "value");

  const move = await cluster.beginMove(slot, toIndex);
  await expect(source.command("GET", "{way}there")).resolves.toBe("value");
  await expect(source.command("GET", "{way}missing")).rejects.toMatchObject({ code: "ASK" });
  await move.migrateKeys();
  await expect(source.command("GET", "{way}there")).rejects.toMatchObject({ code: "ASK" });
  expect(cluster.nodeOfSlot(slot)).toBe(source);
  await move.finish();

  await expect(cluster.nodeOfSlot(slot).command("GET", "{way}there")).resolves.toBe("value");
  await expect(cluster.beginMove(slot, toIndex)).rejects.toThrow("already");
});

it("serves again after a node has crashed and come back, without its data", async () => {
  const node = cluster.nodeOfSlot(0);
  await node.crash();
  await node.restart();
  await cluster.untilServing();
  await expect(node.command("DBSIZE")).resolves.toBe(0);
});
