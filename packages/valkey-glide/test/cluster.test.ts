import { afterAll, afterEach, expect, test } from "@jest/globals";
import { failure, startCluster } from "@redislock/test-kit";
import { clusterTests } from "@redislock/test-kit/adapters";
import { Decoder, ProtocolVersion } from "@valkey/valkey-glide";

import { createLocker, type RedisClient, valkeyGlideClient } from "../src/index.js";
import { closeClients, type ClusterOptions, connectCluster } from "./versions.js";

const cluster = await startCluster();
const port = Number(cluster.nodes[0]?.port);
afterAll(() => cluster.stop());
afterEach(closeClients);

// All of them: GLIDE comes back to one that it was given, so one address is down with its node.
const addresses = cluster.nodes.map((node) => ({ host: "127.0.0.1", port: node.port }));
const connect = (options?: ClusterOptions) => async (): Promise<RedisClient> =>
  valkeyGlideClient(await connectCluster(port, { addresses, ...options }));

clusterTests(
  cluster,
  [
    {
      name: "GlideClusterClient",
      connect: connect(),
      settings: {
        "defaultDecoder Bytes": { connect: connect({ defaultDecoder: Decoder.Bytes }) },
        lazyConnect: { connect: connect({ lazyConnect: true }) },
        RESP2: { connect: connect({ protocol: ProtocolVersion.RESP2 }) },
      },
    },
  ],
  closeClients,
);

test("minReplicas is refused, for GLIDE does not say which node has a slot", async () => {
  const glide = await connectCluster(port);
  expect(() => createLocker(glide, { minReplicas: 1 })).toThrow(
    new TypeError("minReplicas needs a client that can have connections beside its own"),
  );
});

test("who may not listen is told so in the server's words", async () => {
  for (const node of cluster.nodes) {
    const rights = ["on", "nopass", "~*", "+@all", "resetchannels"];
    await node.command("ACL", "SETUSER", "mute", ...rights);
  }
  const credentials = { username: "mute", password: "any" };
  const client = valkeyGlideClient(await connectCluster(port, { addresses, credentials }));
  const listener = { message: () => undefined, resumed: () => undefined };
  const error = await failure(client.subscribe?.("channel", listener) ?? Promise.resolve());
  expect(error).toMatchObject({ code: "SERVER", reply: "NOPERM" });
});
