/** A redis-server for tests and demo: found, installed if need be, and started on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { Failure, quietly, root, say, succeeds } from "./shell.mjs";

const advice =
  "install Redis or Valkey, or name a server by REDIS_SERVER=/path/to/redis-server (redis-cli beside it)";

/** Makes sure that a server and its command line client can be started, or says what to install. */
export async function ensureRedis() {
  const chosen = process.env["REDIS_SERVER"];
  if (chosen) {
    // Tests run in folders of their own, where a relative path would lead elsewhere.
    if (chosen !== basename(chosen)) process.env["REDIS_SERVER"] = resolve(chosen);
    if (await isThere()) return;
    throw new Failure(`${server()} or ${client()} cannot be started: ${advice}`);
  }
  if (await isThere()) return;
  const command = await installer();
  if (command) {
    const [program, ...args] = command;
    say(`redis-server or redis-cli is missing: running \`${command.join(" ")}\``);
    await quietly(program, args);
    if (await isThere()) return;
  }
  throw new Failure(`redis-server and redis-cli are needed: ${advice}`);
}

/**
 * Runs `task` with the URL of a redis-server of its own, empty and gone afterwards.
 * @template T
 * @param {(url: string) => Promise<T>} task
 * @returns {Promise<T>}
 */
export async function withRedis(task) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "redislock-"));
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""];
  // In a process group of its own: Ctrl-C is for the task, which may need its server to the end.
  const child = spawn(server(), args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  try {
    await new Promise((ready, fail) => {
      let log = "";
      child.on("error", fail);
      child.on("exit", () => {
        fail(new Failure(`${server()} ended at once:\n${log.trim()}`));
      });
      child.stdout.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        log += text;
        if (log.includes("Ready to accept connections")) ready(undefined);
      });
    });
    return await task(`redis://127.0.0.1:${port}`);
  } finally {
    if (child.exitCode === null && child.kill()) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  }
}

function server() {
  return process.env["REDIS_SERVER"] || "redis-server";
}

/** The one that lies beside the server: `valkey-cli` beside `valkey-server`. */
function client() {
  return join(dirname(server()), basename(server()).replace("-server", "-cli"));
}

async function isThere() {
  return (await succeeds(server(), ["--version"])) && (await succeeds(client(), ["--version"]));
}

/** @returns {Promise<[string, ...string[]] | undefined>} the command that installs both, if we know one */
async function installer() {
  if (process.platform === "darwin" && (await succeeds("brew", ["--version"]))) {
    return ["brew", "install", "redis"];
  }
  if (await succeeds("apt-get", ["--version"])) {
    const script = join(root, "scripts/install-redis-debian.sh");
    if (process.getuid?.() === 0) return ["sh", script];
    if (await succeeds("sudo", ["-n", "true"])) return ["sudo", "-n", "sh", script];
  }
  return undefined;
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Failure("no free port");
  return address.port;
}
