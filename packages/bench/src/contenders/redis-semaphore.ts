import { Mutex, Semaphore } from "redis-semaphore";
import type { Server, Session } from "../session.js";
import { connectIoredis } from "./clients.js";

export async function open({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const waitFor: Session["waitFor"] = async (key, ttl, kind) => {
    const options = { lockTimeout: ttl, acquireTimeout: Infinity };
    const mutex =
      typeof kind === "object"
        ? new Semaphore(redis, key, kind.limit, options)
        : new Mutex(redis, key, options);
    await mutex.acquire();
    return mutex;
  };
  return { take: waitFor, waitFor, close: async () => redis.disconnect() };
}
