import Redlock from "redlock-4";
import type { Server, Session } from "../session.js";
import { connectPeer } from "./clients.js";

export async function open(server: Server): Promise<Session> {
  const clients = await connectPeer(server);
  const redlock = new Redlock(clients, { retryCount: -1 });
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const lock = await redlock.lock(key, ttl);
    return { release: async () => lock.unlock() };
  };
  return {
    take: waitFor,
    waitFor,
    close: async () => clients.forEach((redis) => redis.disconnect()),
  };
}
