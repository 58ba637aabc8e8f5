import { Cluster, Redis } from "ioredis";
import {
  Cluster as Cluster5,
  Redis as Redis5,
  type ClusterOptions,
  type RedisOptions,
} from "ioredis-5";
import {
  Cluster as ClusterOfIovalkey,
  type ClusterOptions as ClusterOptionsOfIovalkey,
  Redis as RedisOfIovalkey,
  type RedisOptions as OptionsOfIovalkey,
} from "iovalkey";

/** A client that belongs to a user of ours. */
export type User = Redis | Redis5 | RedisOfIovalkey;
export type ClusterUser = Cluster | Cluster5 | ClusterOfIovalkey;

/** Options that all versions know. */
export type Options = Omit<RedisOptions & OptionsOfIovalkey, "Connector">;
export interface ClusterSettings extends Omit<
  ClusterOptions & ClusterOptionsOfIovalkey,
  "redisOptions"
> {
  readonly redisOptions?: Pick<Options, "keyPrefix" | "stringNumbers">;
}

export interface Version {
  readonly name: string;
  readonly connect: (port: number, options?: Options) => User;
  readonly connectCluster: (port: number, options?: ClusterSettings) => ClusterUser;
  /** Whether a Cluster with enableAutoPipelining takes commands for several nodes at once. */
  readonly pipelinesApart: boolean;
}

const host = "127.0.0.1";
/** Otherwise ioredis waits for servers that are gone, and the tests with it. */
const disconnectTimeout = 1;

/** Every test runs with each of them. */
export const versions: readonly Version[] = [
  {
    name: "iovalkey",
    pipelinesApart: false,
    connect: (port, options) =>
      ours(new RedisOfIovalkey({ host, port, disconnectTimeout, ...options })),
    connectCluster: (port, options) => {
      const redisOptions = { disconnectTimeout, ...options?.redisOptions };
      return ours(new ClusterOfIovalkey([{ host, port }], { ...options, redisOptions }));
    },
  },
  {
    name: "ioredis 5",
    pipelinesApart: true,
    connect: (port, options) => ours(new Redis5({ host, port, disconnectTimeout, ...options })),
    connectCluster: (port, options) => {
      const redisOptions = { disconnectTimeout, ...options?.redisOptions };
      return ours(new Cluster5([{ host, port }], { ...options, redisOptions }));
    },
  },
  {
    name: "ioredis 6",
    pipelinesApart: true,
    connect: (port, options) => ours(new Redis({ host, port, disconnectTimeout, ...options })),
    connectCluster: (port, options) => {
      const redisOptions = { disconnectTimeout, ...options?.redisOptions };
      return ours(new Cluster([{ host, port }], { ...options, redisOptions }));
    },
  },
  {
    name: "ioredis 6 with RESP2",
    pipelinesApart: true,
    connect: (port, options) =>
      ours(new Redis({ host, port, disconnectTimeout, protocol: 2, ...options })),
    connectCluster: (port, options) => {
      const redisOptions = { disconnectTimeout, protocol: 2 as const, ...options?.redisOptions };
      return ours(new Cluster([{ host, port }], { ...options, redisOptions }));
    },
  },
];

interface Closable {
  on(event: "error", listener: () => void): unknown;
  disconnect(): void;
}

const clients: Closable[] = [];

function ours<T extends Closable>(client: T): T {
  clients.push(client);
  // Without a listener ioredis writes them to the console.
  client.on("error", () => undefined);
  return client;
}

/** Closes what the versions have connected. */
export function closeClients(): void {
  for (const client of clients.splice(0)) client.disconnect();
}
