/** Users who may not do all that the locks would like to. */
import { startServer } from "@redislock/test-kit";
import { test } from "@jest/globals";

import type { Promised } from "./deployment.js";
import { trial } from "./trial.js";

const user = { username: "app", password: "the password" };

function without(command: string, ttl: number): Promised {
  return {
    ttl,
    bound: 12_000,
    start: async () => {
      const server = await startServer();
      const all = ["reset", "on", `>${user.password}`, "~*", "&*", "+@all", `-${command}`];
      await server.command("ACL", "SETUSER", user.username, ...all);
      return {
        access: { how: "server", port: server.port, user },
        servers: [server],
        faults: {},
        stop: () => server.stop(),
      };
    },
  };
}

// Who is not told asks after half of its ttl: it is all that helps here.
test("no permission for PUBLISH", () => trial(without("publish", 2_000)));
test("no permission for PUBSUB", () => trial(without("pubsub", 30_000)));
test("no permission for SUBSCRIBE", () => trial(without("subscribe", 30_000)));
test("no permission for SCRIPT", () => trial(without("script", 30_000)));
