import { afterAll, afterEach, describe, it } from "@jest/globals";
import { startProxy, startServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";

import { ioredisClient } from "../src/index.js";
import { closeClients, versions } from "./versions.js";

const server = await startServer();
const proxy = await startProxy(server.port);
afterEach(() => proxy.heal());
afterAll(async () => {
  closeClients();
  await proxy.stop();
  await server.stop();
});

for (const version of versions) {
  describe(version.name, () => {
    conformance(
      { describe, it },
      {
        connect() {
          const redis = version.connect(proxy.port);
          return { client: ioredisClient(redis), close: () => redis.disconnect() };
        },
        command: (...command) => server.command(...command),
        loseNextReply: () => void proxy.dropNextReply("EVALSHA"),
      },
    );
  });
}
