/** What a fresh clone lacks, and the commands that bring it. Needs nothing but Node and npm. */
import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Failure, quietly, root, say, succeeds } from "./shell.mjs";

/**
 * @typedef {object} Step
 * @property {string} brings
 * @property {[string, ...string[]]} command
 */

const debianInstaller = join(root, "scripts/install-redis-debian.sh");

/** @type {string[]} */
const browsers = JSON.parse(readFileSync(join(root, "scripts/browsers.json"), "utf8"));

/**
 * Does what is missing, after saying all that it is going to do.
 *
 * @param {{ redis: boolean, browser: boolean }} needs
 * @throws Failure before anything is done, if any of it cannot work
 */
export function setUp({ redis, browser }) {
  if (Number.parseInt(process.versions.node) < 20) {
    throw new Failure(`Node 20 or newer is needed, this is ${process.version}`);
  }
  /** @type {Step[]} */
  const steps = [
    ...(redis ? redisSteps() : []),
    ...(browser ? browserSteps() : []),
    {
      brings: "dependencies, into node_modules",
      command: [...pnpm(), "install", "--frozen-lockfile"],
    },
    { brings: "a build of every package", command: ["turbo", "run", "build"] },
  ];
  say("what is missing of these is set up first:");
  for (const { brings, command } of steps) console.log(`  ${brings}: \`${command.join(" ")}\``);
  for (const { command } of steps) {
    say(`running \`${command.join(" ")}\``);
    const [program, ...args] = command;
    quietly(program, args);
  }
  if (redis && !isRedisThere()) throw new Failure(redisAdvice());
  if (browser && !isBrowserThere()) throw new Failure(browserAdvice());
}

/**
 * The pnpm to install with: one on the PATH of the right major (after the first install, the one in
 * node_modules), else the one that npm fetches into its cache. Nothing is installed globally.
 *
 * @returns {[string, ...string[]]}
 */
function pnpm() {
  /** @type {{ packageManager: string }} */
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wanted = Number.parseInt(packageManager.replace("pnpm@", ""));
  const isThere = succeeds("pnpm", ["--version"]);
  if (isThere && Number.parseInt(quietly("pnpm", ["--version"])) === wanted) return ["pnpm"];
  return ["npx", "--yes", packageManager];
}

/** @returns {Step[]} none if a redis-server is there */
function redisSteps() {
  const chosen = process.env["REDIS_SERVER"];
  // Tests run in folders of their own, where a relative path would lead elsewhere.
  if (chosen && chosen !== basename(chosen)) process.env["REDIS_SERVER"] = resolve(chosen);
  if (isRedisThere()) return [];
  const command = chosen ? undefined : redisInstaller();
  if (command) return [{ brings: "redis-server and redis-cli", command }];
  throw new Failure(redisAdvice());
}

function isRedisThere() {
  return succeeds(server(), ["--version"]) && succeeds(client(), ["--version"]);
}

/** @returns {Step["command"] | undefined} what installs it without asking for a password, if we know */
function redisInstaller() {
  if (process.platform === "darwin" && succeeds("brew", ["--version"])) {
    return ["brew", "install", "redis"];
  }
  if (!succeeds("apt-get", ["--version"])) return undefined;
  if (process.getuid?.() === 0) return ["sh", debianInstaller];
  return succeeds("sudo", ["-n", "true"]) ? ["sudo", "-n", "sh", debianInstaller] : undefined;
}

/** @returns {string} */
function redisAdvice() {
  const other =
    "REDIS_SERVER=/path/to/redis-server names one that is elsewhere, redis-cli beside it.";
  if (process.env["REDIS_SERVER"]) {
    return `REDIS_SERVER: ${server()} or ${client()} cannot be started.\n${other}`;
  }
  const missing = "redis-server and redis-cli are needed, and not there.";
  if (!succeeds("apt-get", ["--version"])) return `${missing} Install Redis or Valkey.\n${other}`;
  const command = succeeds("sudo", ["--version"])
    ? `sudo sh '${debianInstaller}'`
    : `su -c "sh '${debianInstaller}'"`;
  return `${missing} To install them takes root:\n\n  ${command}\n\n${other}`;
}

function server() {
  return process.env["REDIS_SERVER"] || "redis-server";
}

/** The one that lies beside the server: `valkey-cli` beside `valkey-server`. */
function client() {
  return join(dirname(server()), basename(server()).replace("-server", "-cli"));
}

/** @returns {Step[]} none if a browser is there, in which the page is tested */
function browserSteps() {
  if (isBrowserThere()) return [];
  const command = process.env["CHROMIUM"] ? undefined : browserInstaller();
  if (command) return [{ brings: "chromium", command }];
  throw new Failure(browserAdvice());
}

function isBrowserThere() {
  const chosen = process.env["CHROMIUM"];
  return (chosen ? [chosen] : browsers).some((name) => succeeds(name, ["--version"]));
}

/** @returns {Step["command"] | undefined} */
function browserInstaller() {
  if (process.platform === "darwin" && succeeds("brew", ["--version"])) {
    return ["brew", "install", "--cask", "google-chrome"];
  }
  if (!succeeds("apt-get", ["--version"])) return undefined;
  const install = "apt-get update -qq && apt-get install -qq --no-install-recommends chromium";
  if (process.getuid?.() === 0) return ["sh", "-c", install];
  return succeeds("sudo", ["-n", "true"]) ? ["sudo", "-n", "sh", "-c", install] : undefined;
}

/** @returns {string} */
function browserAdvice() {
  return (
    "Chromium or Chrome is needed, in which the page of `redislock page` is tested.\n" +
    "Install it; CHROMIUM=/path/to/chromium names one that is elsewhere."
  );
}
