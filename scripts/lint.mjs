/**
 * Lints the repository, one folder after the other: types are looked up for each rule, and those of all
 * packages at once take more memory than Node gives a process.
 *
 *   lint.mjs [--fix]
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { root, runMain, show } from "./shell.mjs";

await runMain(async () => {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  const options = ["--max-warnings=0", ...process.argv.slice(2)];
  let worst = 0;
  for (const folder of [...packages, "examples", "scripts"]) {
    worst = Math.max(worst, await show("eslint", [folder, ...options]));
  }
  // What lies outside of them.
  const ignored = ["packages", "examples", "scripts"].flatMap((folder) => [
    "--ignore-pattern",
    `${folder}/**`,
  ]);
  return Math.max(worst, await show("eslint", [".", ...ignored, ...options]));
});
