import { Redlock } from "@sesamecare-oss/redlock";
import type { Server, Session } from "../session.js";
import { connectPeer } from "./clients.js";

export async function open(server: Server): Promise<Session> {
  const clients = await connectPeer(server);
  const redlock = new Redlock(clients, { retryCount: -1 });
  const waitFor: Session["waitFor"] = (key, ttl) => redlock.acquire([key], ttl);
  return {
    take: waitFor,
    waitFor,
    close: async () => clients.forEach((redis) => redis.disconnect()),
  };
}
