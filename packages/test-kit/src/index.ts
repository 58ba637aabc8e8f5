export { amount, everything, lastOrAll, someOrAll } from "./amount.js";
export { run, script } from "./adapters/script.js";
export { stayUntilTold } from "./adapters/subscriber.js";
export { seededRandom } from "./determinism/seeded-random.js";
export { VirtualClock } from "./determinism/virtual-clock.js";
export { loadScripts, scriptRunBy, type KnownScript } from "./locks/known-scripts.js";
export { inboxOf, line, openInboxes, textsOf, untilInLine } from "./locks/line.js";
export { companion } from "./locks/names.js";
export { Heard } from "./listening/heard.js";
export { compilePackage, type Compiled } from "./processes/compile.js";
export {
  startProcess,
  type LineMatch,
  type NodeProcess,
  type ProcessExit,
  type ProcessOptions,
} from "./processes/node-process.js";
export { failure } from "./promises/failure.js";
export { waitUntil, type WaitUntilOptions } from "./promises/wait-until.js";
export { RespError, type Reply } from "./protocol/resp.js";
export { connect, type RespConnection } from "./protocol/resp-connection.js";
export {
  CommandLog,
  type Command,
  type CommandMatch,
  type WaitForOptions,
} from "./proxy/command-log.js";
export { startProxy, type AimedFault, type Fault, type FaultProxy } from "./proxy/fault-proxy.js";
export { startProxiedServer, type ProxiedServer } from "./proxy/proxied-server.js";
export { freeClusterPort, freePort } from "./servers/free-port.js";
export { redisCli } from "./servers/redis-cli.js";
export {
  startCluster,
  type ClusterOptions,
  type RedisCluster,
  type SlotMove,
} from "./servers/redis-cluster.js";
export { follow, startReplicated, type Replicated } from "./servers/redis-replicas.js";
export { startServer, type RedisServer, type ServerOptions } from "./servers/redis-server.js";
export { SentinelSet, startSentinel, startSentinelOf } from "./servers/redis-sentinel.js";
