import { startServer, type RedisServer, type ServerOptions } from "../servers/redis-server.js";
import { startProxy, type FaultProxy } from "./fault-proxy.js";

/** A server, and a proxy before it for those who may be let down. */
export interface ProxiedServer {
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
  /** Ends both. */
  readonly stop: () => Promise<void>;
}

/** Starts both. */
export async function startProxiedServer(options?: ServerOptions): Promise<ProxiedServer> {
  const server = await startServer(options);
  const proxy = await startProxy(server.port);
  return {
    server,
    proxy,
    stop: async () => {
      await proxy.stop();
      await server.stop();
    },
  };
}
