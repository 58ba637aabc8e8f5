/**
 * The tests that all adapters of ours share, beyond what the conformance kit asks of any adapter. They
 * need jest around them, so they are not among what the kit's main entry exports.
 */
export { clusterTests, type ClusterKind } from "./cluster.js";
export { exitTests } from "./exits.js";
export { lockerTests, type LockerKind } from "./lockers.js";
export { singleServerTests, type AdapterKind } from "./single-server.js";
