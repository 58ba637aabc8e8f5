import type { ProxiedServer } from "@redislock/test-kit";

import type { ConformanceOptions } from "../../src/conformance.js";
import type { SocketAdapter } from "./socket-adapter.js";

/** What the kit can be given for an adapter whose connection, once lost, is not replaced. */
export function over(
  Adapter: typeof SocketAdapter,
  { server, proxy }: ProxiedServer,
): ConformanceOptions {
  return {
    async connect() {
      const client = await Adapter.connect(proxy.port);
      return { client, close: () => client.close() };
    },
    async connectAs(user) {
      const client = await Adapter.connect(proxy.port, user);
      return { client, close: () => client.close() };
    },
    command: (...command) => server.command(...command),
    network: proxy,
  };
}
