/** A client that reads from replicas, and whose connections beside it must not. */
import { afterAll, afterEach, expect, test } from "@jest/globals";
import { startReplicated } from "@redislock/test-kit";

import { createLocker } from "../src/index.js";
import { closeClients, connect } from "./versions.js";

const { master, replicas, stop } = await startReplicated(1);
afterAll(stop);
afterEach(closeClients);

const addresses = [master, ...replicas].map(({ port }) => ({ host: "127.0.0.1", port }));

test("minReplicas holds for a client that prefers replicas: a lock is written and confirmed", async () => {
  const glide = await connect(master.port, { addresses, readFrom: "preferReplica" });
  const locker = createLocker(glide, { minReplicas: 1, commandTimeout: 10_000 });
  const lock = await locker.obtain("key", 60_000);
  await lock.refresh();
  expect(lock.held).toBe(true);
  await lock.release();
  await locker.close();
});
