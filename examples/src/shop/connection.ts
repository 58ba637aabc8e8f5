import type { Locker } from "@redislock/core";

/** A connection to Redis through either client: bare commands for the stock, and a locker. */
export interface Connection {
  command(words: [string, ...string[]]): Promise<unknown>;
  readonly locker: Locker;
  close(): Promise<void>;
}

export type Adapter = "ioredis" | "node-redis";

export function isAdapter(name: string): name is Adapter {
  return name === "ioredis" || name === "node-redis";
}

/**
 * Connects, or fails at once: whoever watches a demo should not wait for a server that is not there. All
 * keys of locks begin with `shop`.
 */
export async function connect(adapter: Adapter, url: string, shop: string): Promise<Connection> {
  // Loaded when chosen: a seller should not have to load both clients.
  const module = await (adapter === "ioredis" ? import("./ioredis.js") : import("./node-redis.js"));
  return module.connect(url, shop);
}
