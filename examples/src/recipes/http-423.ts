/** A route that says who is at it, 423 Locked, instead of doing it a second time. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker, NotObtainedError } from "@redislock/ioredis";
import { Redis } from "ioredis";
import { fastify } from "fastify";

const redis = new Redis();
const locker = createLocker(redis);
const app = fastify();

// #region route
app.post<{ Params: { id: string }; Body: { user: string } }>(
  "/orders/:id/shipment",
  async ({ params: { id }, body: { user } }, reply) => {
    try {
      const options = { metadata: user };
      return await locker.using(`order:${id}`, 10_000, options, (lock) => ship(id, lock.signal));
    } catch (error) {
      // Only a plain "no" is a 423. That nobody knows, an OutcomeUnknownError, is a 500 or 503.
      if (!(error instanceof NotObtainedError)) throw error;
      const { metadata: by = "somebody", remaining = 0 } = error.holder ?? {};
      void reply.code(423).header("retry-after", Math.ceil(remaining / 1_000));
      return { error: `${by} is shipping order ${id}` };
    }
  },
);
// #endregion

// Two clicks, as if two people had the order on their screens.
const click = (user: string) =>
  app.inject({ method: "POST", url: "/orders/42/shipment", payload: { user } });
const first = click("anna");
while ((await locker.inspect("order:42")).held === 0); // Until she is at it.
for (const answer of [await click("ben"), await first]) {
  console.log(`${answer.statusCode} ${answer.body}`);
}

await app.close();
await locker.close();
redis.disconnect();

async function ship(id: string, signal: AbortSignal): Promise<{ shipped: string }> {
  await sleep(300, undefined, { signal });
  return { shipped: id };
}
