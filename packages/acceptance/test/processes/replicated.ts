/** Holds and renews a lock that replicas have, closes its own client, and has nothing more to do. */
import { args, connectUser } from "./user.js";

const [key = ""] = args;
const user = await connectUser();
const locker = user.locker({ minReplicas: 1 });
const lock = await locker.obtain(key, 600_000, { renew: true });
await lock.refresh();
await user.quit();
console.log("done");
