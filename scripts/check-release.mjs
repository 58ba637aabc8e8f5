/**
 * Rehearses a release: versions and publishes a copy of this folder, to a registry of its own on
 * 127.0.0.1, installs the packages from there in an empty folder, and runs what docs/getting-started.md
 * shows (`start`), the programs of `consumer/*.ts` and the command line. Nothing leaves this machine, and
 * this folder stays as it is.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { freePort, startProcess, startServer } from "@redislock/test-kit";
import ts from "typescript";
import { clients, consumerFiles, decorators } from "./consumers.mjs";
import { textProblems } from "./packed-text.mjs";
import { publicPackages } from "./public-packages.mjs";
import { Failure, root, runMain, say } from "./shell.mjs";

/** Milliseconds that the registry may take to start. */
const PATIENCE = 60_000;

/** A proxy that nobody is: whoever would publish elsewhere reaches nothing. */
const nowhere = "http://127.0.0.1:9";

/** What has the release's pnpm ask for provenance: it passes over npm's `publishConfig.provenance`. */
const wish = "PNPM_CONFIG_PROVENANCE";

// Nothing is signed or published by a rehearsal, whatever it is started with.
for (const name of Object.keys(process.env)) {
  const isCredential = /^(ACTIONS_ID_TOKEN_|NODE_AUTH_TOKEN$|NPM_TOKEN$)/i.test(name);
  if (isCredential) Reflect.deleteProperty(process.env, name);
}

/** @type {Set<import("@redislock/test-kit").NodeProcess>} */
const running = new Set();
let isTold = false;

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(signal, () => {
    isTold = true;
    for (const child of running) child.kill("SIGTERM");
  });
}

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), "redislock-release-"));
  try {
    const registry = await startRegistry(folder);
    say(`a registry for this rehearsal alone: ${registry.url}, below ${folder}`);
    const versions = await publish(join(folder, "repository"), registry.url);
    const user = join(folder, "user");
    await install(user, registry.url, versions);
    const server = await startServer();
    try {
      await runStarts(user, server.url);
      await runPrograms(user, server.url);
      await runCommandLine(user, server.url, versions);
    } finally {
      await server.stop();
    }
    return 0;
  } finally {
    for (const child of running) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

/**
 * It knows our packages alone, and asks no other registry for anything.
 * @param {string} folder
 */
async function startRegistry(folder) {
  const url = `http://127.0.0.1:${await freePort()}/`;
  const config = join(folder, "registry.json");
  writeFileSync(
    config,
    JSON.stringify({
      storage: join(folder, "storage"),
      listen: url,
      auth: { htpasswd: { file: join(folder, "htpasswd") } },
      uplinks: {},
      packages: { "@redislock/*": { access: "$all", publish: "$all" } },
      web: { enable: false },
      log: { type: "stdout", format: "json", level: "info" },
    }),
  );
  const process = startProcess(join(root, "node_modules/verdaccio/bin/verdaccio"), {
    args: ["--config", config],
    cwd: folder,
  });
  running.add(process);
  await process.waitForLine("http address", { timeout: PATIENCE });
  return { url };
}

/**
 * Does in a copy what the release workflow does here. All that it builds is taken from this folder.
 *
 * @param {string} copy
 * @param {string} registry
 * @returns {Promise<Map<string, string>>} the version of each package that is now to be had
 */
async function publish(copy, registry) {
  say("in a copy of this folder: versions and changelogs of all changesets");
  await copyRepository(copy);
  const pnpm = ["install", "--frozen-lockfile", "--ignore-scripts", "--prefer-offline"];
  await run("pnpm", pnpm, copy);
  await run("pnpm", ["run", "version-packages"], copy);
  for (const { folder } of publicPackages()) {
    const dist = join(folder, "dist");
    cpSync(dist, join(copy, relative(root, dist)), { recursive: true });
  }

  /** @type {Map<string, string>} */
  const versions = new Map();
  for (const { folder } of publicPackages()) {
    const file = join(copy, relative(root, folder), "package.json");
    /** @type {{ name: string, version: string, publishConfig: { registry?: string } }} */
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    if (manifest.publishConfig.registry) {
      throw new Failure(`${manifest.name} names a registry to be published to`);
    }
    versions.set(manifest.name, manifest.version);
  }
  const host = registry.replace("http:", "");
  const npmrc = [
    `registry=${registry}`,
    `@redislock:registry=${registry}`,
    `${host}:_authToken=none`,
  ];
  writeFileSync(join(copy, ".npmrc"), npmrc.join("\n"));
  const env = {
    // Without whatever this machine has to publish with elsewhere.
    HOME: copy,
    NPM_CONFIG_USERCONFIG: join(copy, ".npmrc"),
    npm_config_registry: registry,
    "npm_config_@redislock:registry": registry,
    HTTPS_PROXY: nowhere,
    NO_PROXY: "127.0.0.1",
  };
  await checkProvenance(join(copy, "packages/core"), env);
  say(`published there by \`changeset publish\`: ${versions.size} packages`);
  await run("changeset", ["publish"], copy, env);
  for (const [name, version] of versions) {
    const answer = await fetch(new URL(name, registry));
    /** @type {{ "dist-tags"?: { latest?: string } }} */
    const { "dist-tags": tags } = await answer.json();
    if (tags?.latest !== version) throw new Failure(`${name} ${version} was not published`);
    console.log(`  ${name} ${version}`);
  }
  return versions;
}

/**
 * What was built where is signed with the identity of the CI, which a rehearsal has not: that it is
 * asked for shows in a refusal.
 *
 * @param {string} folder a package's
 * @param {Record<string, string>} env
 */
async function checkProvenance(folder, env) {
  const workflow = readFileSync(join(root, ".github/workflows/release.yml"), "utf8");
  for (const line of [`${wish}: "true"`, "id-token: write"]) {
    if (!workflow.includes(line)) throw new Failure(`release.yml does not say \`${line}\``);
  }
  try {
    await run("pnpm", ["publish", "--no-git-checks"], folder, { ...env, [wish]: "true" });
  } catch (error) {
    if (!/provenance/i.test(String(error))) throw error;
    say("provenance is asked for, and refused to who is no CI");
    return;
  }
  throw new Failure(`with ${wish}, pnpm published something without provenance`);
}

/**
 * The last commit, with what was changed since.
 * @param {string} copy
 */
async function copyRepository(copy) {
  await run("git", ["clone", "--quiet", root, copy], root);
  const changed = ["ls-files", "-z", "--modified", "--others", "--exclude-standard"];
  for (const file of (await run("git", changed, root)).split("\0").filter(Boolean)) {
    rmSync(join(copy, file), { force: true });
    if (!existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
}

/**
 * @param {string} user the folder
 * @param {string} registry
 * @param {Map<string, string>} versions
 */
async function install(user, registry, versions) {
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), '{ "private": true }\n');
  writeFileSync(join(user, ".npmrc"), `@redislock:registry=${registry}\n`);
  const names = [...versions.keys(), ...clients, "vitest@4.1.12"];
  say(`in an empty folder: \`npm install ${names.join(" ")}\``);
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...names], user);

  const problems = [];
  for (const [name, version] of versions) {
    const folder = join(user, "node_modules", name);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
    /** @type {{ version: string }} */
    const installed = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    problems.push(
      ...textProblems(folder, files).map((text) => `${name}: ${text}`),
      ...(installed.version === version ? [] : [`${name} ${installed.version} was installed`]),
      ...(files.includes("CHANGELOG.md") ? [] : [`${name} has no changelog`]),
      ...(files.some((file) => file.startsWith("node_modules/@redislock/"))
        ? [`${name} was given packages of ours for itself alone`]
        : []),
    );
  }
  if (problems.length > 0) throw new Failure(problems.join("\n"));
  console.log("  one of each, with its changelog; no file names this machine or a registry");
}

