/** The conformance kit in node's own test runner. */
import { after, describe, it } from "node:test";
import { startServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";
import { Redis } from "ioredis";

import { ioredisClient } from "../../src/index.js";

const server = await startServer();
after(() => server.stop());

conformance(
  { describe, it },
  {
    connect() {
      const redis = new Redis(server.port, "127.0.0.1");
      return { client: ioredisClient(redis), close: () => redis.disconnect() };
    },
    command: (...command) => server.command(...command),
  },
);
