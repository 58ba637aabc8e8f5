/** What tests want to know of a line, seen from the server. */
import { waitUntil, type RedisServer, type Reply } from "@redislock/test-kit";

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
  await waitUntil(
    async () => {
      const waiters = textsOf(await server.command("HVALS", companion(key, "waiters")));
      return waiters.length === count && (!told || waiters.every((one) => /^\d+ [12] /.test(one)));
    },
    { what: `${count} to stand in line for ${key}`, timeout: 10_000 },
  );
}

/** The inboxes that somebody listens to. */
export async function openInboxes(server: RedisServer): Promise<string[]> {
  return textsOf(await server.command("PUBSUB", "CHANNELS", "redislock:inbox:*"));
}

/** The channel on which a waiter is told. */
export function inboxOf(id: string): string {
  return `redislock:inbox:${id.replace(/:\d+$/, "")}`;
}

/** The name of a key's companion; for keys without braces. */
export function companion(key: string, what: "fence" | "line" | "waiters"): string {
  return `${key}:redislock:${what}{${key}}`;
}

export function textsOf(reply: Reply): string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}
