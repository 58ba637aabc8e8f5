import { afterAll, expect, test } from "@jest/globals";
import { startServer } from "@redislock/test-kit";

import { createQuorumLocker } from "../src/quorum.js";
import { closeClients, connect } from "./versions.js";

const servers = await Promise.all([1, 2, 3].map(() => startServer()));
afterAll(async () => {
  closeClients();
  await Promise.all(servers.map((server) => server.stop()));
});

test("a majority of servers gives a lock, also while one of them is gone", async () => {
  const glides = await Promise.all(servers.map(({ port }) => connect(port)));
  const locker = createQuorumLocker(glides, { maxTtl: 5_000 });
  // So long may locks be out that a server which has just started does not know of.
  const lock = await locker.obtain("key", 5_000, { wait: 20_000 });
  expect(lock.fencingToken).toBeGreaterThan(0);
  await lock.release();
  await servers[0]?.crash();
  const next = await locker.obtain("key", 5_000, { wait: 20_000 });
  expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
  await next.release();
  await locker.close();
});
