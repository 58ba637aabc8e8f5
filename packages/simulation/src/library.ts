import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import type * as Core from "@redislock/core";

/** The library, or a copy of it with a bug. */
export type Library = Pick<typeof Core, "Locker" | "jitter" | "linearBackoff">;

/** Some text, and what is put in its place. */
export type Change = readonly [from: string, to: string];

/** What is changed in a file of the compiled library. */
export interface LibraryBug {
  readonly file: string;
  readonly change: Change;
}

/** Loads a copy of the compiled library with a bug in it. */
export async function buggyLibrary({ file, change }: LibraryBug): Promise<Library> {
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

/** A change that does not apply any more would prove nothing. */
export function replaced(text: string, [from, to]: Change): string {
  if (text.includes(from)) return text.replace(from, to);
  throw new Error(`cannot plant the bug: there is no "${from}"`);
}

function isLibrary(module: unknown): module is Library {
  return typeof module === "object" && module !== null && "Locker" in module && "jitter" in module;
}
