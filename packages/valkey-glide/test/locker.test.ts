import { afterAll } from "@jest/globals";
import { startProxiedServer } from "@redislock/test-kit";
import { lockerTests } from "@redislock/test-kit/adapters";

import { createLocker, valkeyGlideClient } from "../src/index.js";
import { closeClients, connect } from "./versions.js";

const home = await startProxiedServer();
afterAll(home.stop);

lockerTests(
  home,
  [
    {
      name: "GlideClient",
      keyPrefix: "",
      connect: async (port) => {
        const glide = await connect(port);
        return {
          locker: createLocker(glide),
          isOpen: async () => !valkeyGlideClient(glide).closed && (await glide.ping()) === "PONG",
        };
      },
    },
  ],
  closeClients,
);
