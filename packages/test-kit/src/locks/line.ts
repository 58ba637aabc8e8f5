/** What tests want to know of a line, seen from the server. For keys without braces. */
import { waitUntil } from "../promises/wait-until.js";
import type { Reply } from "../protocol/resp.js";
import type { RedisServer } from "../servers/redis-server.js";
import { companion } from "./names.js";

/** A waiter's record, if Redis can reach its inbox: so that it asks again only when it is time. */
const REACHABLE = /^\d+ \d+ [12] /;

/** The ids of those who stand in line for a key, as it is called in Redis, first come first. */
export async function line(server: RedisServer, key: string): Promise<string[]> {
  return textsOf(await server.command("ZRANGE", companion(key, "line"), "0", "-1"));
}

/**
 * Resolves when so many stand in line. `told`: and each of them has an inbox that Redis knows of, so that
 * from now on nobody asks but when it is time.
 */
export async function untilInLine(
  server: RedisServer,
  key: string,
  count: number,
  { told = true }: { readonly told?: boolean } = {},
): Promise<void> {
  const allThere = async (): Promise<boolean> => {
    const waiters = textsOf(await server.command("HVALS", companion(key, "waiters")));
    if (waiters.length !== count) return false;
    return !told || waiters.every((waiter) => REACHABLE.test(waiter));
  };
  await waitUntil(allThere, { what: `${count} to stand in line for ${key}` });
}

/** The inboxes that somebody listens to. */
export async function openInboxes(server: RedisServer): Promise<string[]> {
  return textsOf(await server.command("PUBSUB", "CHANNELS", "redislock:inbox:*"));
}

/** The channel on which a waiter is told. */
export function inboxOf(id: string): string {
  return `redislock:inbox:${id.replace(/:\d+$/, "")}`;
}

/** The texts of a reply that is a list; none of any other. */
export function textsOf(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
