/** The client itself, as the Redis documentation shows a lock: `SET NX PX`, and compare and delete. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

export const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("DEL", KEYS[1])
end
return 0`;

/** Polls every `poll` milliseconds while the lock is taken. */
export async function openIoredis({ port }: Server, poll: number): Promise<Session> {
  const redis = await connectIoredis(port);
  const sha1 = String(await redis.script("LOAD", RELEASE));
  return session(
    (key, token, ttl) => redis.set(key, token, "PX", ttl, "NX"),
    (key, token) => redis.evalsha(sha1, 1, key, token),
    () => redis.disconnect(),
    poll,
  );
}

export async function openNodeRedis({ port }: Server, poll: number): Promise<Session> {
  const redis = await connectNodeRedis(port);
  const sha1 = await redis.scriptLoad(RELEASE);
  return session(
    (key, token, ttl) =>
      redis.set(key, token, { expiration: { type: "PX", value: ttl }, condition: "NX" }),
    (key, token) => redis.evalSha(sha1, { keys: [key], arguments: [token] }),
    () => redis.destroy(),
    poll,
  );
}

function session(
  set: (key: string, token: string, ttl: number) => Promise<string | null>,
  release: (key: string, token: string) => Promise<unknown>,
  disconnect: () => void,
  poll: number,
): Session {
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const token = randomUUID();
    while ((await set(key, token, ttl)) !== "OK") await sleep(poll);
    return { release: () => release(key, token) };
  };
  return {
    take: waitFor,
    waitFor,
    close: async () => disconnect(),
  };
}
