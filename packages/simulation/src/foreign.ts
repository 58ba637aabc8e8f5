/**
 * Locks of programs that know nothing of this library, and lock as most do: by `SET key token NX PX ttl`,
 * with a compare and delete at the end. What they do is written as scripts, and takes the way of those.
 */
import type { Script } from "@redislock/core";

function foreign(name: string, source: string): Script {
  return { name: `foreign ${name}`, source, sha1: `foreign ${name}` };
}

const compared = (command: string): string =>
  `return redis.call('GET', KEYS[1]) == ARGV[1] and ${command} or 0`;

/** KEYS: the lock. ARGV: the token, and the ttl but for the one that deletes. */
export const foreignScripts = {
  set: foreign("set", "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])"),
  extend: foreign("extend", compared("redis.call('PEXPIRE', KEYS[1], ARGV[2])")),
  delete: foreign("delete", compared("redis.call('DEL', KEYS[1])")),
};

export function isForeign({ name }: Script): boolean {
  return name.startsWith("foreign ");
}

const TOKEN = "foreign-";

/** No token of ours begins like this. */
export function foreignToken(number: number): string {
  return `${TOKEN}${number}`;
}

export function isForeignToken(value: string): boolean {
  return value.startsWith(TOKEN);
}
