/** The scripts of earlier versions, as they were: `data/scripts-<number>.json`. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import type { Script } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";

/** Scripts by name. What is missing did not exist then. */
export type FrozenScripts = ReadonlyMap<string, Script>;

/** The current scripts, as the text of such a file. */
export function freeze(): string {
  const texts = Object.values(scripts).map(({ name, sha1, source }) => [name, { sha1, source }]);
  return `${JSON.stringify(Object.fromEntries(texts), undefined, 2)}\n`;
}

export async function frozenFile(number: number): Promise<string> {
  return readFile(fileOf(number), "utf8");
}

export function fileOf(number: number): URL {
  return new URL(`../data/scripts-${number}.json`, import.meta.url);
}

/** Reads the text of such a file. */
export function thaw(text: string): FrozenScripts {
  const content: unknown = JSON.parse(text);
  return new Map(
    Object.entries(content ?? {}).map(([name, script]: [string, unknown]) => {
      if (!isText(script)) throw new Error(`${name} is no script`);
      return [name, { name, ...script }];
    }),
  );
}

/** The same scripts with a change of their texts. */
export function rewritten(
  frozen: FrozenScripts,
  change: (script: Script) => string,
): FrozenScripts {
  return new Map(
    [...frozen].map(([name, script]) => {
      const source = change(script);
      return [name, { name, source, sha1: sha1Of(source) }];
    }),
  );
}

export function sha1Of(source: string): string {
  return createHash("sha1").update(source).digest("hex");
}

function isText(script: unknown): script is Omit<Script, "name"> {
  return (
    typeof script === "object" &&
    script !== null &&
    "sha1" in script &&
    "source" in script &&
    typeof script.sha1 === "string" &&
    typeof script.source === "string"
  );
}
