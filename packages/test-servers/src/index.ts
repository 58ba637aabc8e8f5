export { CommandLog, type Command, type CommandMatch, type WaitForOptions } from "./command-log.js";
export { startProxy, type AimedFault, type Fault, type FaultProxy } from "./fault-proxy.js";
export { freeClusterPort, freePort } from "./free-port.js";
export {
  startProcess,
  type LineMatch,
  type NodeProcess,
  type ProcessExit,
  type ProcessOptions,
} from "./node-process.js";
export { redisCli } from "./redis-cli.js";
export {
  startCluster,
  type ClusterOptions,
  type RedisCluster,
  type SlotMove,
} from "./redis-cluster.js";
export { startServer, type RedisServer, type ServerOptions } from "./redis-server.js";
export { connect, type RespConnection } from "./resp-connection.js";
export { RespError, type Reply } from "./resp.js";
export { waitUntil, type WaitUntilOptions } from "./wait-until.js";
