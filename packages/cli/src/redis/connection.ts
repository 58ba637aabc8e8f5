/** The one connection of a command: made in time, or not at all; made anew only if that is asked for. */
import { Cluster, Redis, type RedisOptions } from "ioredis";

import { exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { count } from "../output/text.js";
import { resultWithin } from "../output/until-told.js";
import { explain } from "./explain.js";
import type { Target } from "./url.js";

/** Milliseconds that the first connection may take. */
const CONNECT_TIMEOUT = 5_000;
/** Milliseconds that one answer may take, where nobody waits for Redis to come back. */
const COMMAND_TIMEOUT = 10_000;

export interface Connection {
  readonly redis: Redis | Cluster;
  readonly target: Target;
  /**
   * The servers that take writes.
   *
   * @throws Failure if one of them cannot be reached
   */
  masters(): Promise<readonly Redis[]>;
  close(): void;
}

/**
 * @param until - Of commands that hold or watch: a connection that was lost is made again, and whoever is
 *   told to end before there is one is not kept waiting.
 * @throws Failure that says what to do.
 */
export async function connect(target: Target, until: AbortSignal | undefined): Promise<Connection> {
  const stay = until !== undefined;
  let connected = false;
  const again = (times: number): number | null =>
    connected && stay ? Math.min(50 * 2 ** Math.min(times, 5), 1_000) : null;
  const redis = create(target, stay, again);
  const failures: unknown[] = [];
  redis.on("error", (error: unknown) => failures.push(error));
  redis.on("node error", (error: unknown) => failures.push(error));
  const close = (): void => redis.disconnect();
  try {
    await inTime(open(redis, target), until);
  } catch (error) {
    close();
    // What ioredis rejects with says that it was closed; why, it told before.
    throw new Failure(explain([...failures, error], target), exitCodes.redis);
  }
  connected = true;
  failures.length = 0;
  redis.removeAllListeners("error");
  redis.removeAllListeners("node error");
  redis.on("error", () => {});
  return {
    redis,
    target,
    masters: () => mastersOf(redis, target),
    close,
  };
}

async function open(redis: Redis | Cluster, { db }: Target): Promise<void> {
  await redis.connect();
  // ioredis asks for it too, and goes on in database 0 if it is refused.
  if (db !== 0) await redis.select(db);
  try {
    await redis.ping();
  } catch (error) {
    // Who may not ask this was let in all the same.
    if (!(error instanceof Error && error.message.startsWith("NOPERM"))) throw error;
  }
}

async function inTime(opening: Promise<void>, until = new AbortController().signal): Promise<void> {
  const isOpen = opening.then(() => true);
  if (await resultWithin(isOpen, CONNECT_TIMEOUT, until)) return;
  throw new Error(until.aborted ? "told to end" : `no answer within ${CONNECT_TIMEOUT / 1_000} s`);
}

/** A node whose connection is lost is none to ioredis, and its locks would be missed in silence. */
async function mastersOf(redis: Redis | Cluster, target: Target): Promise<readonly Redis[]> {
  if (!("nodes" in redis)) return [redis];
  const slots = await redis.cluster("SLOTS").catch((error: unknown) => {
    throw new Failure(explain([error], target), exitCodes.redis);
  });
  const owners = new Set(slots.map(([, , master]) => master?.[2]));
  const masters = redis.nodes("master");
  const missing = owners.size - masters.length;
  if (missing <= 0) return masters;
  // Else it stays unknown when it is back, until something is asked that it alone can answer.
  redis.refreshSlotsCache();
  const text = `${target.shown} is seen in part: ${count(missing, "master")} cannot be reached`;
  throw new Failure(text, exitCodes.redis);
}

function create(
  target: Target,
  stay: boolean,
  again: (times: number) => number | null,
): Redis | Cluster {
  const { username, password, db, addresses } = target;
  const options = {
    lazyConnect: true,
    // Asks INFO, which may be forbidden, and says so on the console.
    enableReadyCheck: false,
    connectionName: "redislock-cli",
    connectTimeout: CONNECT_TIMEOUT,
    maxRetriesPerRequest: null,
    ...(stay ? {} : { commandTimeout: COMMAND_TIMEOUT }),
    retryStrategy: again,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(target.tls ? { tls: {} } : {}),
  } satisfies RedisOptions;
  if (target.kind === "cluster") {
    const { lazyConnect, retryStrategy, db: _, ...redisOptions } = options;
    return new Cluster([...addresses], {
      lazyConnect: true,
      enableReadyCheck: false,
      clusterRetryStrategy: again,
      redisOptions,
      slotsRefreshTimeout: CONNECT_TIMEOUT,
      // A certificate names the host, which an address would not match.
      ...(target.tls ? { dnsLookup: (host, done) => done(null, host) } : {}),
    });
  }
  if (target.kind === "sentinel") {
    return new Redis({
      ...options,
      sentinels: [...addresses],
      name: target.master,
      sentinelRetryStrategy: again,
      // Else a master that hangs keeps its clients, see docs/deployments.md.
      failoverDetector: true,
      ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
      ...(target.sentinelUsername === undefined
        ? {}
        : { sentinelUsername: target.sentinelUsername }),
      ...(target.sentinelPassword === undefined
        ? {}
        : { sentinelPassword: target.sentinelPassword }),
    });
  }
  const [{ host, port } = { host: "127.0.0.1", port: 6379 }] = addresses;
  return new Redis({ ...options, host, port });
}
