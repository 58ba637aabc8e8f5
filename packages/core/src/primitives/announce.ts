import { lockNames, type Space } from "../keys/names.js";
import { scripts } from "../lua/scripts.generated.js";
import type { Command } from "../redis/command.js";
import { wholeNumber } from "./replies.js";

/** Has whoever follows an election look who leads; replies how many heard it. */
export function announceCommand(key: string, space: Space): Command<number> {
  const keys = lockNames(key, space).slice(0, 1);
  return { script: scripts.announce, keys, args: [], read: (reply) => wholeNumber(reply) };
}

/** Where that is heard: named after the lock as it is called in Redis. */
export function leaderChannel(key: string, { keyPrefix, namespace }: Space): string {
  return `redislock:leader:${keyPrefix}${namespace}${key}`;
}
