/**
 * Makes packages/core/src/lua/scripts.generated.ts from the `.lua` files beside it: texts with their
 * includes, without comments and indentation, and the SHA-1 by which Redis knows them. A script that
 * says `@many` exists twice, for one command and for many at once. Checks grammar and names on the way.
 *
 * Without `--write` it only says whether the file is as it would be made.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import prettier from "prettier";
import { Failure, root, runMain } from "./shell.mjs";

/** @type {{ parse(source: string, options: object): { globals: { name: string }[] } }} */
const luaparse = createRequire(import.meta.url)("luaparse");

const folder = join(root, "packages/core/src/lua");
const target = join(folder, "scripts.generated.ts");

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

await runMain(async () => {
  const text = await generated();
  if (process.argv.includes("--write")) {
    writeFileSync(target, text);
    return 0;
  }
  if (readFileSync(target, "utf8") === text) return 0;
  throw new Failure("scripts.generated.ts is not what the .lua files say: run `pnpm generate:lua`");
});

async function generated() {
  /** @type {string[]} */
  const names = [];
  /** @type {string[]} */
  const scripts = [];
  /** @type {(name: string, source: string) => void} */
  const add = (name, source) => {
    names.push(name);
    scripts.push(entry(name, source));
  };
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".lua"))) {
    const name = file
      .slice(0, -4)
      .replace(/-(\w)/g, (_, /** @type {string} */ letter) => letter.toUpperCase());
    const path = join(folder, file);
    const body = expand(path);
    add(name, body + include("once"));
    if (readFileSync(path, "utf8").includes("\n-- @many\n")) {
      add(`${name}Many`, body + include("many"));
    }
  }
  const text = `
/** Made from the .lua files beside it by \`pnpm generate:lua\`: read those. */
import type { Script } from "../redis/client.js";

export type ScriptName = ${names.map((name) => JSON.stringify(name)).join(" | ")};

export const scripts: Readonly<Record<ScriptName, Script>> = {
${scripts.join("\n")}
};
`;
  const options = await prettier.resolveConfig(target);
  return prettier.format(text, { ...options, parser: "typescript" });
}

/**
 * @param {string} name
 * @param {string} source
 */
function entry(name, source) {
  checkNames(name, source);
  const sha1 = createHash("sha1").update(source).digest("hex");
  return `${name}: ${JSON.stringify({ name, sha1, source })},`;
}

/** @param {string} name */
function include(name) {
  return expand(join(folder, "include", `${name}.lua`));
}

/**
 * The text of a file with what it includes, without comments and indentation: parsing is paid for by
 * each server, and none of our strings spans lines.
 *
 * @param {string} path
 * @returns {string}
 */
function expand(path) {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines
    .map((line) => {
      const code = line.trim();
      const [, included] = /^-- @include ([\w-]+)$/.exec(code) ?? [];
      if (included !== undefined) return include(included);
      return code === "" || code.startsWith("--") ? "" : `${code}\n`;
    })
    .join("");
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
