/**
 * The client itself, which sends `SET NX PX` to all servers at once, and then a compare and delete, and goes
 * on when a majority has answered: the least that a lock at several servers can cost. Nobody else may want it.
 */
import { randomUUID } from "node:crypto";
import type { Server, Session } from "../session.js";
import { connectAll, connectIoredis, connectNodeRedis } from "./clients.js";
import { RELEASE } from "./raw.js";

/** One connection. */
interface Wire {
  set(key: string, token: string, ttl: number): Promise<unknown>;
  release(key: string, token: string): Promise<unknown>;
  close(): void;
}

export async function openIoredis(server: Server): Promise<Session> {
  return session(
    await connectAll(server, async (port): Promise<Wire> => {
      const redis = await connectIoredis(port);
      const sha1 = String(await redis.script("LOAD", RELEASE));
      return {
        set: (key, token, ttl) => redis.set(key, token, "PX", ttl, "NX"),
        release: (key, token) => redis.evalsha(sha1, 1, key, token),
        close: () => redis.disconnect(),
      };
    }),
  );
}

export async function openNodeRedis(server: Server): Promise<Session> {
  return session(
    await connectAll(server, async (port): Promise<Wire> => {
      const redis = await connectNodeRedis(port);
      const sha1 = await redis.scriptLoad(RELEASE);
      return {
        set: (key, token, ttl) =>
          redis.set(key, token, { expiration: { type: "PX", value: ttl }, condition: "NX" }),
        release: (key, token) => redis.evalSha(sha1, { keys: [key], arguments: [token] }),
        close: () => redis.destroy(),
      };
    }),
  );
}

function session(wires: readonly Wire[]): Session {
  const take: Session["take"] = async (key, ttl) => {
    const token = randomUUID();
    await majority(wires.map((wire) => wire.set(key, token, ttl)));
    return { release: () => majority(wires.map((wire) => wire.release(key, token))) };
  };
  return { take, waitFor: take, close: async () => wires.forEach((wire) => wire.close()) };
}

/** Resolves when more than half of them have. */
function majority(answers: readonly Promise<unknown>[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let open = Math.floor(answers.length / 2) + 1;
    for (const answer of answers) answer.then(() => --open === 0 && resolve(), reject);
  });
}
