/** Loads TypeScript, without a look at its types, and the harness in place of Jest. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import typescript from "typescript";

const core = join(process.cwd(), "packages/core/src");
/** @type {Readonly<Record<string, string>>} */
const CORE = {
  "@redislock/core": "index.ts",
  "@redislock/core/adapter": "adapter.ts",
  "@redislock/core/quorum": "quorum/index.ts",
};

/**
 * @type {import("node:module").ResolveHook}
 */
export async function resolve(specifier, context, next) {
  if (specifier === "@jest/globals") {
    return { url: new URL("harness.mjs", import.meta.url).href, shortCircuit: true };
  }
  // What other packages test is the core with its mutants, not what was built of it.
  const entry = CORE[specifier];
  if (entry !== undefined && existsSync(join(core, entry)) && context.parentURL?.endsWith(".ts")) {
    return { url: pathToFileURL(join(core, entry)).href, shortCircuit: true };
  }
  // Sources import "./lock.js", as Node will; here the file is still called lock.ts.
  if (specifier.startsWith(".") && context.parentURL?.endsWith(".ts")) {
    const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
    if (existsSync(url)) return { url: url.href, shortCircuit: true };
  }
  return next(specifier, context);
}

/**
 * @type {import("node:module").LoadHook}
 */
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const fileName = fileURLToPath(url);
  const { ModuleKind, ScriptTarget } = typescript;
  const { outputText: source } = typescript.transpileModule(await readFile(fileName, "utf8"), {
    fileName,
    compilerOptions: {
      ...{ module: ModuleKind.ESNext, target: ScriptTarget.ES2022, verbatimModuleSyntax: true },
    },
  });
  return { format: "module", source, shortCircuit: true };
}
