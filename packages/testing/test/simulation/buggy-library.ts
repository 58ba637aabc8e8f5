import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { type Bug, replaced } from "./bugs.js";
import type { Library } from "./world.js";

/** Loads a copy of the compiled library with a bug in it. */
export async function buggyLibrary({
  file,
  change,
}: NonNullable<Bug["library"]>): Promise<Library> {
  const compiled = dirname(createRequire(import.meta.url).resolve("@redislock/core"));
  const folder = await mkdtemp(join(tmpdir(), "buggy-redislock-"));
  try {
    await cp(join(compiled, "../esm"), folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const path = join(folder, file);
    await writeFile(path, replaced(await readFile(path, "utf8"), change));
    const module: unknown = await import(pathToFileURL(join(folder, "index.js")).href);
    if (isLibrary(module)) return module;
    throw new Error("the copy of the library is none");
  } finally {
    await rm(folder, { recursive: true });
  }
}

function isLibrary(module: unknown): module is Library {
  return typeof module === "object" && module !== null && "Locker" in module && "jitter" in module;
}
