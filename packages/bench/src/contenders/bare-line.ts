/**
 * The least that a line can do: who asks first is served first, by two short scripts, a message and a
 * promise. It has no leases, no fencing tokens, and forgets nobody who died.
 */
import type { Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

/** KEYS: the lock, the line. ARGV: who asks, ttl. Reply: 1 when granted, 0 when in line. */
const TAKE = `if redis.call("SET", KEYS[1], ARGV[1], "PX", ARGV[2], "NX") then
  return 1
end
redis.call("RPUSH", KEYS[2], ARGV[1])
return 0`;

/** KEYS: the lock, the line. ARGV: ttl. */
const RELEASE = `local id = redis.call("LPOP", KEYS[2])
if not id then
  return redis.call("DEL", KEYS[1])
end
redis.call("SET", KEYS[1], id, "PX", ARGV[1])
return redis.call("PUBLISH", string.match(id, "^%S+"), id)`;

export async function openOverIoredis({ port, self }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const listening = redis.duplicate();
  const [take, release] = [TAKE, RELEASE].map((script) => redis.script("LOAD", script));
  const sha1s = { take: String(await take), release: String(await release) };
  const grants = new Grants(self);
  listening.on("message", (_, id) => grants.came(id));
  await listening.subscribe(grants.channel);
  return session(grants, {
    take: (keys, ...args) => redis.evalsha(sha1s.take, keys.length, ...keys, ...args),
    release: (keys, ...args) => redis.evalsha(sha1s.release, keys.length, ...keys, ...args),
    close: () => [redis, listening].forEach((connection) => connection.disconnect()),
  });
}

export async function openOverNodeRedis({ port, self }: Server): Promise<Session> {
  const redis = await connectNodeRedis(port);
  const listening = redis.duplicate();
  await listening.connect();
  const take = await redis.scriptLoad(TAKE);
  const release = await redis.scriptLoad(RELEASE);
  const grants = new Grants(self);
  await listening.subscribe(grants.channel, (id) => grants.came(id));
  return session(grants, {
    take: (keys, ...args) => redis.evalSha(take, { keys, arguments: args }),
    release: (keys, ...args) => redis.evalSha(release, { keys, arguments: args }),
    close: () => [redis, listening].forEach((connection) => connection.destroy()),
  });
}

interface Wire {
  take(keys: string[], ...args: string[]): Promise<unknown>;
  release(keys: string[], ...args: string[]): Promise<unknown>;
  close(): void;
}

function session(grants: Grants, wire: Wire): Session {
  const waitFor: Session["waitFor"] = async (key, ttl) => {
    const keys = [key, `${key}:line`];
    const { id, granted } = grants.next();
    if ((await wire.take(keys, id, String(ttl))) === 1) grants.came(id);
    await granted;
    return { release: () => wire.release(keys, String(ttl)) };
  };
  return { take: waitFor, waitFor, close: async () => wire.close() };
}

/** Those that this process waits for. */
class Grants {
  readonly channel: string;
  readonly #waiting = new Map<string, () => void>();
  #count = 0;

  constructor(self: number) {
    this.channel = `bench:bare-line:${self}`;
  }

  next(): { readonly id: string; readonly granted: Promise<void> } {
    const id = `${this.channel} ${++this.#count}`;
    return { id, granted: new Promise((resolve) => this.#waiting.set(id, resolve)) };
  }

  came(id: string): void {
    this.#waiting.get(id)?.();
    this.#waiting.delete(id);
  }
}
