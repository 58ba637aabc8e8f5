/**
 * The adapter for Bun's own client, run by Bun: `bun conformance.mjs redis://localhost:6379`. Not with
 * `bun test`, so that it is one process among those of `pnpm check:runtimes`.
 */
import { conformance } from "@redislock/testing/conformance";

/** @typedef {import("../../src/adapters/bun.js").BunRedis} BunRedis */
/** @type {typeof import("../../src/adapters/bun.js")} As it was built. */
const { bunClient } = await import(new URL("../../dist/adapters/bun.js", import.meta.url).href);
/** @type {{ RedisClient: new (url: string, options?: object) => BunRedis }} */
const { RedisClient } = Reflect.get(globalThis, "Bun");

const url = process.argv[2] ?? "";
const admin = new RedisClient(url);
/** @type {{ name: string, body: () => Promise<void> }[]} */
const tests = [];

conformance(
  {
    describe: (_, body) => body(),
    it: (name, body) => tests.push({ name, body }),
  },
  {
    connect() {
      // #region client
      const redis = new RedisClient(url);
      const client = bunClient(redis, () => new RedisClient(url, { autoReconnect: false }));
      // #endregion
      return { client, close: () => redis.close() };
    },
    command: (name, ...args) => admin.send(name, args),
  },
);

let failed = 0;
for (const { name, body } of tests) {
  try {
    await body();
  } catch (error) {
    failed++;
    console.log(`${name}: ${String(error)}`);
  }
}
console.log(failed === 0 ? "the adapter conforms" : `${failed} of ${tests.length} failed`);
process.exit(failed === 0 ? 0 : 1);
