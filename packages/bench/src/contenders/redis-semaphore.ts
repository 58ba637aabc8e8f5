import { Mutex } from "redis-semaphore";
import type { Server, Session } from "../session.js";
import { connectIoredis } from "./clients.js";

export async function open({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const mutex = new Mutex(redis, key, { lockTimeout: ttl, acquireTimeout: Infinity });
    await mutex.acquire();
    return mutex;
  };
  return { take: waitFor, waitFor, close: async () => redis.disconnect() };
}
