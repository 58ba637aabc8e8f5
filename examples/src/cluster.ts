/** Several keys in a Redis Cluster: they must share a hash tag, so that one server has them all. */
import { createLocker } from "@redislock/ioredis";
import { Cluster } from "ioredis";

// #region cluster
const cluster = new Cluster([{ host: "localhost", port: 7000 }]);
const locker = createLocker(cluster);

await locker.using(["{order:7}:stock", "{order:7}:payment"], 10_000, async (lock) => {
  console.log(`holding ${lock.keys.join(" and ")}`);
});
// #endregion

try {
  await locker.obtain(["stock:7", "payment:7"], 10_000);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.log(error.message); // Before anything was sent.
}
await locker.close();
cluster.disconnect();
