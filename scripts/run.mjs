/**
 * `npm test`, `npm run demo` and `npm run check`, on a machine that has Node, npm and perhaps nothing
 * else: whatever set-up is missing is done first.
 */
import { parseArgs } from "node:util";
import { setUp } from "./setup.mjs";
import { Failure, runMain, show } from "./shell.mjs";

/**
 * @typedef {object} Task
 * @property {string} usage
 * @property {string[]} [options] the names of those that it takes, each with a value
 * @property {() => boolean} needsRedis
 * @property {boolean} [needsBrowser]
 * @property {(args: string[]) => Promise<number>} run
 */

const setupHelp = `
What a fresh clone lacks is installed and built first: a redis-server, for tests
a browser, the dependencies, the packages. All commands that this takes are
shown before the first of them runs.

Environment:
  REDIS_SERVER=/path/to/valkey-server   the server to start
                                        (default: redis-server on the PATH)
  CHROMIUM=/path/to/chromium            the browser for tests
                                        (default: one on the PATH)`;

/** @type {Record<string, Task>} */
const tasks = {
  test: {
    usage: `usage: npm test

Every promise, against real servers on free ports; each with one kind of client.
${setupHelp}`,
    needsRedis: () => true,
    needsBrowser: true,
    run: test,
  },

  "test:all": {
    usage: `usage: npm run test:all

The same with every kind of client, and more orders of events: several times as long.
${setupHelp}`,
    needsRedis: () => true,
    needsBrowser: true,
    run: () => {
      process.env["REDISLOCK_TESTS"] = "all";
      return test();
    },
  },

  demo: {
    usage: `usage: npm run demo [-- --sellers=4 --tickets=8 --pause=250 --lease=3000]

Several processes sell a limited stock of tickets: without a lock, with one, and
with one while a seller is killed; then some read prices together while one
changes them. Pause and lease are in milliseconds.
${setupHelp}
  REDIS_URL=redis://localhost:6379      a server that runs, to be used instead`,
    options: ["sellers", "tickets", "pause", "lease"],
    needsRedis: () => !process.env["REDIS_URL"],
    run: (args) => show(process.execPath, ["examples/dist/demo.js", ...args]),
  },

  check: {
    usage: `usage: npm run check

All that must hold besides the tests: lint, format, types, and every "check:…"
of package.json.
${setupHelp}`,
    needsRedis: () => true,
    run: () => {
      const scripts = "/^(lint|format:check|typecheck|check:.+)$/";
      return show("pnpm", ["--no-bail", "--sequential", "run", scripts]);
    },
  },
};

await runMain(() => {
  const [name = "", ...args] = process.argv.slice(2);
  const task = tasks[name];
  if (!task) {
    const names = Object.keys(tasks).join("|");
    throw new Failure(
      `there is no task "${name}"\n\nusage: node scripts/run.mjs ${names} [--help]`,
    );
  }
  if (wantsHelp(task, args)) {
    console.log(task.usage);
    return 0;
  }
  setUp({ redis: task.needsRedis(), browser: task.needsBrowser ?? false });
  return task.run(args);
});

async function test() {
  const built = await show("turbo", ["run", "build", "--output-logs=errors-only"]);
  if (built !== 0) return built;
  return show(process.execPath, ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"]);
}

/**
 * @param {Task} task
 * @param {string[]} args
 * @throws Failure for what the task does not take
 */
function wantsHelp({ usage, options = [] }, args) {
  /** @type {NonNullable<import("node:util").ParseArgsConfig["options"]>} */
  const known = { help: { type: "boolean", short: "h" } };
  for (const option of options) known[option] = { type: "string" };
  try {
    return parseArgs({ args, options: known }).values["help"] === true;
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
