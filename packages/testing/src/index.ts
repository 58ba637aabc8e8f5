/** Locks without Redis, for the tests of code that uses them. */

export * from "@redislock/core";
export { createLocker } from "./create-locker.js";
export { ManualClock } from "./manual-clock.js";
export { memoryClient, MemoryClient, type MemoryClientOptions } from "./memory-client.js";
export { MemoryServer, type MemoryServerOptions } from "./memory-server.js";
