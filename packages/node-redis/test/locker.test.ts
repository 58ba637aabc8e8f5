import { afterAll } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { lockerTests } from "@redislock/test-kit/adapters";

import { createLocker } from "../src/index.js";
import { closeClients, kinds } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

lockerTests(
  home,
  kinds.map(({ name, connect }) => ({
    name,
    keyPrefix: "",
    connect: async (port) => {
      const redis = await connect(port);
      return { locker: createLocker(redis), isOpen: async () => redis.isOpen };
    },
  })),
  closeClients,
);
