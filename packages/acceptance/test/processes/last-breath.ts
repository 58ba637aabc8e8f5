/**
 * Leaves everything under way that a locker can have under way, closes its own client, and has nothing
 * more to do: so the process must end by itself.
 */
import { args, connectUser } from "./user.js";

const [key = "", taken = "", closing = ""] = args;
const user = await connectUser();
const locker = user.locker({ commandTimeout: 600_000 });

await locker.obtain(key, 600_000, { renew: true });
await locker.obtain(`${key} b`, 600_000);
void locker.using(`${key} c`, 600_000, () => new Promise(() => undefined)).catch(() => undefined);
void locker.obtain(taken, 600_000, { wait: Infinity }).catch(() => undefined);
void locker.obtain(taken, 600_000, { wait: 500_000 }).catch(() => undefined);
void locker.obtain(taken, 600_000, { retry: () => 400_000 }).catch(() => undefined);
// Until those in line have asked and are subscribed.
while ((await locker.inspect(taken)).waiters < 2) await new Promise((r) => setTimeout(r, 10));
await new Promise((resolve) => setTimeout(resolve, 100));

if (closing === "quit") await user.quit();
else user.destroy();
console.log("done");
