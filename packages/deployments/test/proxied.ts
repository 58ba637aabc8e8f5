/** One server, and a proxy in front of it. */
import { type FaultProxy, type RedisServer, startProxiedServer } from "@redislock/test-kit";

import type { Deployment, Fault } from "./deployment.js";

/** @param subscribes - Whether clients have messages. Default: yes. */
export async function proxied(
  faultsOf: (proxy: FaultProxy, server: RedisServer) => Record<string, Fault>,
  subscribes?: false,
): Promise<Deployment> {
  const { server, proxy, stop } = await startProxiedServer();
  return {
    access: { how: "server", port: proxy.port, ...(subscribes === false && { subscribes }) },
    servers: [server],
    faults: faultsOf(proxy, server),
    heal: () => proxy.heal(),
    stop,
  };
}
