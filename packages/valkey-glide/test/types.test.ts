import { afterAll, expect, test } from "@jest/globals";
import { startCluster, startServer } from "@redislock/test-kit";
import type { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";

import { createLocker, Locker } from "../src/index.js";
import { closeClients, connect, connectCluster } from "./versions.js";

const [server, cluster] = await Promise.all([startServer(), startCluster(1)]);
afterAll(async () => {
  closeClients();
  await Promise.all([server.stop(), cluster.stop()]);
});

// What the compiler says to each line is half of the test: `pnpm typecheck` reads it.
test("accepts a client of either kind, and one of which the compiler cannot know the kind", async () => {
  const single: GlideClient = await connect(server.port);
  const clustered: GlideClusterClient = await connectCluster(Number(cluster.nodes[0]?.port));
  expect(createLocker(single)).toBeInstanceOf(Locker);
  expect(createLocker(clustered)).toBeInstanceOf(Locker);
  const either = Math.random() < 0.5 ? single : clustered;
  expect(createLocker(either)).toBeInstanceOf(Locker);
});
