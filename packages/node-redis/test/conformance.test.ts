import { afterAll, afterEach, describe, it } from "@jest/globals";
import { startProxy, startServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";

import { nodeRedisClient } from "../src/index.js";
import { closeClients, kinds } from "./versions.js";

const server = await startServer();
const proxy = await startProxy(server.port);
afterEach(() => proxy.heal());
afterAll(async () => {
  closeClients();
  await proxy.stop();
  await server.stop();
});

for (const { name, create } of kinds) {
  describe(name, () => {
    conformance(
      { describe, it },
      {
        async connect() {
          const redis = create(proxy.port);
          await redis.connect();
          return { client: nodeRedisClient(redis), close: () => redis.close() };
        },
        command: (...command) => server.command(...command),
        loseNextReply: () => void proxy.dropNextReply("EVALSHA"),
      },
    );
  });
}
