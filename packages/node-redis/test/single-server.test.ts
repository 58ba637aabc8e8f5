import { afterAll } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { singleServerTests } from "@redislock/test-kit/adapters";

import { nodeRedisClient } from "../src/index.js";
import { BYTES, closeClients, kinds, type Options } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

const settings: Readonly<Record<string, Options>> = {
  disableOfflineQueue: { disableOfflineQueue: true },
  keyPrefix: { keyPrefix: "app:" },
  typeMapping: { commandOptions: { typeMapping: BYTES } },
  "database and name": { database: 3, name: "named" },
  "reconnectStrategy: false": { socket: { reconnectStrategy: false } },
  pingInterval: { pingInterval: 10 },
};

singleServerTests(
  home,
  kinds.map(({ name, connect }) => ({
    name,
    connect: async (port) => nodeRedisClient(await connect(port)),
    connectDeaf: async (port, username) =>
      nodeRedisClient(await connect(port, { username, password: "any" })),
    connectOnce: async (port) =>
      nodeRedisClient(await connect(port, { socket: { reconnectStrategy: false } })),
    settings: Object.fromEntries(
      Object.entries(settings).map(([what, options]) => [
        what,
        async (port: number) => nodeRedisClient(await connect(port, options)),
      ]),
    ),
  })),
  closeClients,
);
