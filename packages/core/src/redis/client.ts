/**
 * What the lock needs of Redis: run a script, and, if the client can, hear messages.
 * Whoever brings another Redis client implements {@link RedisClient} and nothing else.
 */

/** A Lua script as a value: run by its hash, sent as text when the server does not know it. */
export interface Script {
  /** For people: what it is called in this library. */
  readonly name: string;
  /** The Lua text. */
  readonly source: string;
  /** SHA-1 of the text in hex: the name under which Redis caches it. */
  readonly sha1: string;
}

/**
 * A script's reply in one shape, whatever the client or its settings make of it:
 * numbers come as their decimal text, nil as `null`. See {@link toReply}.
 */
export type Reply = string | null | readonly Reply[];

/** What an adapter implements, over a Redis client that there is. */
export interface RedisClient {
  /**
   * Runs `script` on the server that owns `keys`, by its hash; if, and only if, the server answers
   * `NOSCRIPT`, sends the text (`EVAL`). Keys and args are passed apart, never put into the text.
   *
   * Resolves to the reply. Rejects with a `ServerError` when the server answered with an error,
   * and with the client's own error for everything else. The lock takes the first as "not done" and
   * the second as "unknown", so do not turn one into the other, and do not retry what has failed.
   */
  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply>;

  /**
   * Opens a connection of its own that listens to one channel, and resolves once the server has
   * confirmed it. The connection reconnects by itself, with pauses of its own choosing, and never
   * keeps the process alive. Leave it out if the client cannot: waiters then ask instead of being told.
   */
  subscribe?(channel: string, listener: ChannelListener): Promise<Subscription>;

  /**
   * Connections beside the client's own, on which the lock may wait for replicas: `minReplicas` needs them.
   * Leave it out if the client cannot.
   */
  readonly side?: SideConnections;

  /** What the client puts before every key by itself, such as ioredis' `keyPrefix`. Default: nothing. */
  readonly keyPrefix?: string;

  /** Whether the keys live in hash slots of several servers (Redis Cluster). Default: false. */
  readonly cluster?: boolean;

  /** True once the client was closed for good, so that nothing more can be sent. Default: false. */
  readonly closed?: boolean;

  /**
   * In what state the client's own connection is, in the client's words, such as `reconnecting`; undefined
   * while it is ready, or nothing is known. For errors: people want to know why there was no answer.
   */
  readonly connection?: string | undefined;

  /**
   * Stands for the connection that commands are sent over: another value, compared by identity, each time
   * that the client has connected anew, perhaps to another server; of a client of a cluster, each time that
   * it has lost one of its connections. A quorum asks then which server it is. And whatever was sent before,
   * and answered after, may have been sent twice by the client itself: a refusal is no proof then that
   * nothing was done. Undefined while the client does not know, as before its first answer; leave it out if
   * it never tells.
   */
  readonly epoch?: unknown;
}

/** Who is told of what comes on a channel. */
export interface ChannelListener {
  /** A message came on the channel. */
  message(text: string): void;
  /** The connection was lost and is back: messages may have been missed. */
  resumed(): void;
  /**
   * The connection was lost and could not be opened again so far: messages do not come until
   * {@link resumed}. Once for each outage; not for a loss that is mended at the first attempt.
   */
  lost?(error: unknown): void;
}

/** A channel that is listened to. */
export interface Subscription {
  /** Stops listening and closes what `subscribe` opened. Does nothing the second time. */
  close(): Promise<void>;
}

/** Connections to a master beside the one that the client has. */
export interface SideConnections {
  /**
   * In a cluster: what tells the master of a hash slot from the others, such as its address, as far as the
   * client knows. Throws if it does not know. Leave it out where there is one master.
   */
  masterOf?(slot: number): string;

  /**
   * Opens a connection to the master, in a cluster to the one that {@link masterOf} named so. Resolves once
   * commands can be sent. It neither reconnects by itself nor keeps the process alive. Whoever loses it
   * calls `life.end`; when `life.ended` resolves, also while it is being opened, it is to be closed, and
   * what was sent and not answered rejects.
   */
  open(life: Life, master?: string): Promise<SideConnection>;
}

/** A connection to a master beside the client's own. */
export interface SideConnection {
  /**
   * Sends one command as it is, without any prefix. Commands leave in the order of the calls, and none is
   * sent twice. Resolves and rejects as {@link RedisClient.run}.
   */
  send(command: readonly string[]): Promise<Reply>;
}

/** The life of one connection. Its functions can be handed on as they are. */
export interface Life {
  /** To be called with the reason as soon as the connection is lost. */
  readonly end: (reason: unknown) => void;
  /** Resolves with the reason once it was lost or is not wanted any more: then it is to be closed. */
  readonly ended: Promise<unknown>;
}

export function newLife(): Life {
  let end!: (reason: unknown) => void;
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  return { end, ended };
}

/**
 * Brings a raw reply into the shape of {@link Reply}: for adapters, whose clients may be set to
 * give integers as numbers, bigints or text, and text as bytes.
 *
 * @example
 * toReply([12n, null, Uint8Array.of(111, 107)]); // ["12", null, "ok"]
 * @throws TypeError for what no lock script replies with, such as a map.
 */
export function toReply(raw: unknown): Reply {
  if (typeof raw === "string") return raw;
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "number" || typeof raw === "bigint") return String(raw);
  if (Array.isArray(raw)) return raw.map(toReply);
  if (ArrayBuffer.isView(raw)) return (utf8 ??= new TextDecoder()).decode(raw);
  throw new TypeError(`a script replied with ${Object.prototype.toString.call(raw)}`);
}

let utf8: TextDecoder | undefined;

/** A list of exactly so many; undefined for anything else. */
export function listOf(reply: Reply | undefined, length: number): readonly Reply[] | undefined {
  return typeof reply === "object" && reply?.length === length ? reply : undefined;
}
