/**
 * What we use of node-redis. Types of our own, so that a client of any version and any installed copy
 * fits, and nothing of node-redis is loaded by us.
 */

/** A client, pool, cluster or sentinel of node-redis. */
export type NodeRedisLike =
  NodeRedisClientLike | NodeRedisPoolLike | NodeRedisClusterLike | NodeRedisSentinelLike;

/** What they have in common. */
export interface ScriptRunner {
  readonly isOpen: boolean;
  /** Missing in a pool, and in a cluster of node-redis 5. */
  readonly isReady?: boolean;
  /** How often a client has connected. */
  readonly socketEpoch?: number;
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

/** What connects to one server, and can be had a second time. */
export interface Duplicable {
  readonly isReady: boolean;
  readonly options?: { readonly socket?: object | undefined } | undefined;
  duplicate(override: object): ConnectionLike;
}

/** The client of a master behind sentinels: in its types there is no method of a single command. */
export interface NodeRedisMasterLike extends Duplicable {
  readonly socketEpoch?: number;
  sendCommand(args: readonly string[]): Promise<unknown>;
}

export interface NodeRedisClientLike extends ScriptRunner, Duplicable {
  readonly isReady: boolean;
}

export interface NodeRedisPoolLike extends ScriptRunner {
  /** How many wait for a client that is connected and free. */
  readonly tasksQueueLength?: number;
  execute<T>(task: (client: Duplicable) => T): Promise<Awaited<T>>;
}

export interface NodeRedisClusterLike extends ScriptRunner {
  readonly masters: readonly ClusterNodeLike[];
  readonly slots: readonly { readonly master: { readonly address: string } }[];
  /** Connects it if it is not: with `minimizeConnections`, nodes are without a client until then. */
  nodeClient(node: ClusterNodeLike): Promise<Duplicable>;
}

/** A node of a cluster. */
export interface ClusterNodeLike {
  readonly address: string;
  readonly client?: Duplicable | undefined;
}

export interface NodeRedisSentinelLike extends ScriptRunner {
  getSentinelNode(): unknown;
  /** Gives the client of the master away, again if that is lost before the task is done. */
  _execute<T>(readonly: boolean, task: (master: NodeRedisMasterLike) => Promise<T>): Promise<T>;
  on(event: "topology-change", listener: (change: { type: string }) => void): unknown;
}

/** A client as we use one that is ours alone. */
export interface ConnectionLike {
  on(event: "connect", listener: () => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  unref(): void;
  destroy(): void;
  /** For what node-redis 5 leaves when it is destroyed. */
  quit?(): Promise<unknown>;
}
