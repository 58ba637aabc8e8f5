/**
 * Runs programs and tests as users write them on every runtime that is supported, as ES modules and
 * as CommonJS, with the packed packages: whoever awaits a call of ours gets the answer, and a process
 * that awaits nothing is kept alive by nothing of ours.
 *
 * With an argument, only the cases whose names hold it: `pnpm check:runtimes "Node 20"`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess, startServer } from "@redislock/test-kit";
import { installPacked } from "./public-packages.mjs";
import { installRuntimes, runtimesFolder } from "./runtimes.mjs";
import { serveHttp } from "./runtimes/http-endpoint.mjs";
import { Failure, quietly, root, runMain, say } from "./shell.mjs";

/** Milliseconds after which a process counts as one that hangs. Most take two or three seconds. */
const PATIENCE = 30_000;
/** Processes at the same time, which wait for most of it. */
const AT_ONCE = 6;

/** What is written as TypeScript is run as both. */
const kinds = /** @type {const} */ ({
  "ES module": { folder: "esm", type: "module", extension: "mjs" },
  CommonJS: { folder: "cjs", type: "commonjs", extension: "cjs" },
});

/** See `runtimes/programs/clients.ts`. */
const clients = ["memory", "http", "ioredis", "ioredis-unref", "node-redis", "node-redis-unref"];

/** What a program writes, see `runtimes/programs/program.ts`. */
const programs = {
  awaits: [
    "obtain: a lock",
    "tryObtain: null",
    "obtain, wait, in vain: NOT_OBTAINED",
    "using, wait, in vain: NOT_OBTAINED",
    "obtain, retry, in vain: NOT_OBTAINED",
    "using, wait: used",
    "using, retry: used",
    "lock.refresh: undefined",
    "lock.ttl: true",
    "lock.release: undefined",
    "inspect: true",
    "forceRelease: true",
    "close: undefined",
    "obtain, wait, at the close: CLOSED",
    "done",
  ],
  holds: ["done"],
};

/** What the tests write at their ends, see `runtimes/programs/tests.ts`. */
const tests = ["waited", "polled", "used", "imported"];

/** Without `--node-modules-dir`, Deno looks for packages in its own cache. */
const denoFlags = ["--allow-all", "--no-check", "--node-modules-dir=manual"];

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {readonly [program: string, ...args: string[]]} runtime
 * @property {string} file
 * @property {readonly string[]} args
 * @property {readonly string[]} lines what it should write: to its standard output, or
 * @property {string} [report] into this file
 */

