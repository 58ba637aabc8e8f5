/** What inspect.lua replies, put together from plain reads for whoever may run no script. */
import type { Cluster, Redis } from "ioredis";

type Told = string | number | null | Told[];

/** As many holders and waiters as the script looks at. */
const LAST = "999";
const LAST_BYTE = 16_383;

/** The reads are not one: what changes between them may be told of half. No token is told of. */
export async function inspectPlainly(
  redis: Redis | Cluster,
  [key = "", grantKey = "", , lineKey = "", waitersKey = "", holdersKey = ""]: readonly string[],
  most: number,
): Promise<Told[]> {
  const [value, exists, left, grant, length, line, held, holders, micros] = await Promise.all([
    redis.getrange(key, 0, LAST_BYTE),
    redis.exists(key),
    redis.pttl(key),
    redis.getrange(grantKey, 0, LAST_BYTE),
    redis.zcard(lineKey),
    redis.zrange(lineKey, "0", LAST, "WITHSCORES"),
    redis.zcard(holdersKey),
    redis.zrange(holdersKey, "0", LAST, "WITHSCORES"),
    serverMicros(redis),
  ]);
  const ms = Math.floor(micros / 1_000);
  const [, phase, out] = /^shared (\d+) (\d+) \d+$/.exec(value) ?? [];
  let lock: Told[] = [null, null, null];
  if (phase !== undefined) lock = [left, phase, sharers(holders, held, Number(out), ms, most)];
  else if (exists === 1) lock = [left, ...holder(value, grant)];
  const ids = line.filter((_, i) => i % 2 === 0);
  const records = ids.length === 0 ? [] : await redis.hmget(waitersKey, ...ids);
  return [...lock, ...waiters(line, records, length, micros, most)];
}

async function serverMicros(redis: Redis | Cluster): Promise<number> {
  try {
    const [seconds, micros] = await redis.time();
    return Number(seconds) * 1e6 + Number(micros);
  } catch {
    return Date.now() * 1_000;
  }
}

function holder(value: string, grant: string): [Told, Told] {
  const [, fence, token] = /^(\d+) (\S+) ?\S* ?\d*$/.exec(grant) ?? [];
  if (fence === undefined || token === undefined || !value.startsWith(token)) return [null, null];
  return [fence, value.slice(token.length)];
}

function sharers(
  holders: readonly string[],
  count: number,
  permitsOut: number,
  ms: number,
  most: number,
): Told[] {
  const told: Told[] = [];
  let [held, out] = [count, permitsOut];
  for (let i = 0; i < holders.length; i += 2) {
    const claim = readClaim(holders[i] ?? "");
    const left = Number(holders[i + 1]) - ms;
    if (left <= 0) {
      held -= 1;
      out -= Number(claim?.permits ?? 0);
    } else if (claim && told.length < 4 * most) {
      told.push(claim.permits, claim.limit, claim.metadata, Math.round(left));
    }
  }
  return [Math.max(0, held), Math.max(0, out), ...told];
}

function readClaim(
  claim: string,
): { permits: string; limit: string; metadata: string } | undefined {
  const [, permits, limit, length, value] = /^(\d+)\/(\d+)\/(\d+) (.*)$/s.exec(claim) ?? [];
  if (permits === undefined || limit === undefined || value === undefined) return undefined;
  return { permits, limit, metadata: value.slice(Number(length)) };
}

function waiters(
  line: readonly string[],
  records: readonly (string | null)[],
  length: number,
  micros: number,
  most: number,
): Told[] {
  const told: Told[] = [];
  let [count, shown] = [length, 0];
  for (const [i, record] of records.entries()) {
    const [, at, patience, keys, tokenLength, value] =
      /^(\d+) (\d+) \d (\d+) \d+ \d+ (\d+) \S+ \S* (.*)$/s.exec(record ?? "") ?? [];
    const ms = micros / 1_000;
    if (value === undefined || ms < Number(at) || ms > Number(at) + Number(patience)) {
      count -= 1;
      continue;
    }
    if (shown >= most) continue;
    shown += 1;
    const waited = Math.max(0, Math.floor((micros - Number(line[2 * i + 1])) / 1_000));
    const claim = keys === "0" ? readClaim(value) : undefined;
    told.push(claim ? claim.metadata : value.slice(Number(tokenLength)), waited);
    if (claim) told.push([claim.permits, claim.limit]);
  }
  return [Math.max(0, count), ...told];
}
