/**
 * What we use of ioredis. Types of our own, so that a `Redis` of any version and any installed copy
 * fits, and nothing of ioredis is loaded by us.
 */

/** A `Redis` or a `Cluster` of ioredis. */
export type IoredisLike = IoredisRedisLike | IoredisClusterLike;

/** What a `Redis` and a `Cluster` have in common. */
export interface ScriptRunner {
  readonly status: string;
  readonly options: { readonly keyPrefix?: string | undefined };
  /** The socket; missing in a cluster, and until it is known where to connect to. */
  readonly stream?: { readonly writableCorked: number; cork(): void; uncork(): void } | undefined;
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
  evalsha(sha1: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...keysAndArgs: string[]): Promise<unknown>;
}

export interface IoredisRedisLike extends ScriptRunner {
  readonly options: ScriptRunner["options"] & {
    readonly host?: string | undefined;
    readonly port?: number | undefined;
  };
  duplicate(override: object): ConnectionLike;
}

export interface IoredisClusterLike extends ScriptRunner {
  nodes(role: "master"): readonly IoredisRedisLike[];
  /** The addresses of the nodes of each slot, that of the master first. */
  readonly slots: readonly (readonly string[])[];
}

/** A `Redis` as we use one that is ours alone. */
export interface ConnectionLike {
  /** The socket; missing until it is known where to connect to. */
  readonly stream?: {
    readonly writableCorked: number;
    cork(): void;
    uncork(): void;
    unref(): unknown;
  };
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "connect" | "end", listener: () => void): unknown;
  on(event: "message", listener: (channel: string, text: string) => void): unknown;
  subscribe(channel: string): Promise<unknown>;
  connect(): Promise<unknown>;
  call(command: string, ...args: string[]): Promise<unknown>;
  disconnect(): void;
}
