import Redlock from "redlock-5";
import type { Server, Session } from "../session.js";
import { connectIoredis } from "./clients.js";

export async function open({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const redlock = new Redlock([redis], { retryCount: -1 });
  const waitFor: Session["waitFor"] = (key, ttl) => redlock.acquire([key], ttl);
  return { take: waitFor, waitFor, close: async () => redis.disconnect() };
}
