import type { RedisClient } from "@redislock/core";

/** What is used of a test runner: `node:test`, jest, vitest and mocha all have it. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

/**
 * What the kit has to be given, and what it may be given: each of the optional ones brings tests with it
 * that are left out otherwise.
 */
export interface ConformanceOptions {
  /** Connects a client of your library, and wraps it in your adapter. Called several times for each test. */
  connect(): Connected | Promise<Connected>;

  /**
   * Runs a command on the same server by other means than the adapter, and resolves to its reply. In a
   * cluster, on the node of the key that comes second; `SCRIPT`, `CLIENT` and `ACL` on all nodes.
   */
  command(...command: [string, ...string[]]): Promise<unknown>;

  /** As `connect`, as a user of the server. Brings tests about what a user may not do. */
  connectAs?(user: Credentials): Connected | Promise<Connected>;

  /**
   * Sees to it that the reply to the next `EVALSHA` is lost on its way, together with its connection.
   * Brings tests about lost replies.
   */
  loseNextReply?(): void | Promise<void>;

  /** The network between the clients and the server, to be broken. Brings tests about that. */
  readonly network?: Network;

  /** Whether the adapter implements `subscribe`. Default: true. */
  readonly subscribes?: boolean;

  /**
   * Whether a client that was closed rejects from then on. Default: true. False for one that has nothing
   * to close, as over HTTP.
   */
  readonly closes?: boolean;

  /**
   * Which half of the kit is run: `adapter`, what `RedisClient` asks for, which takes a moment, or `lock`,
   * the promises of the lock. Default: both. For the same adapter over clients with other settings,
   * `adapter` will do.
   */
  readonly only?: "adapter" | "lock";
}

/** A client of your library, in your adapter. */
export interface Connected {
  /** Your adapter over it. */
  readonly client: RedisClient;
  /** Closes the client of your library, as its user would. */
  readonly close: () => unknown;
}

/** A user of the server. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A network that fails when it is told to. */
export interface Network {
  /** Ends all connections. */
  cutAll(): unknown;
  /** From now on no new connection is taken. */
  refuse(): unknown;
  /** New connections are taken again. */
  accept(): unknown;
  /** From now on nothing passes in either direction, and no connection ends by that. New ones are taken. */
  silence(): unknown;
  /** Ends a silence; connections in which something was held back may end. */
  speak(): unknown;
}
