/**
 * The client itself, with the scripts that people write for readers and writers and for semaphores: the
 * holders in a sorted set by the end of their lease. Nobody is in line.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Kind, Server, Session } from "../session.js";
import { connectIoredis, connectNodeRedis } from "./clients.js";

const OBTAIN = `local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now)
local limit = tonumber(ARGV[3])
if limit < 0 then
  if redis.call("ZCARD", KEYS[2]) > 0 then return 0 end
  return redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) and 1 or 0
end
if redis.call("EXISTS", KEYS[1]) == 1 then return 0 end
if limit > 0 and redis.call("ZCARD", KEYS[2]) >= limit then return 0 end
redis.call("ZADD", KEYS[2], now + ARGV[2], ARGV[1])
redis.call("PEXPIRE", KEYS[2], ARGV[2])
return 1`;

const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return redis.call("ZREM", KEYS[2], ARGV[1])`;

type Run = (sha1: string, keys: string[], args: string[]) => Promise<unknown>;

export async function openIoredis({ port }: Server, poll: number): Promise<Session> {
  const redis = await connectIoredis(port);
  return session(
    async (text) => String(await redis.script("LOAD", text)),
    (sha1, keys, args) => redis.evalsha(sha1, keys.length, ...keys, ...args),
    () => redis.disconnect(),
    poll,
  );
}

export async function openNodeRedis({ port }: Server, poll: number): Promise<Session> {
  const redis = await connectNodeRedis(port);
  return session(
    (text) => redis.scriptLoad(text),
    (sha1, keys, args) => redis.evalSha(sha1, { keys, arguments: args }),
    () => redis.destroy(),
    poll,
  );
}

async function session(
  load: (text: string) => Promise<string>,
  run: Run,
  disconnect: () => void,
  poll: number,
): Promise<Session> {
  const [obtain, release] = await Promise.all([load(OBTAIN), load(RELEASE)]);
  const waitFor: Session["waitFor"] = async (key, ttl, kind) => {
    const token = randomUUID();
    const keys = [key, `${key}:holders`];
    const args = [token, String(ttl), String(limitOf(kind))];
    while ((await run(obtain, keys, args)) !== 1) await sleep(poll);
    return { release: () => run(release, keys, [token]) };
  };
  return { take: waitFor, waitFor, close: async () => disconnect() };
}

/** 0: no limit. -1: alone. */
function limitOf(kind: Kind | undefined): number {
  if (kind === undefined) return -1;
  return kind === "shared" ? 0 : kind.limit;
}
