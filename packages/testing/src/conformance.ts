import { adapterTests } from "./conformance-adapter.js";
import type { ConformanceOptions, Runner } from "./conformance-bench.js";
import { lockTests } from "./conformance-lock.js";

export type { Connected, ConformanceOptions, Runner } from "./conformance-bench.js";

/**
 * Proves an adapter right: that it does what `RedisClient` asks for, and that the lock keeps its promises
 * through it. Registers its tests with whatever runner it is handed. The server should be there for
 * these tests alone, for they run `SCRIPT FLUSH` and cut connections.
 */
export function conformance(run: Runner, options: ConformanceOptions): void {
  run.describe("the adapter", () => adapterTests(run, options));
  run.describe("the lock, through the adapter", () => lockTests(run, options));
}
