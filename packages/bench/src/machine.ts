import { cpus, loadavg, type } from "node:os";
import type { RedisServer } from "@redislock/test-kit";

/** Where the figures come from. */
export interface Machine {
  readonly date: string;
  readonly node: string;
  readonly server: string;
  readonly cpu: string;
  readonly os: string;
  /** How busy it was with other things, just before: runnable processes, on the average of a minute. */
  readonly load: number;
}

export async function machine(server: RedisServer): Promise<Machine> {
  const info = String(await server.command("INFO", "server"));
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const valkey = field("valkey_version");
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    server: valkey === undefined ? `Redis ${field("redis_version") ?? "?"}` : `Valkey ${valkey}`,
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}`,
    os: type(),
    load: loadavg()[0] ?? NaN,
  };
}
