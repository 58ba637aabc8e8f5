/** How the scripts beside this one talk and start other programs. */
import { spawn, spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

// The tools of this repository come first, pnpm among them, so that nothing need be global.
process.env["PATH"] = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
process.env["TURBO_TELEMETRY_DISABLED"] = "1";

/** What ends a script with its message instead of a stack trace. */
export class Failure extends Error {}

/** @param {string} line */
export function say(line) {
  console.log(`redislock: ${line}`);
}

/**
 * Runs a program whose output the user wants to see. When we are told to end, it is told, and we
 * wait for it to tidy up.
 *
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<number>} its exit code
 */
export function show(program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    // A terminal sends Ctrl-C to all that runs in it: the child has it already, and would take a
    // second one as a wish to end without tidying up.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      for (const signal of signals) process.off(signal, pass);
      resolve(code ?? 1);
    });
  });
}

/**
 * Runs a program whose output matters only when it fails; then all of it is shown.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {string} what it wrote to stdout
 */
export function quietly(program, args, cwd = root) {
  const { error, status, signal, stdout, stderr } = run(program, args, cwd);
  if (status === 0) return stdout;
  const output = error ? error.message : `${stdout}${stderr}`.trim();
  const reason = output || `it ended with ${signal ?? status}, and said nothing`;
  throw new Failure(`\`${[program, ...args].join(" ")}\` failed:\n${reason}`);
}

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {boolean} whether it is there and says that all is well
 */
export function succeeds(program, args) {
  return run(program, args, root).status === 0;
}

/**
 * Ends the process as a command line tool should: 0 or 1, and no stack trace for what we foresaw.
 *
 * @param {() => number | Promise<number>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.exitCode = 1;
    console.error(error instanceof Failure ? `redislock: ${error.message}` : error);
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
function run(program, args, cwd) {
  const stdio = /** @type {const} */ (["ignore", "pipe", "pipe"]);
  return spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: Infinity,
    stdio: [...stdio],
  });
}
