import { registerWith } from "./conformance/bench.js";
import { errorTests } from "./conformance/errors.js";
import { factTests } from "./conformance/facts.js";
import { lockTests } from "./conformance/locks.js";
import type { ConformanceOptions, Runner } from "./conformance/options.js";
import { scriptTests } from "./conformance/scripts.js";
import { sharingTests } from "./conformance/sharing.js";
import { sideTests } from "./conformance/sides.js";
import { subscriptionTests } from "./conformance/subscriptions.js";

export type {
  Connected,
  ConformanceOptions,
  Credentials,
  Network,
  Runner,
} from "./conformance/options.js";

/**
 * Proves an adapter right: that it does what `RedisClient` asks for, and that the lock keeps its promises
 * through it. Registers its tests with whatever runner it is handed. The server should be there for
 * these tests alone, for they run `SCRIPT FLUSH` and cut connections.
 *
 * @example
 * conformance({ describe, it }, {
 *   connect: async () => {
 *     const redis = await connectTo(server.port);
 *     return { client: myClient(redis), close: () => redis.close() };
 *   },
 *   command: (...command) => server.command(...command),
 * });
 */
export function conformance(run: Runner, options: ConformanceOptions): void {
  const test = registerWith(run, options);
  if (options.only !== "lock") {
    run.describe("the adapter", () => {
      scriptTests(test);
      errorTests(test, options);
      factTests(test, options);
      sideTests(test, options);
      if (options.subscribes ?? true) subscriptionTests(test, options);
    });
  }
  if (options.only !== "adapter") {
    run.describe("the lock, through the adapter", () => {
      lockTests(test, options);
      sharingTests(test);
    });
  }
}
