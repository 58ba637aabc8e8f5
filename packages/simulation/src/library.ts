import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { jitter, linearBackoff, Locker } from "@redislock/core";
import { QuorumLocker } from "@redislock/core/quorum";

/** As it is. */
export const library = { Locker, QuorumLocker, jitter, linearBackoff };

/** The library, or a copy of it with a bug. */
export type Library = typeof library;

/** Some text, and what is put in its place. */
export type Change = readonly [from: string, to: string];

/** What is changed in a file of the compiled library. */
export interface LibraryBug {
  readonly file: string;
  readonly change: Change;
  /** Another change of the same file. */
  readonly also?: Change;
}

/** Loads a copy of the compiled library with a bug in it. */
export async function buggyLibrary({ file, change, also }: LibraryBug): Promise<Library> {
  const compiled = dirname(createRequire(import.meta.url).resolve("@redislock/core"));
  const folder = await mkdtemp(join(tmpdir(), "buggy-redislock-"));
  try {
    await cp(join(compiled, "../esm"), folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    const path = join(folder, file);
    const text = replaced(await readFile(path, "utf8"), change);
    await writeFile(path, also ? replaced(text, also) : text);
    const load = async (name: string): Promise<object> => {
      const module: unknown = await import(pathToFileURL(join(folder, name)).href);
      return typeof module === "object" && module !== null ? module : {};
    };
    const copy = { ...(await load("index.js")), ...(await load("quorum/index.js")) };
    if (isLibrary(copy)) return copy;
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

function isLibrary(module: object): module is Library {
  return Object.keys(library).every((name) => name in module);
}
