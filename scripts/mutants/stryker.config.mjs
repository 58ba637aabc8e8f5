/**
 * For the package that `MUTANTS_PACKAGE` names, or those of its files that `MUTANTS_FILES` lists; with
 * the test files whose names hold `MUTANTS_TESTS`, or all.
 */
import { fileURLToPath } from "node:url";

const name = process.env["MUTANTS_PACKAGE"] ?? "core";
const folder = `packages/${name}`;
const files = (process.env["MUTANTS_FILES"] ?? "").split(",").filter(Boolean);

export default {
  packageManager: "pnpm",
  plugins: [fileURLToPath(new URL("runner.mjs", import.meta.url))],
  // The scripts have mutants of their own.
  mutate: files.length > 0 ? files : [`${folder}/src/**/*.ts`, "!**/*.generated.ts"],
  // Of all others, tests read what was built, where it is.
  ignorePatterns: [
    ...["**", "!*.json", "!jest.config.base.js"],
    ...["src/**", "test/**", "dist/**", "*.js", "*.json"].map((below) => `!${folder}/${below}`),
    // Its tests without a server are of the core as well.
    ...(name === "core" ? ["!packages/testing/src/**", "!packages/testing/test/*.ts"] : []),
  ],
  testRunner: "in-process",
  testRunnerNodeArgs: ["--expose-gc", "--no-warnings"],
  // What runs when a module is loaded would need all tests for each mutant.
  ignoreStatic: true,
  coverageAnalysis: "perTest",
  incremental: true,
  incrementalFile: `temp/mutants/${name}.incremental.json`,
  tempDirName: "temp/mutants/stryker",
  reporters: ["json", "clear-text", "progress-append-only"],
  clearTextReporter: { reportTests: false, logTests: false, reportMutants: false },
  jsonReporter: { fileName: `temp/mutants/${name}.json` },
  concurrency: Number(process.env["MUTANTS_CONCURRENCY"] ?? "1"),
  timeoutMS: 30_000,
};
