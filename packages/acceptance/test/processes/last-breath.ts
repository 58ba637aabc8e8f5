/**
 * Leaves everything under way that a locker can have under way, closes its own client, and has nothing
 * more to do: so the process must end by itself. Whoever waits keeps it alive until the next time to ask,
 * and learns then that there is no client any more.
 */
import { args, connectUser } from "./user.js";

const [key = "", taken = "", closing = ""] = args;
const user = await connectUser();
const locker = user.locker({ commandTimeout: 600_000 });

await locker.obtain(key, 600_000, { renew: true });
await locker.obtain(`${key} b`, 600_000);
void locker.using(`${key} c`, 600_000, () => new Promise(() => undefined)).catch(() => undefined);
// With a short ttl, so that they ask often; but seldom in the moment of closing, when a pool of node-redis 5
// leaves connections open that are in use.
void locker.obtain(taken, 4_000, { wait: Infinity }).catch(() => undefined);
void locker.obtain(taken, 4_000, { wait: 500_000 }).catch(() => undefined);
const { signal } = new AbortController(); // Which never aborts.
void locker.obtain(taken, 4_000, { retry: () => 3_000, signal }).catch(() => undefined);
// Until those in line have asked and are subscribed.
while ((await locker.inspect(taken)).waiters < 2) await new Promise((r) => setTimeout(r, 10));
await new Promise((resolve) => setTimeout(resolve, 100));

if (closing === "quit") await user.quit();
else user.destroy();
console.log("done");
