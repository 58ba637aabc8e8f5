/** One server, reached in different ways. */
import { startCluster, startProxy } from "@redislock/test-kit";
import { test } from "@jest/globals";

import { network } from "./network.js";
import { proxied } from "./proxied.js";
import { trial } from "./trial.js";

test("a single server", () =>
  trial({
    ttl: 30_000,
    bound: 10_000,
    start: () =>
      proxied((proxy, server) => ({
        ...network(proxy),
        "the server starts again, with its data": { run: () => server.restart() },
      })),
  }));

test("a plain client at one endpoint of a clustered server", () =>
  trial({
    ttl: 30_000,
    bound: 10_000,
    start: async () => {
      const cluster = await startCluster(1);
      const [node] = cluster.nodes;
      if (!node) throw new Error("no node");
      const proxy = await startProxy(node.port);
      return {
        access: { how: "server", port: proxy.port },
        servers: cluster.nodes,
        faults: network(proxy),
        heal: () => proxy.heal(),
        stop: async () => {
          await proxy.stop();
          await cluster.stop();
        },
      };
    },
  }));

test("a client without pub/sub", () =>
  trial({
    ttl: 30_000,
    bound: 10_000,
    start: () => proxied(network, false),
  }));
