import { afterAll, afterEach, describe, it } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";

import { valkeyGlideClient } from "../src/index.js";
import { closeClients, connect, type Options } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterEach(() => proxy.heal());
afterAll(async () => {
  closeClients();
  await stop();
});

const connected = async (options?: Options) => {
  const glide = await connect(proxy.port, options);
  return { client: valkeyGlideClient(glide), close: async () => glide.close() };
};

conformance(
  { describe, it },
  {
    connect: () => connected(),
    connectAs: (credentials) => connected({ credentials }),
    command: (...command) => server.command(...command),
    loseNextReply: () => void proxy.dropNextReply("EVALSHA"),
    network: proxy,
  },
);
