/** The adapter for Upstash, against its protocol in front of a real server. */
import { afterAll, describe, it } from "@jest/globals";
import { startServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";
import { Redis } from "@upstash/redis";

import { upstashClient } from "../src/adapters/upstash.js";
import { startRestApi, TOKEN } from "./upstash-rest.js";

const server = await startServer();
const api = await startRestApi(server);
afterAll(async () => {
  await api.stop();
  await server.stop();
});

conformance(
  { describe, it },
  {
    connect: () => {
      const redis = new Redis({
        url: api.url,
        token: TOKEN,
        automaticDeserialization: false,
        retry: false,
      });
      return { client: upstashClient(redis), close: () => undefined };
    },
    command: (...command) => server.command(...command),
    loseNextReply: api.loseNextReply,
    subscribes: false,
    closes: false,
  },
);
