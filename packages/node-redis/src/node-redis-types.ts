/**
 * What we use of node-redis. Types of our own, so that a client of any version and any installed copy
 * fits, and nothing of node-redis is loaded by us.
 */

/** A client, pool, cluster or sentinel of node-redis. */
export type NodeRedisLike =
  NodeRedisClientLike | NodeRedisPoolLike | NodeRedisClusterLike | ScriptRunner;

/** What they have in common, and all that we use of a sentinel. */
export interface ScriptRunner {
  readonly isOpen: boolean;
  /** What goes before every key; new in node-redis 6. Pools and clusters show it nowhere else. */
  readonly _keyPrefix?: string | Uint8Array | undefined;
  evalSha(sha1: string, options?: ScriptArguments): Promise<unknown>;
  eval(source: string, options?: ScriptArguments): Promise<unknown>;
}

/** Read-only, which node-redis does not promise but keeps: it copies them into the command. */
export interface ScriptArguments {
  readonly keys?: readonly (string | Uint8Array)[];
  readonly arguments?: readonly (string | Uint8Array)[];
}

export interface NodeRedisClientLike extends ScriptRunner {
  readonly isReady: boolean;
  readonly options?: { readonly socket?: object | undefined } | undefined;
  duplicate(override: object): ConnectionLike;
  unref(): void;
}

export interface NodeRedisPoolLike extends ScriptRunner {
  execute<T>(task: (client: NodeRedisClientLike) => T): Promise<Awaited<T>>;
}

export interface NodeRedisClusterLike extends ScriptRunner {
  readonly masters: readonly { readonly client?: NodeRedisClientLike | undefined }[];
}

/** A client as we use one that is ours alone. */
export interface ConnectionLike {
  on(event: "connect", listener: () => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
  unref(): void;
  destroy(): void;
}