await runMain(async () => {
  const runtimes = installRuntimes();
  const { nodes, bun, deno } = runtimes;
  const folder = mkdtempSync(join(tmpdir(), "redislock-runtimes-"));
  try {
    install(folder);
    compile(folder);
    const server = await startServer();
    // The conformance kit forgets scripts and cuts connections.
    const serverOfKit = await startServer();
    const http = await serveHttp(server);
    try {
      const urls = [server.url, http.url];
      return await runAll(folder, [
        ...nodes.flatMap((node) => [nodeTest, jest, vitest].map((of) => of(node, folder))),
        bunTest(bun, folder),
        denoTest(deno, folder),
        ...[...nodes, bun].flatMap(({ name, program }) => casesOf(name, [program], folder, urls)),
        ...casesOf(deno.name, [deno.program, "run", ...denoFlags], folder, urls),
        {
          name: `${bun.name}, the adapter for its own client`,
          runtime: [bun.program],
          file: join(root, "examples/test/bun/conformance.mjs"),
          args: [serverOfKit.url],
          lines: ["the adapter conforms"],
        },
      ]);
    } finally {
      await http.close();
      await serverOfKit.stop();
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * The packages as their users get them, with the clients of the lockfile beside them.
 * @param {string} folder
 */
function install(folder) {
  installPacked(folder, ["--legacy-peer-deps"]); // The clients are not to be fetched once more.
  for (const name of ["ioredis", "redis"]) {
    symlinkSync(join(runtimesFolder, "node_modules", name), join(folder, "node_modules", name));
  }
}

/**
 * Compiles the programs as both kinds, against the packed declarations.
 * @param {string} folder
 */
function compile(folder) {
  for (const kind of Object.values(kinds)) {
    cpSync(join(runtimesFolder, "programs"), join(folder, kind.folder), { recursive: true });
    writeFileSync(join(folder, kind.folder, "package.json"), JSON.stringify({ type: kind.type }));
  }
  const compilerOptions = {
    strict: true,
    target: "ES2022",
    module: "node16",
    skipLibCheck: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
  };
  const include = ["esm", "cjs"];
  const exclude = ["esm/main.cts", "cjs/main.mts"];
  const config = join(folder, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ compilerOptions, include, exclude }));
  quietly("tsc", ["--project", config]);
}

/**
 * @param {string} name
 * @param {Case["runtime"]} runtime
 * @param {string} folder
 * @param {readonly string[]} urls
 * @returns {Case[]}
 */
function casesOf(name, runtime, folder, urls) {
  return Object.entries(kinds).flatMap(([kind, { folder: below, extension }]) =>
    Object.entries(programs).flatMap(([what, lines]) =>
      clients.map((client) => ({
        name: `${name}, ${kind}, a program that only ${what}, ${client}`,
        runtime,
        file: join(folder, below, `main.${extension}`),
        args: [what, client, ...urls],
        lines,
      })),
    ),
  );
}

/** @typedef {(runtime: import("./runtimes.mjs").Runtime, folder: string) => Case} TestCase */

/** @type {TestCase} */
function nodeTest({ name, program }, folder) {
  const suite = writeTests(folder, `${name}, node:test`, "node:test", both(["node"]));
  const [file = "", ...args] = suite.files;
  return { ...suite, runtime: [program, "--test"], file, args };
}

/** @type {TestCase} */
function jest({ name, program }, folder) {
  const suite = writeTests(folder, `${name}, jest`, undefined, both(["node", "jsdom"]));
  const config = {
    rootDir: suite.folder,
    testMatch: ["**/*.test.{mjs,cjs}"],
    transform: {},
    cacheDirectory: join(suite.folder, "cache"),
  };
  return {
    ...suite,
    runtime: [program, "--experimental-vm-modules"],
    file: join(runtimesFolder, "node_modules/jest/bin/jest.js"),
    args: ["--runInBand", "--config", JSON.stringify(config)],
  };
}

/** @type {TestCase} */
function vitest({ name, program }, folder) {
  const files = ["node", "jsdom", "happy-dom"].map((environment) => ({
    kind: kinds["ES module"],
    environment,
  }));
  const suite = writeTests(folder, `${name}, vitest`, undefined, files);
  return {
    ...suite,
    runtime: [program],
    file: join(runtimesFolder, "node_modules/vitest/vitest.mjs"),
    args: ["run", "--root", suite.folder, "--globals"],
  };
}

/** @type {TestCase} */
function bunTest({ name, program }, folder) {
  const suite = writeTests(folder, `${name}, its own tests`, "bun:test", both(["node"]));
  const [file = "", ...args] = suite.files;
  return { ...suite, runtime: [program, "test"], file, args };
}

/** @type {TestCase} */
function denoTest({ name, program }, folder) {
  const files = both(["node"]).filter(({ kind }) => kind.type === "module");
  const suite = writeTests(folder, `${name}, its own tests`, "deno", files);
  const [file = "", ...args] = suite.files;
  return { ...suite, runtime: [program, "test", ...denoFlags], file, args };
}

/** @param {readonly string[]} environments */
function both(environments) {
  return Object.values(kinds).flatMap((kind) =>
    environments.map((environment) => ({ kind, environment })),
  );
}

/**
 * Writes the files of one runner's tests, which only call those of `runtimes/programs/tests.ts`.
 *
 * @param {string} folder
 * @param {string} name
 * @param {string | undefined} from where `test` comes from; it is global without
 * @param {{ kind: (typeof kinds)[keyof typeof kinds], environment: string }[]} wanted
 */
function writeTests(folder, name, from, wanted) {
  const own = join(folder, "tests", name.replaceAll(/\W+/g, "-"));
  const report = join(own, "report.txt");
  mkdirSync(own, { recursive: true });
  writeFileSync(report, "");
  /** @type {string[]} */
  const files = [];
  /** @type {string[]} */
  const lines = [];
  for (const { kind, environment } of wanted) {
    const label = `${kind.folder} ${environment}`;
    const source = `../../${kind.folder}/tests.js`;
    const isModule = kind.type === "module";
    const imported = (/** @type {string} */ what, /** @type {string} */ where) =>
      isModule ? `import ${what} from "${where}";` : `const ${what} = require("${where}");`;
    const file = join(own, `${label.replace(" ", "-")}.test.${kind.extension}`);
    writeFileSync(
      file,
      [
        `/** @jest-environment ${environment}\n * @vitest-environment ${environment} */`,
        imported("{ define }", source),
        from === "deno" ? "const { test } = Deno;" : from ? imported("{ test }", from) : "",
        `define(test, ${JSON.stringify(report)}, ${JSON.stringify(label)});`,
      ].join("\n"),
    );
    files.push(file);
    lines.push(...tests.map((what) => `${label}: ${what}`));
  }
  return { name, folder: own, report, files, lines };
}

/**
 * @param {string} folder
 * @param {readonly Case[]} all
 * @returns {Promise<number>} the exit code
 */
async function runAll(folder, all) {
  const [part = ""] = process.argv.slice(2);
  const cases = all.filter(({ name }) => name.includes(part));
  if (cases.length === 0) throw new Failure(`no case is called "${part}", as "${all[0]?.name}" is`);
  say(`${cases.length} cases, ${AT_ONCE} at a time`);
  const queue = [...cases];
  let failed = 0;
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const complaint = await run(next, folder);
      if (complaint === undefined) continue;
      failed += 1;
      console.log(`${next.name}: ${complaint.replaceAll("\n", "\n  ")}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const name of new Set(cases.map((one) => one.name.split(",", 1)[0]))) {
    const own = cases.filter((one) => one.name.startsWith(`${name},`));
    console.log(`${name}: ${own.length} cases`);
  }
  console.log(`${cases.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/**
 * @param {Case} one
 * @param {string} folder
 * @returns {Promise<string | undefined>} what is wrong
 */
async function run({ runtime, file, args, lines: wanted, report }, folder) {
  const child = startProcess(file, { runtime, args, cwd: folder });
  let hangs = false;
  const patience = setTimeout(() => {
    hangs = true;
    child.kill();
  }, PATIENCE);
  const { code, signal } = await child.exited;
  clearTimeout(patience);

  const output = [];
  for await (const line of child.lines) output.push(line);
  const written = report ? (await readFile(report, "utf8")).trim().split("\n") : output;
  const missing = wanted.filter((line) => !written.includes(line));
  if (code === 0 && missing.length === 0) return undefined;
  const end = hangs ? "does not end" : `ended with ${code ?? signal}`;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
  const rest = missing.length > 0 ? `, without the line "${missing[0]}"${more}` : "";
  return [`${end}${rest}`, ...output.slice(-40), child.stderr.slice(-4_000)].join("\n").trim();
}
