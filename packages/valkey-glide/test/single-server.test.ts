import { afterAll, expect } from "@jest/globals";
import { lastOrAll, startProxiedServer } from "@redislock/test-kit";
import { singleServerTests } from "@redislock/test-kit/adapters";
import { Decoder, ProtocolVersion } from "@valkey/valkey-glide";

import { type RedisClient, valkeyGlideClient } from "../src/index.js";
import { closeClients, connect, type Options } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

const settings: Readonly<Record<string, Options>> = {
  "databaseId and clientName": { databaseId: 3, clientName: "named" },
  "defaultDecoder Bytes": { defaultDecoder: Decoder.Bytes },
  lazyConnect: { lazyConnect: true },
  "readFrom preferReplica": { readFrom: "preferReplica" },
  RESP2: { protocol: ProtocolVersion.RESP2 },
  "subscriptions of its own": {
    pubsubSubscriptions: { channelsAndPatterns: { 0: new Set(["another"]) } },
  },
};

/** A client of GLIDE always connects again; one that is closed does not, and its subscription goes on. */
async function connectOnce(port: number): Promise<RedisClient> {
  const glide = await connect(port);
  const client = valkeyGlideClient(glide);
  return {
    run: (...command) => client.run(...command),
    async subscribe(channel, listener) {
      if (!client.subscribe) throw new Error("it cannot subscribe");
      const subscription = await client.subscribe(channel, listener);
      glide.close();
      return subscription;
    },
  };
}

singleServerTests(
  home,
  [
    {
      name: "GlideClient",
      connect: async (port) => valkeyGlideClient(await connect(port)),
      connectDeaf: async (port, username) =>
        valkeyGlideClient(await connect(port, { credentials: { username, password: "any" } })),
      connectOnce,
      settings: Object.fromEntries(
        lastOrAll(Object.entries(settings)).map(([what, options]) => [
          what,
          async (port: number) => valkeyGlideClient(await connect(port, options)),
        ]),
      ),
      unreachable: { name: "ClosingError", message: expect.stringContaining("Connection error") },
      insists: true,
    },
  ],
  closeClients,
);
