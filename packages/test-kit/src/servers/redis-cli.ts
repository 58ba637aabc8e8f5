import { execFile } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

/**
 * Runs the server's own command line client against a port of 127.0.0.1 and resolves with what it
 * prints, without the last line break. Error replies are printed like any other.
 *
 * It is the one that lies beside `REDIS_SERVER` when that is set (`valkey-cli` beside
 * `valkey-server`). Default: `redis-cli`.
 */
export async function redisCli(port: number, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    binary(),
    ["-h", "127.0.0.1", "-p", String(port), ...args],
    { timeout: 10_000 },
  );
  return stdout.replace(/\n$/, "");
}

function binary(): string {
  const server = process.env["REDIS_SERVER"];
  if (server === undefined) return "redis-cli";
  return join(dirname(server), basename(server).replace("-server", "-cli"));
}
