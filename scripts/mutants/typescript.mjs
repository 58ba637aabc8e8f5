/** Plants bugs in TypeScript, by StrykerJS, and holds what survives against what is argued for. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, show } from "../shell.mjs";
import { arguedFor, described } from "./lua.mjs";
import { named } from "./mutate.mjs";

/**
 * As much of StrykerJS' report as matters here; lines and columns count from 1.
 *
 * @typedef {{ line: number, column: number }} Position
 * @typedef {{ mutatorName: string, replacement?: string, status: string,
 *   location: { start: Position, end: Position } }} Found
 * @typedef {{ files: Record<string, { source: string, mutants: Found[] }> }} Report
 */

const folder = join(root, "temp/mutants");
const PACKAGES = ["core", "ioredis", "node-redis", "valkey-glide"];

/**
 * @param {{ names: readonly string[], tests?: string, seconds?: number, concurrency: number }} options
 *   the names: a package, then files below its src
 * @returns {Promise<number>} the exit code
 */
export async function runTypeScript({ names, tests = "", seconds, concurrency }) {
  const [only, ...files] = names;
  let code = 0;
  for (const name of only === undefined ? PACKAGES : [only]) {
    process.env["MUTANTS_PACKAGE"] = name;
    process.env["MUTANTS_FILES"] = files.map((file) => `packages/${name}/src/${file}`).join(",");
    process.env["MUTANTS_TESTS"] = tests;
    process.env["MUTANTS_CONCURRENCY"] = String(concurrency);
    process.env["MUTANTS_SECONDS"] = String(seconds ?? Infinity);
    const log = join(folder, `${name}.log`);
    mkdirSync(folder, { recursive: true });
    rmSync(log, { force: true });
    process.env["MUTANTS_LOG"] = log;
    const ended = await show("stryker", ["run", "scripts/mutants/stryker.config.mjs"]);
    if (ended !== 0) return ended;
    if (survivorsOf(name) > 0) code = 1;
  }
  return code;
}

/**
 * Says who survived without a reason.
 *
 * @param {string} name of the package
 */
function survivorsOf(name) {
  const text = readFileSync(join(folder, `${name}.json`), "utf8");
  const report = /** @type {Report} */ (JSON.parse(text));
  // It tells also of files that were looked at before, and may have changed since.
  const files = Object.entries(report.files).filter(
    ([file, { source }]) => readFileSync(join(root, file), "utf8") === source,
  );
  const all = files.flatMap(([file, { source, mutants }]) => {
    const starts = [0];
    for (const line of source.split("\n")) starts.push((starts.at(-1) ?? 0) + line.length + 1);
    /** @param {Position} position */
    const offset = ({ line, column }) => (starts[line - 1] ?? 0) + column - 1;
    const changes = mutants.map(({ location, replacement = "", mutatorName, status }) => ({
      start: offset(location.start),
      end: offset(location.end),
      text: replacement,
      operator: mutatorName,
      status,
    }));
    // Those that were run again are told of last, in a run of a part.
    changes.sort((a, b) => a.start - b.start);
    return named(file, source, changes).map((mutant, n) => ({
      mutant,
      status: changes[n]?.status ?? "",
    }));
  });
  const argued = arguedFor(all.map(({ mutant }) => mutant));
  const lives = all.filter(
    ({ mutant, status }) => /^(Survived|NoCoverage)$/.test(status) && !argued.has(mutant.id),
  );
  if (lives.length > 0) console.log("\nSurvivors, to be killed or to be argued for:");
  for (const { mutant } of lives) console.log(described(mutant));
  return lives.length;
}
