/** Every kind of client that a user of ours may bring, and how it comes to a locker. */
import {
  createLocker as createIoredisLocker,
  type Locker,
  type LockerOptions,
} from "@redislock/ioredis";
import { createLocker as createNodeRedisLocker } from "@redislock/node-redis";
import { everything } from "@redislock/test-kit";
import { once, type EventEmitter } from "node:events";
import {
  Cluster as Ioredis5Cluster,
  Redis as Ioredis5,
  type ClusterOptions as Ioredis5ClusterOptions,
  type RedisOptions,
} from "ioredis-5";
import {
  Cluster as Ioredis6Cluster,
  Redis as Ioredis6,
  type ClusterOptions as Ioredis6ClusterOptions,
} from "ioredis-6";
import * as redis5 from "redis-5";
import * as redis6 from "redis-6";

/** A user's client, connected. */
export interface User {
  readonly locker: (options?: LockerOptions) => Locker;
  /** Closes the client as its manual says, once what is under way was answered. */
  readonly quit: () => Promise<unknown>;
  /** Closes the client at once. */
  readonly destroy: () => void;
  /** How many listen to what the client emits. */
  readonly listeners: () => number;
}

export interface Kind {
  readonly name: string;
  readonly library: "ioredis" | "node-redis" | "valkey-glide";
  readonly cluster: boolean;
  /** The kind of a user whose key `k` is called this in Redis. */
  readonly prefix: string;
  /** The number of the database that its keys are in. */
  readonly db: number;
  /**
   * Connects to a server, or to the cluster that it belongs to. With `proxied`, a cluster must have one
   * node, and `port` is that of a proxy before it.
   */
  readonly connect: (port: number, how?: "proxied") => Promise<User>;
}

type Major = 5 | 6;

interface IoredisOptions extends Pick<
  RedisOptions,
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "enableAutoPipelining"
  | "enableOfflineQueue"
  | "maxRetriesPerRequest"
  | "username"
  | "password"
  | "retryStrategy"
  | "socketTimeout"
> {
  readonly keyPrefix?: string;
  readonly stringNumbers?: boolean;
  readonly db?: number;
  /** Not known to ioredis 5, which speaks RESP2. */
  readonly protocol?: 2 | 3;
}

/** Makes bytes of all text, and text of all numbers. */
export const BYTES = {
  [redis6.RESP_TYPES.SIMPLE_STRING]: Buffer,
  [redis6.RESP_TYPES.BLOB_STRING]: Buffer,
  [redis6.RESP_TYPES.NUMBER]: String,
} as const;

interface NodeRedisOptions {
  readonly RESP?: 2 | 3;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly disableOfflineQueue?: boolean;
  readonly commandOptions?: { readonly typeMapping: typeof BYTES };
  readonly socket?: {
    readonly reconnectStrategy?: false | number;
    readonly connectTimeout?: number;
  };
  /** Not known to node-redis 5. */
  readonly keyPrefix?: string;
}

const host = "127.0.0.1";
/** Otherwise ioredis waits for servers that are gone, and the tests with it. */
const disconnectTimeout = 1;

/** Of the clusters of ioredis, so that a busy machine is not taken for a broken one. */
const slotsRefreshTimeout = 10_000;
/** Of pools: fixed, because a pool of node-redis 5 throws when it shrinks after it was destroyed. */
const size = { minimum: 3, maximum: 3, cleanupDelay: 100 };

/** A `Redis` of ioredis. `how` tells what is special about it. */
export function ioredis(major: Major, options: IoredisOptions = {}, how: string = ""): Kind {
  return {
    name: named(`ioredis ${major}`, how),
    library: "ioredis",
    cluster: false,
    prefix: options.keyPrefix ?? "",
    db: options.db ?? 0,
    connect: async (port) => {
      const all = { host, port, disconnectTimeout, ...options };
      const redis = major === 5 ? new Ioredis5(all) : new Ioredis6(all);
      return ioredisUser(redis);
    },
  };
}

