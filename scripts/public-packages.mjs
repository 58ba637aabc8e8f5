/** The packages that users install, and their tarballs exactly as `pnpm publish` would make them. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quietly, root } from "./shell.mjs";

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {boolean} [private]
 * @property {string[]} [files]
 * @property {Record<string, string>} [bin]
 * @property {{ access?: string, provenance?: boolean }} [publishConfig]
 * @property {Record<string, string>} [scripts]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 */

/** @returns {{ folder: string, manifest: Manifest }[]} */
export function publicPackages() {
  const parent = join(root, "packages");
  return readdirSync(parent)
    .map((name) => join(parent, name))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => !manifest.private);
}

/**
 * @param {string} folder the package's
 * @param {string} destination
 * @returns {{ tarball: string, files: string[] }}
 */
export function pack(folder, destination) {
  const args = ["pack", "--json", "--pack-destination", destination];
  /** @type {{ filename: string, files: { path: string }[] }} */
  const { filename, files } = JSON.parse(quietly("pnpm", args, folder));
  return { tarball: filename, files: files.map(({ path }) => path) };
}

/**
 * Installs the tarballs of all public libraries in an empty folder, as their users do. Not of programs,
 * which bring clients of their own.
 *
 * @param {string} folder
 * @param {string[]} more packages and flags
 */
export function installPacked(folder, more) {
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const tarballs = publicPackages()
    .filter(({ manifest }) => manifest.bin === undefined)
    .map((found) => pack(found.folder, folder).tarball);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
  quietly("npm", ["install", ...flags, ...tarballs, ...more], folder);
}

/**
 * @param {string} folder
 * @returns {Manifest}
 */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
