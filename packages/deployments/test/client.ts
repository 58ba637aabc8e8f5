/**
 * The client of a process, in whatever way its deployment is reached. A process loads only the library that
 * it connects with: all of them take it longer than all its work.
 */
import type { RedisClient } from "@redislock/core";
import { ioredisClient } from "@redislock/ioredis";
import { nodeRedisClient } from "@redislock/node-redis";
import type { EventEmitter } from "node:events";

/** A client's library and version, the newest first. */
export const libraries = ["ioredis 6", "node-redis 6", "ioredis 5", "node-redis 5"] as const;
export type Library = (typeof libraries)[number];

/** Where a deployment is reached, and as whom. Processes are told of it as JSON. */
export interface Access {
  readonly how: "server" | "cluster" | "sentinel";
  /** Of the server, a node, or the sentinel. */
  readonly port: number;
  /** Under which the sentinel knows the servers. */
  readonly name?: string;
  readonly user?: { readonly username: string; readonly password: string };
  /** Whether the lock may use the client's pub/sub. Default: true. */
  readonly subscribes?: boolean;
}

/** A client of a user, connected. */
export interface Connected {
  readonly client: RedisClient;
  /** As the manual of its library says. */
  readonly close: () => Promise<unknown>;
}

const host = "127.0.0.1";
/** Of the clusters of ioredis, so that a busy machine is not taken for a broken one. */
const slotsRefreshTimeout = 10_000;

/**
 * Connects. All settings are the defaults of the library, but for those that docs/deployments.md asks for,
 * and for the time that a busy machine needs.
 */
export async function connect(library: Library, access: Access): Promise<Connected> {
  const connected = library.startsWith("ioredis")
    ? await connectIoredis(library === "ioredis 5", access)
    : await connectNodeRedis(library === "node-redis 5", access);
  if (access.subscribes !== false) return connected;
  const { client, close } = connected;
  return { client: { run: (script, keys, args) => client.run(script, keys, args) }, close };
}

async function connectIoredis(
  is5: boolean,
  { how, port, name = "", user }: Access,
): Promise<Connected> {
  const nodes = [{ host, port }];
  switch (how) {
    case "server": {
      const options = { host, port, ...user };
      return quiet(
        is5
          ? new (await import("ioredis-5")).Redis(options)
          : new (await import("ioredis-6")).Redis(options),
      );
    }
    case "sentinel": {
      const options = { sentinels: nodes, name, failoverDetector: true, ...user };
      return quiet(
        is5
          ? new (await import("ioredis-5")).Redis(options)
          : new (await import("ioredis-6")).Redis(options),
      );
    }
    case "cluster": {
      const options = { slotsRefreshTimeout, redisOptions: { ...user } };
      return quiet(
        is5
          ? new (await import("ioredis-5")).Cluster(nodes, options)
          : new (await import("ioredis-6")).Cluster(nodes, options),
      );
    }
  }
}

type Ioredis = Parameters<typeof ioredisClient>[0] &
  EventEmitter & { quit(): Promise<unknown>; disconnect(): void };

function quiet(redis: Ioredis): Connected {
  // Without a listener ioredis writes errors to the console.
  redis.on("error", () => undefined);
  const close = async (): Promise<void> => {
    await redis.quit();
    // Otherwise what its failover detector listens with stays open.
    redis.disconnect();
  };
  return { client: ioredisClient(redis), close };
}

async function connectNodeRedis(
  is5: boolean,
  { how, port, name = "", user }: Access,
): Promise<Connected> {
  switch (how) {
    case "server": {
      const options = { url: `redis://${host}:${port}`, ...user };
      return opened(
        is5
          ? (await import("redis-5")).createClient(options)
          : (await import("redis-6")).createClient(options),
      );
    }
    case "sentinel": {
      const options = { name, sentinelRootNodes: [{ host, port }] };
      return opened(
        is5
          ? (await import("redis-5")).createSentinel(options)
          : (await import("redis-6")).createSentinel(options),
      );
    }
    case "cluster": {
      const options = { rootNodes: [{ url: `redis://${host}:${port}` }], defaults: { ...user } };
      return opened(
        is5
          ? (await import("redis-5")).createCluster(options)
          : (await import("redis-6")).createCluster(options),
      );
    }
  }
}

type NodeRedis = Parameters<typeof nodeRedisClient>[0] &
  EventEmitter & { connect(): Promise<unknown>; close(): Promise<unknown> | undefined };

async function opened(redis: NodeRedis): Promise<Connected> {
  // Without a listener an error of the connection would end the process.
  redis.on("error", () => undefined);
  await redis.connect();
  return { client: nodeRedisClient(redis), close: async () => redis.close() };
}