/** A `Cluster` of ioredis. */
export function ioredisCluster(major: Major, options: IoredisOptions = {}, how: string = ""): Kind {
  return {
    name: named(`ioredis ${major} Cluster`, how),
    library: "ioredis",
    cluster: true,
    prefix: options.keyPrefix ?? "",
    db: 0,
    connect: async (port, proxied) => {
      const all = {
        slotsRefreshTimeout,
        redisOptions: { disconnectTimeout, ...options },
        ...(proxied && { natMap: () => ({ host, port }) }),
      } satisfies Ioredis5ClusterOptions & Ioredis6ClusterOptions;
      const nodes = [{ host, port }];
      const redis = major === 5 ? new Ioredis5Cluster(nodes, all) : new Ioredis6Cluster(nodes, all);
      return ioredisUser(redis);
    },
  };
}

/** A client of node-redis. */
export function nodeRedis(major: Major, options: NodeRedisOptions = {}, how: string = ""): Kind {
  return {
    name: named(`node-redis ${major}`, how),
    library: "node-redis",
    cluster: false,
    prefix: options.keyPrefix ?? "",
    db: options.database ?? 0,
    connect: async (port) => {
      const all = { ...options, url: `redis://${host}:${port}` };
      const redis = major === 5 ? redis5.createClient(all) : redis6.createClient(all);
      return nodeRedisUser(redis);
    },
  };
}

/** A pool of node-redis. */
export function nodeRedisPool(
  major: Major,
  options: NodeRedisOptions = {},
  how: string = "",
): Kind {
  return {
    name: named(`node-redis ${major} pool`, how),
    library: "node-redis",
    cluster: false,
    prefix: options.keyPrefix ?? "",
    db: options.database ?? 0,
    connect: async (port) => {
      let isOpen = true;
      // A pool of node-redis 5 goes on to reconnect after it was destroyed.
      const reconnectStrategy = (retries: number): number | false =>
        isOpen && Math.min(50 * 2 ** retries, 500);
      const all = {
        ...options,
        url: `redis://${host}:${port}`,
        socket: { ...options.socket, reconnectStrategy },
      };
      const redis =
        major === 5 ? redis5.createClientPool(all, size) : redis6.createClientPool(all, size);
      const user = await nodeRedisUser(redis);
      return {
        ...user,
        destroy: () => {
          isOpen = false;
          user.destroy();
        },
      };
    },
  };
}

/** A cluster client of node-redis. */
export function nodeRedisCluster(
  major: Major,
  options: NodeRedisOptions = {},
  how: string = "",
): Kind {
  return {
    name: named(`node-redis ${major} cluster`, how),
    library: "node-redis",
    cluster: true,
    prefix: options.keyPrefix ?? "",
    db: 0,
    connect: async (port, proxied) => {
      const { RESP, keyPrefix, commandOptions, ...defaults } = options;
      const all = {
        rootNodes: [{ url: `redis://${host}:${port}` }],
        defaults,
        ...(RESP && { RESP }),
        ...(keyPrefix !== undefined && { keyPrefix }),
        ...(commandOptions && { commandOptions }),
        ...(proxied && { nodeAddressMap: () => ({ host, port }) }),
      };
      const redis = major === 5 ? redis5.createCluster(all) : redis6.createCluster(all);
      return nodeRedisUser(redis);
    },
  };
}

/** Milliseconds, so that a busy machine is not taken for a broken one: GLIDE's own would be 250 and 2000. */
const requestTimeout = 5_000;
const connectionTimeout = 30_000;

/** A client of Valkey GLIDE, or a cluster client. It has a native part: loaded if all kinds are run. */
async function glide(): Promise<readonly Kind[]> {
  const { GlideClient, GlideClusterClient, Logger } = await import("@valkey/valkey-glide");
  const { createLocker } = await import("@redislock/valkey-glide");
  // It would write of everything that tests do to it.
  Logger.setLoggerConfig("off");
  return [GlideClient, GlideClusterClient].map((library) => ({
    name: library === GlideClient ? "GlideClient" : "GlideClusterClient",
    library: "valkey-glide",
    cluster: library === GlideClusterClient,
    prefix: "",
    db: 0,
    connect: async (port, proxied) => {
      const client = await library.createClient({
        addresses: [{ host, port }],
        requestTimeout,
        advancedConfiguration: { connectionTimeout },
        ...(proxied && { addressResolver: () => [host, port] }),
      });
      const close = (): void => client.close();
      return {
        locker: (options) => createLocker(client, options),
        quit: async () => close(),
        destroy: close,
        listeners: () => 0,
      };
    },
  }));
}

