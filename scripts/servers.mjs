/**
 * `pnpm servers`: the tests, or any command, once on each server that Debian has. Not among what a change
 * must pass before it goes in: that takes hours.
 */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { fetchServer, folder, servers } from "./debian-servers.mjs";
import { Failure, root, runMain, say } from "./shell.mjs";

const usage = `usage: pnpm servers [--only=redis,valkey@sid] [--tests=core,testing] [-- command …]

Runs the tests of every package, or of some, or the command, once on each server: fetched from Debian,
unpacked, not installed. With REDISLOCK_TESTS=all, all tests. Prints what passed.

Servers, each with the suite of Debian that it is from:
  ${servers.map(({ name }) => name).join("\n  ")}`;

/** @typedef {{ server: string, version: string, what: string, ok: boolean, result: string }} Row */

if (import.meta.filename === process.argv[1]) await runMain(main);

async function main() {
  const { values, positionals } = parse();
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const wanted = list(values.only);
  const chosen = servers.filter(
    ({ name }) => wanted.length === 0 || wanted.some((one) => name.startsWith(one)),
  );
  if (chosen.length === 0) throw new Failure(`there is no such server\n\n${usage}`);
  /** @type {Row[]} */
  const rows = [];
  for (const server of chosen) rows.push(...(await runOn(server, list(values.tests), positionals)));
  console.log(`\n${table(rows)}`);
  return rows.every(({ ok }) => ok) ? 0 : 1;
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        only: { type: "string", default: "" },
        tests: { type: "string", default: "" },
      },
    });
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

/** @param {string} text */
function list(text) {
  return text.split(",").filter((each) => each !== "");
}

/**
 * Runs the tests of some packages, or all, or a command, on one server.
 *
 * @param {import("./debian-servers.mjs").DebianServer} server
 * @param {string[]} packages
 * @param {string[]} [command]
 * @returns {Promise<Row[]>}
 */
export async function runOn(server, packages, command = []) {
  const { name } = server;
  const { version, path } = fetchServer(server);
  const [program = "turbo", ...args] = command.length > 0 ? command : turbo(packages);
  const log = `${folder}/${name}.log`;
  say(`${name} (${version}): \`${[program, ...args].join(" ")}\`, all of its output in ${log}`);
  /** @type {Row[]} */
  const rows = [];
  const code = await run(program, args, path, log, (line) => {
    const [, what, result] = /^@redislock\/([\w-]+):test: Tests: +(.+)$/.exec(line) ?? [];
    if (what === undefined || result === undefined) return;
    rows.push({ server: name, version, what, ok: !result.includes("failed"), result });
    say(`${name}: ${what}: ${result}`);
  });
  if (command.length > 0 || (code !== 0 && rows.every(({ ok }) => ok))) {
    const result = code === 0 ? "passed" : `failed with ${code}`;
    rows.push({ server: name, version, what: program, ok: code === 0, result });
  }
  return rows;
}

/** @param {string[]} packages */
function turbo(packages) {
  const filters = packages.map((name) => `--filter=@redislock/${name}`);
  return ["turbo", "run", "test", "--concurrency=1", "--continue", ...filters];
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} server
 * @param {string} log
 * @param {(line: string) => void} onLine
 * @returns {Promise<number>} its exit code
 */
function run(program, args, server, log, onLine) {
  const child = spawn(program, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, REDIS_SERVER: server, NO_COLOR: "1" },
  });
  const file = createWriteStream(log);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      file.write(`${line}\n`);
      onLine(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => file.end(() => resolve(code ?? 1)));
  });
}

/** @param {Row[]} rows */
export function table(rows) {
  const lines = rows.map(({ server, version, what, ok, result }) => [
    server,
    version,
    what,
    ok ? "ok" : "FAILED",
    result,
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...lines.map((line) => String(line[column]).length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
