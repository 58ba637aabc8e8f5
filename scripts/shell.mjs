/** How the scripts beside this one talk and start other programs. */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** What ends a script with one line instead of a stack trace. */
export class Failure extends Error {}

/** @param {string} line */
export function say(line) {
  console.log(`redislock: ${line}`);
}

/**
 * @typedef {object} Settings
 * @property {string} [cwd]
 * @property {Record<string, string>} [env] added to our own
 */

/**
 * Runs a program whose output the user wants to see, and waits for its end also when we are told to
 * end: whoever called can then clean up behind it.
 * @param {string} program
 * @param {string[]} args
 * @param {Settings} [settings]
 * @returns {Promise<number>} its exit code
 */
export async function show(program, args, settings) {
  const child = start(program, args, "inherit", settings);
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => child.kill(signal);
  // Ctrl-C reaches the child by itself, as part of the terminal's foreground group.
  const wait = () => undefined;
  process.on("SIGTERM", pass).on("SIGINT", wait);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code) => {
        resolve(code ?? 1);
      });
    });
  } finally {
    process.off("SIGTERM", pass).off("SIGINT", wait);
  }
}

/**
 * Runs a program whose output matters only when it fails; then all of it is shown.
 * @param {string} program
 * @param {string[]} args
 * @param {Settings} [settings]
 * @returns {Promise<string>} what it wrote to stdout
 */
export async function quietly(program, args, settings) {
  const { code, stdout, output } = await capture(program, args, settings);
  if (code === 0) return stdout;
  throw new Failure(`\`${[program, ...args].join(" ")}\` failed:\n${output.trim()}`);
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {Settings} [settings]
 * @returns {Promise<boolean>} whether it is there and says that all is well
 */
export async function succeeds(program, args, settings) {
  try {
    return (await capture(program, args, settings)).code === 0;
  } catch {
    return false;
  }
}

/**
 * Ends the process as a command line tool should: 0 or 1, and for what we foresaw, one line.
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
 * @param {Settings} [settings]
 * @returns {Promise<{ code: number | null, stdout: string, output: string }>}
 */
function capture(program, args, settings) {
  return new Promise((resolve, reject) => {
    const child = start(program, args, "pipe", settings);
    let stdout = "";
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      stdout += text;
      output += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, stdout, output });
    });
  });
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {"inherit" | "pipe"} output
 * @param {Settings} [settings]
 */
function start(program, args, output, { cwd = root, env = {} } = {}) {
  return spawn(program, args, {
    cwd,
    stdio: ["ignore", output, output],
    // On Windows pnpm and turbo are .cmd files, which only a shell can start.
    shell: process.platform === "win32",
    env: {
      ...process.env,
      // The tools of this repository come first, pnpm among them, so that nothing need be global.
      PATH: [join(root, "node_modules", ".bin"), process.env["PATH"]].join(delimiter),
      TURBO_TELEMETRY_DISABLED: "1",
      ...env,
    },
  });
}
