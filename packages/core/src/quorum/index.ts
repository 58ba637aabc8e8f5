/**
 * Locks that a majority of several independent servers keeps: no one of them is needed. Which kind of
 * servers is right for whom is in docs/servers.md.
 */
export {
  eachClient,
  QuorumLocker,
  type QuorumLockerConstructor,
  type QuorumLockerOptions,
  type QuorumObtainOptions,
} from "./locker.js";
export { QuorumError, type ServerVerdict } from "./quorum-error.js";
export { quorumScripts, type QuorumScriptName } from "../lua/quorum/scripts.generated.js";
