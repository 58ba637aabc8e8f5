/** What a fresh clone lacks: dependencies and a build. Needs nothing but Node and npm. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, quietly, root, say, succeeds } from "./shell.mjs";

/** Installs what the lockfile names and builds every package. Both are quick when nothing changed. */
export async function setUp() {
  if (Number.parseInt(process.versions.node) < 20) {
    throw new Failure(`Node 20 or newer is needed, this is ${process.version}`);
  }
  say("installing dependencies");
  const [program, ...args] = await pnpm();
  await quietly(program, [...args, "install", "--frozen-lockfile"]);
  await build();
}

export async function build() {
  say("building");
  await quietly("turbo", ["run", "build"]);
}

/**
 * The pnpm to install with: one on the PATH of the right major (after the first install, the one in
 * node_modules), else the one that npm fetches into its cache. Nothing is installed globally.
 * @returns {Promise<[string, ...string[]]>}
 */
async function pnpm() {
  /** @type {{ packageManager: string }} */
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wanted = packageManager.replace("pnpm@", "");
  if (await succeeds("pnpm", ["--version"])) {
    const version = await quietly("pnpm", ["--version"]);
    if (Number.parseInt(version) === Number.parseInt(wanted)) return ["pnpm"];
  }
  return ["npx", "--yes", packageManager];
}
