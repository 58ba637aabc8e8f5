/** What stands for a client's connection: without a server. */
import { expect, test } from "@jest/globals";
import { failure, run } from "@redislock/test-kit";

import { nodeRedisClient } from "../src/index.js";

test("behind sentinels it is another whenever an answer comes over a connection that is new", async () => {
  const clients = [1, 2].map((server) => ({
    ...{ isReady: true, socketEpoch: 1, name: `server ${server}` },
    duplicate: () => never(),
    sendCommand: () => Promise.resolve(1),
  }));
  let [master] = clients;
  const unused = (): never => never();
  const client = nodeRedisClient({
    ...{ isOpen: true, isReady: true, getSentinelNode: unused, on: () => undefined },
    ...{ evalSha: unused, eval: unused },
    _execute: (_, task) => Promise.resolve(task(master ?? never())),
  });
  const seen: unknown[] = [client.epoch];
  const ask = async (): Promise<void> => {
    await run(client, "return 1");
    seen.push(client.epoch);
  };
  await ask();
  await ask();
  // Whoever finds a new master closes the clients of the old one.
  if (master) master.isReady = false;
  [, master] = clients;
  await ask();
  if (master) master.socketEpoch++;
  await ask();
  if (master) master.sendCommand = () => Promise.reject(new Error("it was lost"));
  await failure(ask());
  expect(client.epoch).toBe(seen.at(-1));
  expect(seen.map((epoch, index) => seen.indexOf(epoch) === index)).toEqual([
    true,
    true,
    false,
    true,
    true,
  ]);
});

test("behind sentinels it is the same for all of a pool, until all of them are replaced", async () => {
  const pool = (size: number) =>
    Array.from({ length: size }, () => ({
      ...{ isReady: true, socketEpoch: 1 },
      duplicate: () => never(),
      sendCommand: () => Promise.resolve(1),
    }));
  let clients = pool(3);
  let turn = 0;
  const unused = (): never => never();
  let changed: (change: { type: string }) => void = unused;
  const client = nodeRedisClient({
    ...{ isOpen: true, isReady: true, getSentinelNode: unused },
    on: (_, listener) => (changed = listener),
    ...{ evalSha: unused, eval: unused },
    _execute: (_, task) => Promise.resolve(task(clients[turn++ % clients.length] ?? never())),
  });
  const epochs = async (): Promise<Set<unknown>> => {
    const seen = new Set<unknown>();
    for (let i = 0; i < 6; i++) {
      await run(client, "return 1");
      seen.add(client.epoch);
    }
    return seen;
  };
  const before = await epochs();
  expect(before.size).toBe(1);
  for (const one of clients) one.isReady = false;
  clients = pool(3);
  const after = await epochs();
  expect(after.size).toBe(1);
  expect(after).not.toEqual(before);
  // As soon as it is known: what is sent from then on was sent to no other.
  for (const one of clients) one.isReady = false;
  clients = pool(3);
  changed({ type: "REPLICA_ADD" });
  expect(after).toContain(client.epoch);
  changed({ type: "MASTER_CHANGE" });
  const { epoch } = client;
  expect(after).not.toContain(epoch);
  expect(await epochs()).toEqual(new Set([epoch]));
});

function never(): never {
  throw new Error("nobody asks for it");
}

test("while it connects, the epoch is like no other, and then the one that it counts", () => {
  const redis = {
    ...{ isOpen: true, isReady: false, socketEpoch: 0 },
    evalSha: () => Promise.resolve(),
    eval: () => Promise.resolve(),
    execute: () => Promise.reject(new Error("it opens none")),
  };
  const client = nodeRedisClient(redis);
  const first = client.epoch;
  expect(first).toBeDefined();
  expect(client.epoch).not.toBe(first);
  expect([client.epoch, first]).not.toContain(0);
  redis.isReady = true;
  expect([client.epoch, client.epoch]).toEqual([0, 0]);
  redis.socketEpoch++;
  expect(client.epoch).toBe(1);
  Reflect.deleteProperty(redis, "isReady");
  expect(client.epoch).toBe(1);
});
