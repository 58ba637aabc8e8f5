import { type LockOptions, Mutex, RedlockMutex, Semaphore } from "redis-semaphore";
import type { Kind, Server, Session } from "../session.js";
import { connectPeer } from "./clients.js";

export async function open(server: Server): Promise<Session> {
  const clients = await connectPeer(server);
  const [redis] = clients;
  if (!redis) throw new Error("There is no server");
  const lockOf = (key: string, options: LockOptions, kind: Kind | undefined) => {
    if (server.others) return new RedlockMutex(clients, key, options);
    if (typeof kind !== "object") return new Mutex(redis, key, options);
    return new Semaphore(redis, key, kind.limit, options);
  };
  const waitFor: Session["waitFor"] = async (key, ttl, kind) => {
    const lock = lockOf(key, { lockTimeout: ttl, acquireTimeout: Infinity }, kind);
    await lock.acquire();
    return lock;
  };
  return {
    take: waitFor,
    waitFor,
    close: async () => clients.forEach((one) => one.disconnect()),
  };
}
