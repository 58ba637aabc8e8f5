import { type Reply, toReply } from "@redislock/core/adapter";

/** As `toReply`, in arrays of our own: those of native code are of another realm than those of a test. */
export function replyOf(raw: unknown): Reply {
  return toReply(copyOf(raw));
}

function copyOf(raw: unknown): unknown {
  return Array.isArray(raw) ? Array.from(raw, copyOf) : raw;
}
