import type { Command } from "../proxy/command-log.js";
import type { RedisServer } from "../servers/redis-server.js";

/** A script as core has them; core uses this kit itself, so it cannot be named here. */
export interface KnownScript {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

/** So that no command needs a second round trip for its script's text. */
export async function loadScripts(
  server: RedisServer,
  scripts: readonly KnownScript[],
): Promise<void> {
  for (const { source } of scripts) await server.command("SCRIPT", "LOAD", source);
}

/** Which of the scripts a command runs, by its hash or as text; undefined if none. */
export function scriptRunBy<T extends KnownScript>(
  [command, what]: Command,
  scripts: readonly T[],
): T | undefined {
  if (command?.startsWith("EVAL") !== true) return undefined;
  return scripts.find(({ sha1, source }) => what === sha1 || what === source);
}
