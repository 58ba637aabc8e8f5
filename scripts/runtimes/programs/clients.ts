/** Each kind of client, as its users have it. */
import type { RedisClient } from "@redislock/core";
import { ioredisClient } from "@redislock/ioredis";
import { nodeRedisClient } from "@redislock/node-redis";
import { memoryClient } from "@redislock/testing";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { httpClient } from "./http-client.js";

export interface User {
  readonly client: RedisClient;
  /** Ends or lets go of what the user opened: from then on it is no reason for the process to live. */
  leave(): Promise<unknown>;
}

/** What a program is started with. */
export interface Urls {
  readonly redis: string;
  readonly http: string;
}

/** Long enough for a process to end that nothing keeps alive. */
const DELAY = 60;

const kinds: Readonly<Record<string, (urls: Urls) => Promise<User>>> = {
  // Replies take a while, and no socket stands for them.
  memory: async () => {
    const client = memoryClient();
    client.delayReplies(DELAY);
    return { client, leave: async () => undefined };
  },
  http: async ({ http }) => ({ client: httpClient(http), leave: async () => undefined }),

  ioredis: async ({ redis }) => {
    const user = new Redis(redis);
    return { client: ioredisClient(user), leave: () => user.quit() };
  },
  "ioredis-unref": async ({ redis }) => {
    const user = new Redis(redis);
    await user.ping();
    user.stream.unref();
    return { client: ioredisClient(user), leave: async () => undefined };
  },

  "node-redis": async ({ redis }) => {
    const user = await connected(redis);
    return { client: nodeRedisClient(user), leave: () => user.close() };
  },
  "node-redis-unref": async ({ redis }) => {
    const user = await connected(redis);
    user.unref();
    return { client: nodeRedisClient(user), leave: async () => undefined };
  },
};

export function userOf(kind: string, urls: Urls): Promise<User> {
  const make = kinds[kind];
  if (!make) throw new Error(`there is no kind of client "${kind}"`);
  return make(urls);
}

function connected(url: string) {
  return createClient({ url }).on("error", console.error).connect();
}
