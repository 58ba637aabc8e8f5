import {
  createLock,
  createRedlock,
  IoredisAdapter,
  type Lock,
  NodeRedisAdapter,
} from "redlock-universal";
import type { Server, Session } from "../session.js";
import { connectAll, connectIoredis, connectNodeRedis, PATIENCE } from "./clients.js";

type Adapter = IoredisAdapter | NodeRedisAdapter;

export async function openOverIoredis(server: Server): Promise<Session> {
  const all = await connectAll(server, (port) => connectIoredis(port));
  const adapters = all.map((redis) => new IoredisAdapter(redis, patienceAt(server)));
  return session(adapters, () => all.forEach((redis) => redis.disconnect()));
}

export async function openOverNodeRedis(server: Server): Promise<Session> {
  const all = await connectAll(server, connectNodeRedis);
  const adapters = all.map((redis) => new NodeRedisAdapter(redis, patienceAt(server)));
  return session(adapters, () => all.forEach((redis) => redis.destroy()));
}

/** It has a timeout of its own, of 5 s by default. */
function patienceAt({ others }: Server): { timeout?: number } {
  return others ? { timeout: PATIENCE } : {};
}

function session(adapters: readonly Adapter[], disconnect: () => void): Session {
  const [adapter, ...others] = adapters;
  if (!adapter) throw new Error("There is no server");
  // One for each key, so that only its first acquire pays for the PING that it sends.
  const locks = new Map<string, Lock>();
  const lockOf = (key: string, ttl: number): Lock => {
    const config = { key, ttl, retryAttempts: Number.MAX_SAFE_INTEGER };
    const lock =
      locks.get(key) ??
      (others.length > 0
        ? createRedlock({ adapters, ...config })
        : createLock({ adapter, ...config, performance: "lean" }));
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