/** Every kind of client. */
export const kinds: readonly Kind[] = [
  ioredis(5),
  ioredis(6),
  ioredisCluster(5),
  ioredisCluster(6),
  nodeRedis(5),
  nodeRedis(6),
  nodeRedisPool(5),
  nodeRedisPool(6),
  nodeRedisCluster(5),
  nodeRedisCluster(6),
  ...(everything ? await glide() : []),
];

// The newest versions come first: some files have one scenario alone.
let scenarios = 1;

/**
 * The kinds that a scenario is run with: with `REDISLOCK_TESTS=all` every one that it is meant for, else
 * one, of the two libraries by turns. Which, changes from one call to the next, so that the scenarios of a
 * file run with different ones, the same each time.
 */
export function cast<T extends Kind>(meant: readonly T[]): readonly T[] {
  if (everything) return meant;
  const turn = scenarios++;
  // Also of a scenario that calls twice, the kinds of one call are of both libraries in the end.
  const library = Math.floor(turn * 1.5) % 2 === 0 ? "ioredis" : "node-redis";
  const theirs = meant.filter((kind) => kind.library === library);
  const from = theirs.length > 0 ? theirs : meant;
  const next = from[Math.floor(turn / 2) % from.length];
  return next ? [next] : [];
}

/** The settings that change how commands are sent, or what comes back. */
export const variants: readonly Kind[] = [
  ...([5, 6] as const).flatMap((major) => [
    ioredis(major, { keyPrefix: "app:" }, "with keyPrefix"),
    ioredis(major, { stringNumbers: true }, "with stringNumbers"),
    ioredis(major, { enableAutoPipelining: true }, "with enableAutoPipelining"),
    ioredis(major, { db: 3 }, "with db 3"),
    ioredis(major, { enableOfflineQueue: false }, "without an offline queue"),
    ioredisCluster(major, { keyPrefix: "app:" }, "with keyPrefix"),
    ioredisCluster(major, { stringNumbers: true }, "with stringNumbers"),
    nodeRedis(major, { commandOptions: { typeMapping: BYTES } }, "with a typeMapping"),
    nodeRedis(major, { database: 3 }, "with database 3"),
    nodeRedis(major, { RESP: 2 }, "with RESP2"),
    nodeRedis(major, { RESP: 3 }, "with RESP3"),
    nodeRedis(major, { disableOfflineQueue: true }, "without an offline queue"),
    nodeRedisPool(major, { RESP: 3 }, "with RESP3"),
    nodeRedisPool(major, { database: 3 }, "with database 3"),
    nodeRedisCluster(major, { RESP: 3 }, "with RESP3"),
  ]),
  ioredis(6, { protocol: 2 }, "with RESP2"),
  ioredis(6, { protocol: 3 }, "with RESP3"),
  nodeRedis(6, { keyPrefix: "app:" }, "with keyPrefix"),
  nodeRedisPool(6, { keyPrefix: "app:" }, "with keyPrefix"),
  nodeRedisCluster(6, { keyPrefix: "app:" }, "with keyPrefix"),
];

function named(name: string, how: string): string {
  return how === "" ? name : `${name} ${how}`;
}

function listenersOf(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0);
}

type IoredisClient = Parameters<typeof createIoredisLocker>[0] &
  EventEmitter & { quit(): Promise<unknown>; disconnect(): void };

async function ioredisUser(redis: IoredisClient): Promise<User> {
  // Without a listener ioredis writes errors to the console.
  redis.on("error", () => undefined);
  await once(redis, "ready");
  return {
    locker: (options) => createIoredisLocker(redis, options),
    quit: () => redis.quit(),
    destroy: () => {
      redis.disconnect();
    },
    listeners: () => listenersOf(redis),
  };
}

type NodeRedisClient = Parameters<typeof createNodeRedisLocker>[0] &
  EventEmitter & {
    connect(): Promise<unknown>;
    close(): Promise<unknown> | undefined;
    destroy(): void;
  };

async function nodeRedisUser(redis: NodeRedisClient): Promise<User> {
  // Without a listener an error of the connection would end the process.
  redis.on("error", () => undefined);
  await redis.connect();
  return {
    locker: (options) => createNodeRedisLocker(redis, options),
    quit: async () => redis.close(),
    destroy: () => {
      // A client of node-redis 5 that is closed already calls that an error.
      if (redis.isOpen) redis.destroy();
    },
    listeners: () => listenersOf(redis),
  };
}
