import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from "redis";
import { SentinelSet } from "@redislock/test-kit";
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from "redis-5";

import type {
  NodeRedisClientLike,
  NodeRedisClusterLike,
  NodeRedisPoolLike,
  NodeRedisSentinelLike,
} from "../src/index.js";

/** Makes bytes of all text, and text of all numbers. */
export const BYTES = {
  [RESP_TYPES.SIMPLE_STRING]: Buffer,
  [RESP_TYPES.BLOB_STRING]: Buffer,
  [RESP_TYPES.NUMBER]: String,
} as const;

/** Options that a user of ours may set. */
export interface Options {
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
  readonly name?: string;
  readonly disableOfflineQueue?: boolean;
  readonly pingInterval?: number;
  readonly commandOptions?: { readonly typeMapping: typeof BYTES };
  readonly socket?: {
    readonly reconnectStrategy?: false | number | (() => false);
    readonly socketTimeout?: number;
  };
  /** New in 6, which 5 does not look at. */
  readonly keyPrefix?: string | Buffer;
  /** Of a cluster: no connection that was not needed yet. */
  readonly minimizeConnections?: boolean;
}

/** Options of a sentinel that a user of ours may set. */
export interface SentinelOptions {
  /** Where the servers are that the sentinels name. */
  readonly nodeAddressMap?: Record<string, { readonly host: string; readonly port: number }>;
  /** New in 6, which 5 does not look at. */
  readonly keyPrefix?: string;
}

/** What tests do with a client that belongs to a user of ours. */
interface Closable {
  readonly isOpen: boolean;
  /** Of a pool: with what it looks for connections too many, also after it was destroyed. */
  readonly cleanupTimeout?: NodeJS.Timeout;
  on(event: "error" | "reconnecting", listener: () => void): unknown;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): unknown;
}

export type User = Closable & (NodeRedisClientLike | NodeRedisPoolLike);
export type ClusterUser = Closable & NodeRedisClusterLike;
export type SentinelUser = Closable & NodeRedisSentinelLike;

/** Each makes what is not connected yet. */
export interface Version {
  readonly name: string;
  /** Whether it knows the option `keyPrefix`. */
  readonly hasKeyPrefix: boolean;
  readonly createClient: (port: number, options?: Options) => Closable & NodeRedisClientLike;
  readonly createPool: (port: number, options?: Options) => Closable & NodeRedisPoolLike;
  readonly createCluster: (port: number, options?: Options) => ClusterUser;
  readonly createSentinel: (port: number, options?: SentinelOptions) => SentinelUser;
}

const url = (port: number): string => `redis://127.0.0.1:${port}`;

/** Where the sentinel is, and whom to ask it for. */
const sentinelOptions = (port: number) => ({
  name: SentinelSet.name,
  sentinelRootNodes: [{ host: "127.0.0.1", port }],
});

/**
 * By default, a command that has waited for 3 s for a free connection fails; and a pool of node-redis 5
 * that looks for connections too many after it was destroyed throws, in whatever test runs by then.
 */
const patient = { acquireTimeout: 60_000, cleanupDelay: 2 ** 31 - 1 };

const versionsOf5 = ([2, 3] as const).map((RESP): Version => ({
  name: `node-redis 5 with RESP${RESP}`,
  hasKeyPrefix: false,
  createClient: (port, options) => ours(createClient5({ ...options, url: url(port), RESP })),
  createPool: (port, options) =>
    ours(createClientPool5({ ...options, url: url(port), RESP }, patient)),
  createCluster: (port, options) =>
    ours(createCluster5({ ...options, rootNodes: [{ url: url(port) }], RESP })),
  createSentinel: (port, options) =>
    ours(createSentinel5({ ...options, ...sentinelOptions(port), RESP })),
}));

const versionsOf6 = ([2, 3] as const).map((RESP): Version => ({
  name: `node-redis 6 with RESP${RESP}`,
  hasKeyPrefix: true,
  createClient: (port, options) => ours(createClient({ ...options, url: url(port), RESP })),
  createPool: (port, options) =>
    ours(createClientPool({ ...options, url: url(port), RESP }, patient)),
  createCluster: (port, options) =>
    ours(createCluster({ ...options, rootNodes: [{ url: url(port) }], RESP })),
  createSentinel: (port, options) =>
    ours(createSentinel({ ...options, ...sentinelOptions(port), RESP })),
}));

/** Every test runs with each of them. */
export const versions: readonly Version[] = [...versionsOf5, ...versionsOf6];

/** A client or a pool of one of them. */
export interface Kind {
  readonly name: string;
  readonly isPool: boolean;
  readonly hasKeyPrefix: boolean;
  /** Makes what is not connected yet. */
  readonly create: (port: number, options?: Options) => User;
  readonly connect: (port: number, options?: Options) => Promise<User>;
}

function kind(
  what: "client" | "pool",
  { name, hasKeyPrefix }: Version,
  create: (port: number, options?: Options) => User,
): Kind {
  return {
    name: `${what} of ${name}`,
    isPool: what === "pool",
    hasKeyPrefix,
    create,
    connect: async (port, options) => {
      const redis = create(port, options);
      await redis.connect();
      return redis;
    },
  };
}

/** Every client and pool of them. */
export const kinds: readonly Kind[] = versions.flatMap((version) => [
  kind("client", version, version.createClient),
  kind("pool", version, version.createPool),
]);

const clients: Closable[] = [];

function ours<T extends Closable>(client: T): T {
  clients.push(client);
  // Without a listener an error of the connection would end the process.
  client.on("error", () => undefined);
  return client;
}

/** Closes what was created. */
export function closeClients(): void {
  for (const client of clients.splice(0)) {
    const clear = (): void => clearTimeout(client.cleanupTimeout);
    clear();
    try {
      client.destroy();
    } catch {
      // A client of node-redis 5 that is closed already, or a pool that has one.
    }
    setImmediate(clear); // What was under way has failed by then, and its connections are counted.
  }
}
