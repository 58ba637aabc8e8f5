/**
 * Whether the user may do all that locks need. Each command is sent, in a form that changes nothing, to
 * keys that nobody has: Redis looks at permissions before anything else, so whatever it says but NOPERM
 * means yes. That needs no other right, unlike ACL DRYRUN.
 */
import type { Redis } from "ioredis";

import { type Finding, finding, refusal } from "./check.js";

interface Probe {
  readonly command: string;
  readonly args: readonly string[];
}

/** What a lock cannot do without. */
function neededOf(key: string): Probe[] {
  return [
    { command: "eval", args: ["return 1", "0"] },
    { command: "evalsha", args: ["0".repeat(40), "0"] },
    { command: "getrange", args: [key, "0", "0"] },
    { command: "set", args: [key, "", "XX", "PX", "1"] },
    { command: "del", args: [key] },
    { command: "unlink", args: [key] },
    { command: "exists", args: [key] },
    { command: "pexpire", args: [key, "1"] },
    { command: "pttl", args: [key] },
    { command: "time", args: [] },
    { command: "hget", args: [key, "f"] },
    // A field without a value, which is an error only once it is permitted.
    { command: "hset", args: [key, "f", "v", "g"] },
    { command: "hdel", args: [key, "f"] },
    { command: "zadd", args: [key, "XX", "1", "m"] },
    { command: "zcard", args: [key] },
    { command: "zpopmin", args: [key] },
    { command: "zrange", args: [key, "0", "0"] },
    { command: "zrank", args: [key, "m"] },
    { command: "zrem", args: [key, "m"] },
    { command: "zscore", args: [key, "m"] },
  ];
}

/** What only costs time where it is missing, and what it is for. */
function helpfulOf(key: string, channel: string): Probe[] {
  return [
    { command: "publish", args: [channel, ""] },
    { command: "pubsub", args: ["NUMSUB", channel] },
    { command: "hscan", args: [key, "0"] },
    { command: "type", args: [key] },
  ];
}

/** What `redislock ls` needs besides. */
const listing: readonly Probe[] = [{ command: "scan", args: ["0", "COUNT", "1"] }];

/** What is lacking, if anything. */
export type Answer = "yes" | "command" | "key" | "channel";

export async function checkPermissions(
  redis: Redis,
  subscribing: Answer,
  names: { readonly key: string; readonly fence: string; readonly prefix: string },
): Promise<Finding> {
  const { key, fence, prefix } = names;
  const channel = "redislock:inbox:doctor";
  const missing = { commands: [] as string[], keys: new Set<string>(), channels: false };
  const note = (command: string, answer: Answer, pattern: string): void => {
    if (answer === "command") missing.commands.push(`+${command}`);
    if (answer === "key") missing.keys.add(`~${pattern}`);
    if (answer === "channel") missing.channels = true;
  };
  for (const { command, args } of neededOf(key)) {
    note(command, await ask(redis, command, args), `${prefix}*`);
  }
  // Would be of the wrong type, and is left as it is.
  note("hdel", await ask(redis, "hdel", [fence, "f"]), `${fence.replace(/\{.*/s, "")}*`);
  const needed = missing.commands.length > 0 || missing.keys.size > 0;
  for (const { command, args } of [...helpfulOf(key, channel), ...listing]) {
    note(command, await ask(redis, command, args), `${prefix}*`);
  }
  note("subscribe", subscribing, "");
  const acl = [
    ...missing.keys,
    ...(missing.channels ? ["&redislock:inbox:*", "&redislock:leader:*"] : []),
    ...new Set(missing.commands),
  ].join(" ");
  if (acl === "") {
    const found = `all commands, keys and channels, tried at ${prefix}*`;
    return finding("permissions", "ok", found, "locks can be taken, waited for and listed");
  }
  const found = `missing: ${acl}`;
  const line = `ACL SETUSER ${redis.options.username ?? "default"} ${acl}`;
  if (needed) {
    const meaning =
      "this user cannot take locks; if an application's user can, ask as that one, or";
    return { ...finding("permissions", "fail", found, meaning), acl: line };
  }
  const meaning =
    "locks work; without publish, subscribe and pubsub waiters ask instead of being told, " +
    "without scan `redislock ls` sees nothing";
  return { ...finding("permissions", "warn", found, meaning), acl: line };
}

async function ask(redis: Redis, command: string, args: readonly string[]): Promise<Answer> {
  try {
    await redis.call(command, ...args);
    return "yes";
  } catch (error) {
    return answerOf(error);
  }
}

export function answerOf(error: unknown): Answer {
  const text = refusal(error);
  if (!text.startsWith("NOPERM")) return "yes";
  if (text.includes("channel")) return "channel";
  return text.includes("key") ? "key" : "command";
}
