import { LockFactory } from "@verrou/core";
import { redisStore } from "@verrou/core/drivers/redis";
import type { Server, Session } from "../session.js";
import { connectIoredis } from "./clients.js";

export async function open({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const factory = new LockFactory(redisStore({ connection: redis }).factory());
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const lock = factory.createLock(key, ttl);
    await lock.acquire();
    return lock;
  };
  return { take: waitFor, waitFor, close: async () => redis.disconnect() };
}
