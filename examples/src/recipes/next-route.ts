/** A route handler of Next that answers 423 and says who is at it. */
import { setTimeout as sleep } from "node:timers/promises";
// #region locker
import { createLocker, type Locker, NotObtainedError } from "@redislock/ioredis";
import { Redis } from "ioredis";

// One for the process: in development, Next loads a module anew with each change.
const shared: typeof globalThis & { locker?: Locker } = globalThis;
// Connected by the first lock, not as Next builds.
const locker = (shared.locker ??= createLocker(new Redis({ lazyConnect: true })));
// #endregion

// #region route
export async function POST(request: Request): Promise<Response> {
  const { order, user } = readOrder(await request.json());
  try {
    const options = { metadata: user };
    await locker.using(`order:${order}`, 10_000, options, (lock) => ship(order, lock.signal));
    return Response.json({ shipped: order });
  } catch (error) {
    if (!(error instanceof NotObtainedError)) throw error;
    const { metadata: by = "somebody" } = error.holder ?? {};
    return Response.json({ error: `${by} is shipping order ${order}` }, { status: 423 });
  }
}
// #endregion

// Two clicks, as if two people had the order on their screens.
const click = (user: string): Promise<Response> => {
  const body = JSON.stringify({ order: "42", user });
  return POST(new Request("http://localhost/api/shipment", { method: "POST", body }));
};
const first = click("anna");
while ((await locker.inspect("order:42")).held === 0); // Until she is at it.
for (const answer of [await click("ben"), await first]) {
  console.log(`${answer.status} ${await answer.text()}`);
}
process.exit(); // Next itself would go on.

function readOrder(body: unknown): { order: string; user: string } {
  if (typeof body === "object" && body !== null && "order" in body && "user" in body) {
    return { order: String(body.order), user: String(body.user) };
  }
  throw new TypeError("an order and a user are needed");
}

async function ship(_order: string, signal: AbortSignal): Promise<void> {
  await sleep(300, undefined, { signal });
}
