/**
 * Makes packages/core/src/lua/scripts.generated.ts from the `.lua` files beside it: texts with their
 * includes, without comments and indentation, and the SHA-1 by which Redis knows them. A script that
 * says `@many` exists twice, for one command and for many at once. Checks grammar and names on the way.
 * Those of the quorum, in a folder below, are made into a file of their own: most users load none of it.
 *
 * Without `--write` it only says whether the files are as they would be made.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import prettier from "prettier";
import { Failure, root, runMain } from "./shell.mjs";

/** @type {{ parse(source: string, options: object): { globals: { name: string }[] } }} */
const luaparse = createRequire(import.meta.url)("luaparse");

const folder = join(root, "packages/core/src/lua");
const target = join(folder, "scripts.generated.ts");
const quorumTarget = join(folder, "quorum", "scripts.generated.ts");

/**
 * The grammar of Lua 5.1, and which names are not local. The package has no types.
 *
 * @type {(source: string) => { globals: { name: string }[] }}
 */
const parse = (source) => luaparse.parse(source, { luaVersion: "5.1", scope: true });

/** All that Redis gives to a script and that ours use. */
const globals = new Set([
  ...["KEYS", "ARGV", "redis", "math", "string", "table"],
  ...["pcall", "tonumber", "type", "unpack"],
]);

/** @typedef {{ name: string, sha1: string, source: string, parts: readonly string[] }} Script */

/** Where the scripts are that a quorum has besides. */
export const QUORUM = "quorum/";

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const files = luaFiles();
    const scripts = scriptsOf(files);
    const texts = new Map([
      [target, await formatted(scriptsText(scripts))],
      [quorumTarget, await formatted(quorumText(scriptsOf(files, QUORUM), scripts))],
    ]);
    for (const [file, text] of texts) {
      if (process.argv.includes("--write")) writeFileSync(file, text);
      else if (readFileSync(file, "utf8") !== text) {
        throw new Failure(
          `${relative(root, file)} is not what the .lua files say: run \`pnpm generate:lua\``,
        );
      }
    }
    return 0;
  });
}

/** @returns {Map<string, string>} the texts of all `.lua` files, by names like `include/serve.lua` */
export function luaFiles() {
  const names = ["", "include/", QUORUM].flatMap((below) =>
    readdirSync(join(folder, below))
      .filter((name) => name.endsWith(".lua"))
      .map((name) => below + name),
  );
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/**
 * @param {ReadonlyMap<string, string>} files as of {@link luaFiles}
 * @param {string} below their folder: "" for those of every lock, or {@link QUORUM}
 * @returns {Script[]}
 */
export function scriptsOf(files, below = "") {
  /** @type {Script[]} */
  const scripts = [];
  /** @type {(name: string, parts: string[]) => void} */
  const add = (name, parts) => {
    const source = parts.join("");
    checkNames(name, source);
    scripts.push({ name, sha1: createHash("sha1").update(source).digest("hex"), source, parts });
  };
  for (const [file, text] of files) {
    if (!file.startsWith(below) || file.slice(below.length).includes("/")) continue;
    const name = file
      .slice(below.length, -4)
      .replace(/-(\w)/g, (_, /** @type {string} */ letter) => letter.toUpperCase());
    const body = expand(files, file);
    add(name, [...body, ...expand(files, "include/once.lua")]);
    if (!text.includes("\n-- @many\n")) continue;
    add(`${name}Many`, [...body, ...expand(files, "include/many.lua")]);
  }
  return scripts;
}

/**
 * Each part of a text stands there once, for most are in several scripts.
 *
 * @param {readonly Script[]} scripts
 * @returns {string} the TypeScript that holds them
 */
export function scriptsText(scripts) {
  const parts = [...new Set(scripts.flatMap((script) => script.parts))];
  const entries = scripts.map(({ name, sha1, parts: own }) => {
    const source = own.map((part) => parts.indexOf(part)).join(", ");
    return `${name}: { name: ${JSON.stringify(name)}, sha1: "${sha1}", source: text(${source}) },`;
  });
  return `
/** Made from the .lua files beside it by \`pnpm generate:lua\`: read those. */
import type { Script } from "../redis/client.js";

/** The names of the scripts of every lock. */
export type ScriptName = ${scripts.map(({ name }) => JSON.stringify(name)).join(" | ")};

/** What scripts consist of: most have some in common. */
export const parts: readonly string[] = ${JSON.stringify(parts)};

function text(...numbers: readonly number[]): string {
  return numbers.map((number) => parts[number]).join("");
}

/** The scripts of every lock. */
export const scripts: Readonly<Record<ScriptName, Script>> = {
${entries.join("\n")}
};
`;
}

/**
 * @param {readonly Script[]} scripts those of the quorum
 * @param {readonly Script[]} others whose parts are there already
 * @returns {string} the TypeScript that holds them
 */
export function quorumText(scripts, others) {
  const known = [...new Set(others.flatMap((script) => script.parts))];
  const entries = scripts.map(({ name, sha1, parts }) => {
    const source = parts
      .map((part) =>
        known.includes(part) ? `parts[${known.indexOf(part)}]` : JSON.stringify(part),
      )
      .join(", ");
    return `${name}: { name: ${JSON.stringify(name)}, sha1: "${sha1}", source: [${source}].join("") },`;
  });
  return `
/** Made from the .lua files beside it by \`pnpm generate:lua\`: read those. */
import type { Script } from "../../redis/client.js";
import { parts } from "../scripts.generated.js";

/** The names of the scripts that a quorum has besides. */
export type QuorumScriptName = ${scripts.map(({ name }) => JSON.stringify(name)).join(" | ")};

/** The scripts that a quorum has besides those of every lock. */
export const quorumScripts: Readonly<Record<QuorumScriptName, Script>> = {
${entries.join("\n")}
};
`;
}

/** @param {string} text */
async function formatted(text) {
  const options = await prettier.resolveConfig(target);
  return prettier.format(text, { ...options, parser: "typescript" });
}

/**
 * The text of a file with what it includes, in parts, without comments and indentation: parsing is paid
 * for by each server, and none of our strings spans lines.
 *
 * @param {ReadonlyMap<string, string>} files
 * @param {string} file
 * @returns {string[]}
 */
function expand(files, file) {
  const text = files.get(file);
  if (text === undefined) throw new Failure(`there is no ${file} to include`);
  /** @type {string[]} */
  const parts = [];
  let own = "";
  for (const line of text.split("\n")) {
    const code = line.trim();
    const [, up, included] = /^-- @include (\.\.\/)?([\w-]+)$/.exec(code) ?? [];
    if (included !== undefined) {
      const from = up === undefined ? "include/" : "";
      parts.push(own, ...expand(files, `${from}${included}.lua`));
      own = "";
    } else if (code !== "" && !code.startsWith("--")) {
      own += `${code}\n`;
    }
  }
  return [...parts, own].filter((part) => part !== "");
}

/**
 * Fails for what is no Lua 5.1, and for a name that is neither local nor one of Redis'.
 *
 * @param {string} name
 * @param {string} source
 */
function checkNames(name, source) {
  const { globals: used } = parse(source);
  for (const { name: global } of used) {
    if (!globals.has(global)) throw new Failure(`${name}: ${global} is neither local nor Redis'`);
  }
}
