import { afterAll, afterEach, describe, it } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";

import { nodeRedisClient } from "../src/index.js";
import { closeClients, kinds, type Options } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterEach(() => proxy.heal());
afterAll(async () => {
  closeClients();
  await stop();
});

for (const kind of kinds) {
  const connect = async (options?: Options) => {
    const redis = await kind.connect(proxy.port, options);
    return { client: nodeRedisClient(redis), close: () => redis.close() };
  };
  describe(kind.name, () => {
    conformance(
      { describe, it },
      {
        connect: () => connect(),
        connectAs: (user) => connect(user),
        command: (...command) => server.command(...command),
        loseNextReply: () => void proxy.dropNextReply("EVALSHA"),
        network: proxy,
      },
    );
  });
}
