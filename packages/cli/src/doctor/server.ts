/** What the server says of itself: INFO alone, which a monitoring user may read. */
import type { Redis } from "ioredis";

import { count } from "../output/text.js";

import { type Finding, finding, unseen } from "./check.js";

type Facts = ReadonlyMap<string, string>;

/** The oldest server that runs the scripts. */
const OLDEST = 6;
const NEARLY_FULL = 0.9;

/** @param isAlone - It was named as a server, not as one of a cluster. */
export async function checkServer(redis: Redis, isAlone: boolean): Promise<Finding[]> {
  let text: string;
  try {
    text = await redis.info();
  } catch (error) {
    return ["version", "role", "replicas", "memory", "persistence"].map((check) =>
      unseen(check, "INFO", error),
    );
  }
  const facts = readInfo(text);
  return [
    version(facts),
    role(facts, isAlone),
    replicas(facts),
    memory(facts),
    persistence(facts, await appendFsync(redis)),
  ];
}

function readInfo(text: string): Facts {
  const lines = text.split(/\r?\n/).map((line) => line.split(":"));
  return new Map(lines.map(([name = "", ...rest]) => [name, rest.join(":")]));
}

async function appendFsync(redis: Redis): Promise<string | undefined> {
  try {
    const reply: unknown = await redis.config("GET", "appendfsync");
    const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function version(facts: Facts): Finding {
  const valkey = facts.get("valkey_version");
  const redis = facts.get("redis_version") ?? "";
  const name = valkey === undefined ? `Redis ${redis}` : `Valkey ${valkey}`;
  if (Number.parseInt(redis) >= OLDEST) {
    return finding("version", "ok", name, "new enough: 6.0 or newer");
  }
  return finding("version", "fail", name, "too old: locks need Redis 6.0 or Valkey");
}

function role(facts: Facts, isAlone: boolean): Finding {
  if (facts.get("role") === "master") {
    if (isAlone && facts.get("cluster_enabled") === "1") {
      const meaning =
        "it knows the locks of its own slots alone, unless it is the only one: use redis+cluster://";
      return finding("role", "warn", "master of a cluster", meaning);
    }
    return finding("role", "ok", "master", "takes writes");
  }
  const found = facts.get("role") ?? "unknown";
  return finding("role", "fail", found, "no lock can be taken here: connect to the master");
}

function replicas(facts: Facts): Finding {
  const number = Number(facts.get("connected_slaves") ?? 0);
  if (number === 0) {
    return finding(
      "replicas",
      "ok",
      "none",
      "no failover can lose a lock; nothing takes over either",
    );
  }
  const meaning =
    "a failover can lose the locks granted last: use short ttls and fencing tokens, " +
    "and min-replicas-to-write 1";
  return finding("replicas", "warn", count(number, "replica"), meaning);
}

function memory(facts: Facts): Finding {
  const policy = facts.get("maxmemory_policy") ?? "unknown";
  const most = Number(facts.get("maxmemory") ?? 0);
  const used = Number(facts.get("used_memory") ?? 0);
  if (most === 0) {
    return finding("memory", "ok", `${policy}, no maxmemory`, "no lock is evicted");
  }
  const share = `${Math.round((100 * used) / most)} % of maxmemory used`;
  const found = `${policy}, ${share}`;
  if (policy !== "noeviction") {
    const meaning = "a lock can be evicted while it is held: set maxmemory-policy noeviction";
    return finding("memory", "fail", found, meaning);
  }
  return used > NEARLY_FULL * most
    ? finding(
        "memory",
        "warn",
        found,
        "when memory is full, no lock can be obtained: raise maxmemory",
      )
    : finding("memory", "ok", found, "no lock is evicted");
}

function persistence(facts: Facts, fsync: string | undefined): Finding {
  const check = "persistence";
  if (facts.get("aof_enabled") !== "1") {
    const meaning =
      "a restart forgets locks that are held: keep the server down for the longest ttl, " +
      "or set appendonly yes and appendfsync always";
    return finding(check, "warn", "no append-only file", meaning);
  }
  if (fsync === undefined) {
    const meaning =
      "with appendfsync always a restart forgets no lock; CONFIG GET is not permitted";
    return finding(check, "unknown", "append-only file", meaning);
  }
  const found = `append-only file, appendfsync ${fsync}`;
  if (fsync === "always") return finding(check, "ok", found, "a restart forgets no lock");
  const meaning =
    "a crash of the machine can forget the locks granted last: appendfsync always, " +
    "or keep the server down for the longest ttl";
  return finding(check, "warn", found, meaning);
}
