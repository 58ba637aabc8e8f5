import { createLock, IoredisAdapter, NodeRedisAdapter, type Lock } from "redlock-universal";
import type { Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

type Adapter = IoredisAdapter | NodeRedisAdapter;

export async function openOverIoredis({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  return session(new IoredisAdapter(redis), () => redis.disconnect());
}

export async function openOverNodeRedis({ port }: Server): Promise<Session> {
  const redis = await connectNodeRedis(port);
  return session(new NodeRedisAdapter(redis), () => redis.destroy());
}

function session(adapter: Adapter, disconnect: () => void): Session {
  // One for each key, so that only its first acquire pays for the PING that it sends.
  const locks = new Map<string, Lock>();
  const lockOf = (key: string, ttl: number): Lock => {
    const lock =
      locks.get(key) ??
      createLock({
        adapter,
        key,
        ttl,
        retryAttempts: Number.MAX_SAFE_INTEGER,
        performance: "lean",
      });
    locks.set(key, lock);
    return lock;
  };
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const lock = lockOf(key, ttl);
    const handle = await lock.acquire();
    return { release: () => lock.release(handle) };
  };
  return { take: waitFor, waitFor, close: async () => disconnect() };
}
