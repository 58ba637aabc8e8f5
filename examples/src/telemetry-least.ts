/** The least that measures locks; telemetry.ts sets up an SDK as well. */
import { createClient } from "redis";

const redis = await createClient().on("error", console.error).connect();

// #region readme
import { createLocker } from "@redislock/node-redis"; // Or of @redislock/ioredis.
import { telemetry } from "@redislock/opentelemetry";

const locker = createLocker(redis, {
  onEvent: telemetry({ name: (key) => key.split(":")[0] }), // invoice:42 is called "invoice".
});
// #endregion

await locker.using("invoice:42", 10_000, async () => console.log("paid"));
await locker.close();
await redis.close();
