import type { RedisClient } from "./client.js";

/** What the users of an adapter should give it, and how that is known. */
export interface ExpectedClient {
  /** In words: `a Redis of ioredis`. */
  readonly what: string;
  /** How one is made: `new Redis(url)`. */
  readonly example: string;
  /** Methods that it has. */
  readonly methods: readonly string[];
}

/** Clients that are often given to the adapter of another library, by a method that they alone have. */
const LOOKALIKES: readonly (readonly [method: string, hint: string])[] = [
  ["evalSha", "a node-redis client: use @redislock/node-redis"],
  ["evalsha", "an ioredis client: use @redislock/ioredis"],
  ["customCommand", "a Valkey GLIDE client: use @redislock/valkey-glide"],
];

/**
 * Makes the function of an adapter that wraps a client of its library: it refuses what is no such client,
 * and gives the same `RedisClient` for the same client, so that all lockers over it share one subscription.
 *
 * @example
 * export const myClient = defineAdapter<MyClient>(
 *   { what: "a client of mine", example: "new MyClient(url)", methods: ["eval", "evalsha"] },
 *   (redis) => ({ run: (script, keys, args) => runScript(script, commandsOf(redis, keys, args)) }),
 * );
 */
export function defineAdapter<T extends object>(
  expected: ExpectedClient,
  wrap: (redis: T) => RedisClient,
): (redis: T) => RedisClient {
  const wrapped = new WeakMap<T, RedisClient>();
  return (redis) => {
    const known = wrapped.get(redis);
    if (known) return known;
    assertExpected(redis, expected);
    const client = wrap(redis);
    wrapped.set(redis, client);
    return client;
  };
}

function assertExpected(redis: unknown, { what, example, methods }: ExpectedClient): void {
  if (methods.every((method) => has(redis, method))) return;
  const lookalike = LOOKALIKES.find(([method]) => !methods.includes(method) && has(redis, method));
  if (lookalike) throw new TypeError(`redis must be ${what}; that looks like ${lookalike[1]}`);
  // Never the value itself: a URL may hold a password.
  const kind = redis === null ? "null" : typeof redis;
  throw new TypeError(`redis must be ${what}, such as ${example}, not ${kind}`);
}

function has(value: unknown, method: string): boolean {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function"
  );
}
