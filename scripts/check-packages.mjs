/** Checks the tarballs of the public packages: what is in them, and that their types resolve. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import ts from "typescript";
import { pack, publicPackages } from "./public-packages.mjs";
import { quietly, runMain } from "./shell.mjs";

/** Nothing else may reach a user's disk. */
const expected = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^src\/([\w-]+\/)*[\w.-]+\.(ts|lua)$/,
  /^dist\/(esm|cjs)\/([\w-]+\/)*[\w.-]+\.(js|d\.ts)(\.map)?$/,
  /^dist\/cjs\/package\.json$/,
  /^dashboards\/[\w-]+\.json$/,
];

const required = ["README.md", "LICENSE"];

/** What programs import, by either module system. */
const library = ["dist/esm/index.js", "dist/cjs/index.js"];

/** A program that is started by name, and imported by nobody: ES modules alone, and no declarations. */
const program = [
  /^dist\/([\w-]+\/)*[\w.-]+\.js(\.map)?$/,
  // A page that it serves.
  /^(src|dist)\/page\/browser\/[\w-]+\.(tsx|css|svg)$/,
];

/** Scripts that npm runs on a user's machine. */
const installScripts = ["preinstall", "install", "postinstall", "prepare"];

/** By which a package is found, trusted and asked about. */
const fields = [
  ...["description", "keywords", "homepage", "bugs", "repository", "license", "author"],
  ...["engines", "files"],
];

await runMain(() => {
  const temp = mkdtempSync(join(tmpdir(), "redislock-packages-"));
  let problems = 0;
  try {
    for (const found of publicPackages()) {
      const complaints = check(found, temp);
      problems += complaints.length;
      const { name } = found.manifest;
      console.log(complaints.length === 0 ? `${name}: as it should be` : `${name}:`);
      for (const complaint of complaints) console.log(`  ${complaint.replaceAll("\n", "\n  ")}`);
    }
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
  return problems === 0 ? 0 : 1;
});

/**
 * @param {ReturnType<typeof publicPackages>[number]} found
 * @param {string} temp
 * @returns {string[]} what is wrong
 */
function check({ folder, manifest }, temp) {
  const { tarball, files } = pack(folder, temp);
  return [
    ...manifestProblems(manifest),
    ...fileProblems(files, manifest.bin),
    ...linkProblems(readFileSync(join(folder, "README.md"), "utf8")),
    ...(manifest.name === "@redislock/core" ? coreProblems(folder, manifest, files) : []),
    ...verdict("publint", ["run", "--strict", tarball]),
    // Types are for who imports.
    ...(manifest.bin ? [] : verdict("attw", ["--no-emoji", "--format", "ascii", tarball])),
  ];
}

/** @param {import("./public-packages.mjs").Manifest} manifest */
function manifestProblems(manifest) {
  const { publishConfig, scripts = {} } = manifest;
  const problems = installScripts
    .filter((name) => name in scripts)
    .map((name) => `has the install script "${name}"`);
  for (const field of fields) {
    if (!(field in manifest)) problems.push(`package.json has no "${field}"`);
  }
  if (publishConfig?.access !== "public") problems.push("publishConfig.access is not public");
  if (publishConfig?.provenance !== true) problems.push("publishConfig.provenance is not true");
  return problems;
}

/**
 * @param {string[]} files
 * @param {Record<string, string> | undefined} bin
 */
function fileProblems(files, bin) {
  const allowed = bin ? [...expected.slice(0, 2), ...program] : expected;
  const needed = bin ? Object.values(bin).map((path) => posix.normalize(path)) : library;
  return [
    ...files
      .filter((file) => !allowed.some((pattern) => pattern.test(file)))
      .map((file) => `contains ${file}, which was not expected`),
    ...[...required, ...needed]
      .filter((file) => !files.includes(file))
      .map((file) => `lacks ${file}`),
  ];
}

/**
 * A README is read where the packages are, too, and there only whole addresses lead anywhere.
 * @param {string} readme
 */
function linkProblems(readme) {
  return [...readme.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^(https:|#)/.test(target))
    .map((target) => `README.md links to ${target}, which is not there for who reads it elsewhere`);
}

/**
 * Core must run wherever JavaScript does, with nothing beside it.
 * @param {string} folder
 * @param {import("./public-packages.mjs").Manifest} manifest
 * @param {string[]} files
 */
function coreProblems(folder, manifest, files) {
  const problems = [];
  for (const kind of /** @type {const} */ ([
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
  ])) {
    if (Object.keys(manifest[kind] ?? {}).length > 0) problems.push(`has ${kind}`);
  }
  for (const file of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
    const code = readFileSync(join(folder, file), "utf8");
    // TypeScript's own scanner knows an import from one that only a comment speaks of.
    const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(code, true, true);
    for (const { fileName } of [...importedFiles, ...typeReferenceDirectives]) {
      const target = posix.join(posix.dirname(file), fileName);
      const isOurs = fileName.startsWith(".") && files.includes(target);
      if (!isOurs) problems.push(`${file} refers to "${fileName}", which is not in the package`);
    }
  }
  return problems;
}

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {string[]} what it has to say, if anything
 */
function verdict(program, args) {
  try {
    quietly(program, args);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
