import { afterAll, afterEach, describe, it } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";

import { ioredisClient } from "../src/index.js";
import { closeClients, versions, type Options } from "./versions.js";

const { server, proxy, stop } = await startProxiedServer();
afterEach(() => proxy.heal());
afterAll(async () => {
  closeClients();
  await stop();
});

for (const version of versions) {
  const connect = (options?: Options) => {
    const redis = version.connect(proxy.port, options);
    return { client: ioredisClient(redis), close: () => redis.disconnect() };
  };
  describe(version.name, () => {
    conformance(
      { describe, it },
      {
        connect: () => connect(),
        connectAs: (user) => connect({ ...user }),
        command: (...command) => server.command(...command),
        loseNextReply: () => void proxy.dropNextReply("EVALSHA"),
        network: proxy,
      },
    );
  });
}
