/** The adapter for Upstash, against its protocol in front of a real server. */
import { afterAll, describe, it } from "@jest/globals";
import { startServer } from "@redislock/test-kit";
import { conformance } from "@redislock/testing/conformance";
import { Redis } from "@upstash/redis";

import { upstashClient } from "../src/adapters/upstash.js";
import { startRestApi, TOKEN } from "./upstash-rest.js";

const server = await startServer();
const api = await startRestApi(server);
const { url } = api;
const token = TOKEN;
afterAll(async () => {
  await api.stop();
  await server.stop();
});

conformance(
  { describe, it },
  {
    connect: () => {
      // #region client
      const redis = new Redis({
        url,
        token,
        automaticDeserialization: false,
        retry: { retries: 0 },
      });
      const client = upstashClient(redis);
      // #endregion
      return { client, close: () => undefined };
    },
    command: (...command) => server.command(...command),
    loseNextReply: api.loseNextReply,
    subscribes: false,
    closes: false,
  },
);
