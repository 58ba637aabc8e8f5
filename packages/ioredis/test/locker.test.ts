import { afterAll } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { lockerTests } from "@redislock/test-kit/adapters";

import { createLocker } from "../src/index.js";
import { closeClients, versions } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

const keyPrefix = "app:";

const kinds = versions.map(({ name, connect }) => ({
  name,
  keyPrefix,
  connect: async (port: number) => {
    const redis = connect(port, { keyPrefix });
    return {
      locker: createLocker(redis),
      isOpen: async () => (await redis.ping()) === "PONG",
    };
  },
}));

lockerTests(home, kinds, closeClients);
