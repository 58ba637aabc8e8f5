/** A lock, or something that is measured as if it were one, in one process on one connection. */
export interface Session {
  /** Takes a lock that nobody else wants. Contenders without kinds are asked for exclusive ones only. */
  take(key: string, ttl: number, kind?: Kind): Promise<Held>;
  /** Takes a lock, waiting for as long as others have it. */
  waitFor(key: string, ttl: number, kind?: Kind): Promise<Held>;
  close(): Promise<void>;
}

/** Shared among readers, or one permit of so many; undefined where one has it alone. */
export type Kind = "shared" | { readonly limit: number };

export interface Held {
  /** The fencing token, of the locks that have one. */
  readonly fence?: number | undefined;
  release(): Promise<unknown>;
}

export type ClientName = "ioredis" | "node-redis";

/** The longest ttl at several servers: ours vote once they have been up for longer than that. */
export const QUORUM_TTL = 5_000;

/** What is compared. */
export interface Contender {
  readonly name: string;
  readonly client: ClientName;
  /** ours: what the figures are about. raw, floor: what they are measured against. */
  readonly kind: "ours" | "raw" | "floor" | "peer";
  /** The longest pause between two of its tries while it waits, in milliseconds; 0 if it does not poll. */
  readonly poll: number;
  open(server: Server): Promise<Session>;
}

/** Where a session connects to. */
export interface Server {
  readonly port: number;
  /** The ports of more servers, for a lock that a majority of all is to keep. */
  readonly others?: readonly number[] | undefined;
  /** Which of the processes this is, from 0. */
  readonly self: number;
}