/**
 * What a new user copies.
 *
 * @param {string} user
 * @param {string} redis
 */
async function runStarts(user, redis) {
  say("the programs of docs/getting-started.md");
  const folder = join(root, "scripts/start");
  for (const name of readdirSync(folder)) cpSync(join(folder, name), join(user, name));
  const nest = ["nest.mts", "nest.cts"].map((name) => transpile(user, join(user, "nest.ts"), name));
  for (const program of ["ioredis.mjs", "node-redis.mjs", ...nest]) {
    const output = await run(process.execPath, [program], user, { REDIS_URL: redis });
    if (!/^paying (invoice|order) 42, with the fencing token \d+$/m.test(output)) {
      throw new Failure(`${program} pays nothing:\n${output}`);
    }
    console.log(`  ${program}`);
  }
  await run("npx", ["vitest", "run"], user);
  console.log("  npx vitest run");
}

/**
 * @param {string} user the folder
 * @param {string} source
 * @param {string} file the name that TypeScript takes for it
 * @returns {string} the name of the program, in that folder
 */
function transpile(user, source, file) {
  const module = ts.ModuleKind.Node16;
  const compilerOptions = { module, target: ts.ScriptTarget.ES2022, ...decorators };
  const options = { fileName: file, compilerOptions };
  const { outputText } = ts.transpileModule(readFileSync(source, "utf8"), options);
  const program = file.replace(/ts$/, "js");
  writeFileSync(join(user, program), outputText);
  return program;
}

/**
 * @param {string} user
 * @param {string} redis
 */
async function runPrograms(user, redis) {
  say("programs of users, as ES modules and as CommonJS");
  for (const { source, file } of consumerFiles()) {
    const program = transpile(user, source, file);
    await run(process.execPath, [program, redis], user);
    console.log(`  ${program}`);
  }
}

/**
 * @param {string} user
 * @param {string} redis
 * @param {Map<string, string>} versions
 */
async function runCommandLine(user, redis, versions) {
  const npx = ["--no", "--", "@redislock/cli"];
  say(`the command line: \`npx ${npx.join(" ")}\``);
  const version = await run("npx", [...npx, "--version"], user);
  if (version.trim() !== versions.get("@redislock/cli")) throw new Failure(`it is ${version}`);
  const command = ["--", process.execPath, "-p", "process.env.REDISLOCK_KEY"];
  const key = await run("npx", [...npx, "run", "consumer", ...command], user, { REDIS_URL: redis });
  if (key.trim() !== "consumer") throw new Failure(`the command was told of the lock "${key}"`);
  console.log(`  ${version.trim()}, and runs a command while holding a lock`);
}

/**
 * Runs a program to its end; its output matters only when it fails.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 * @param {Record<string, string>} [env]
 * @returns {Promise<string>} what it wrote to stdout
 */
async function run(program, args, cwd, env = {}) {
  const [first = "", ...rest] = args;
  const child = startProcess(first, { runtime: [program], args: rest, cwd, env });
  running.add(child);
  const { code, signal } = await child.exited;
  running.delete(child);
  const lines = [];
  for await (const line of child.lines) lines.push(line);
  const output = lines.join("\n");
  if (isTold) throw new Failure("told to end");
  if (code === 0) return output;
  const command = [program, ...args].join(" ");
  throw new Failure(`\`${command}\` ended with ${code ?? signal}:\n${output}\n${child.stderr}`);
}
