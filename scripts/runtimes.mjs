/**
 * The Nodes that are supported, Bun, Deno and the test runners, each in the one version that
 * `runtimes/pnpm-lock.yaml` names, whatever this machine has. They are a project of their own: who
 * installs the workspace should not have to fetch half a gigabyte.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, quietly, root, say } from "./shell.mjs";

/** The folder whose node_modules holds them. */
export const runtimesFolder = join(root, "scripts/runtimes");

export const nodes = [20, 22, 24, 26];

/**
 * @typedef {object} Runtime
 * @property {string} name with its version
 * @property {string} program
 */

/**
 * Installs what is missing, after saying so.
 * @returns {{ nodes: Runtime[], bun: Runtime, deno: Runtime }}
 */
export function installRuntimes() {
  const command = [
    "pnpm",
    "install",
    "--ignore-workspace",
    "--ignore-scripts",
    "--frozen-lockfile",
  ];
  say(
    `in scripts/runtimes: \`${command.join(" ")}\`, for Node ${nodes.join(", ")}, Bun, Deno, ` +
      "jest and vitest (800 MB on disk, once)",
  );
  const [program = "", ...args] = command;
  quietly(program, args, runtimesFolder);

  const platform = `${process.platform}-${process.arch}`;
  return {
    nodes: nodes.map((major) => runtime("Node", `node-${major}-${platform}`, "bin/node")),
    bun: runtime("Bun", `@oven/bun-${platform.replace("arm64", "aarch64")}`, "bin/bun"),
    deno: runtime("Deno", `@deno/${platform.replace(/^linux.*/, "$&-glibc")}`, "deno"),
  };
}

/**
 * @param {string} name
 * @param {string} packageName
 * @param {string} file
 * @returns {Runtime}
 */
function runtime(name, packageName, file) {
  const folder = join(runtimesFolder, "node_modules", packageName);
  if (!existsSync(join(folder, file))) {
    throw new Failure(`scripts/runtimes/package.json names no ${name} for this platform`);
  }
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { name: `${name} ${version}`, program: join(folder, file) };
}
