import { afterAll } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { singleServerTests } from "@redislock/test-kit/adapters";
import { once } from "node:events";

import { ioredisClient } from "../src/index.js";
import { closeClients, versions, type Options } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

const settings: Readonly<Record<string, Options>> = {
  lazyConnect: { lazyConnect: true },
  "no enableOfflineQueue": { enableOfflineQueue: false },
  enableAutoPipelining: { enableAutoPipelining: true },
  "no retries": { maxRetriesPerRequest: 0, retryStrategy: () => null },
  "no autoResubscribe": { autoResubscribe: false, autoResendUnfulfilledCommands: false },
  stringNumbers: { stringNumbers: true },
  db: { db: 3 },
  keyPrefix: { keyPrefix: "app:" },
  "no enableReadyCheck": { enableReadyCheck: false },
  "commandTimeout and connectionName": { commandTimeout: 5_000, connectionName: "named" },
};

const kinds = versions.map(({ name, connect }) => ({
  name,
  connect: async (port: number) => ioredisClient(connect(port)),
  connectDeaf: async (port: number, username: string) =>
    // Told to send again what was refused, ioredis would do so for ever.
    ioredisClient(connect(port, { username, password: "any", reconnectOnError: () => 2 })),
  connectOnce: async (port: number) => ioredisClient(connect(port, { retryStrategy: () => null })),
  settings: Object.fromEntries(
    Object.entries(settings).map(([what, options]) => [
      what,
      async (port: number) => {
        const redis = connect(port, options);
        // Without a queue it takes no command before.
        if (options.enableOfflineQueue === false) await once(redis, "ready");
        return ioredisClient(redis);
      },
    ]),
  ),
}));

singleServerTests(home, kinds, closeClients);
