/** Plants bugs in the Lua scripts, one at a time, and sees which of them no test notices. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { luaFiles } from "../generate-lua.mjs";
import { Failure, root, say } from "../shell.mjs";
import { mutantsOf } from "./mutate.mjs";
import { planted } from "./plants.mjs";
import { Scratch } from "./scratch.mjs";

/** @typedef {import("./mutate.mjs").Mutant} Mutant */
/** @typedef {import("./scratch.mjs").Outcome} Outcome */
/** @typedef {{ file: string, before: string, after: string, nth?: number, reason: string }} Argued */

/**
 * What was seen of a mutant the last time.
 *
 * @typedef {{ status: string, lua: string, line: number, file?: string, test?: string, message?: string }} Seen
 */

/**
 * @typedef {object} Options
 * @property {readonly string[]} names of Lua files, `obtain` or `serve`; none for all
 * @property {string} [only] the id of one mutant
 * @property {number} [sample] how many, chosen by chance
 * @property {number} seed of that chance
 * @property {boolean} plants only those planted by hand
 * @property {boolean} resume leave out whom the last run killed
 * @property {boolean} argued run those argued for, too
 * @property {string} [tests] only test files whose names hold one of these, separated by commas
 * @property {boolean} list only say which there are
 * @property {number} concurrency
 */

const results = join(root, "temp/mutants/lua.json");

/** Those that no test can notice. */
export const ARGUED = /** @type {readonly Argued[]} */ (
  JSON.parse(readFileSync(join(root, "scripts/mutants/argued.json"), "utf8"))
);

/** Those that start a server, and with it run scripts. */
const USES_SERVER = /\bstart(Redis|Server|Cluster|ProxiedServer)\b/;
/** They ask each script by hand, so they kill most, and soon. */
const LIKELIEST = [
  "packages/core/test/protocol-quorum.test.ts",
  "packages/core/test/protocol.test.ts",
  "packages/core/test/protocol-shared.test.ts",
];
const TESTS_OF_TESTING = [
  "packages/testing/test/standing-clock.test.ts",
  "packages/testing/test/conformance/conformance.test.ts",
  "packages/testing/test/truth/truth.test.ts",
];

/**
 * @param {Options} options
 * @returns {Promise<number>} the exit code
 */
export async function runLua(options) {
  const files = luaFiles();
  const all = allMutants(files);
  const argued = arguedFor(all);
  const seen = lastResults();
  const chosen = choose(all, options).filter(
    ({ id }) =>
      (options.argued || options.only !== undefined || !argued.has(id)) &&
      !(options.resume && seen[id] && seen[id].status !== "survived"),
  );
  if (options.list) {
    for (const mutant of chosen) console.log(described(mutant));
    say(`${chosen.length} of ${all.length} mutants`);
    return 0;
  }
  const tests = testFiles().filter((path) =>
    (options.tests ?? "").split(",").some((name) => path.includes(name)),
  );
  if (tests.length === 0) throw new Failure("there is no such test file");
  const scratches = Array.from({ length: options.concurrency }, (_, n) => new Scratch(n));
  const end = () => {
    for (const scratch of scratches) scratch.end();
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);

  const [first] = scratches;
  if (!first) throw new Failure("--concurrency is at least 1");
  say(
    `${chosen.length} of ${all.length} mutants; first the ${tests.length} test files without any`,
  );
  first.use(files);
  const startedAt = Date.now();
  const { status, file, test, message, ms } = await first.test(tests, 1_200_000);
  if (status !== "survived")
    throw new Failure(`fails without a mutant: ${file} ${test}\n${message}`);
  const timeout = 60_000 + 4 * (Date.now() - startedAt);

  const waiting = [...chosen];
  let done = 0;
  /** @type {[Mutant, Outcome][]} */
  const outcomes = [];
  /** @param {Scratch} scratch */
  const work = async (scratch) => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      scratch.use(new Map([...files, [mutant.file, mutant.source]]));
      const outcome = await scratch.test(inOrder(tests, mutant, seen, ms), timeout);
      outcomes.push([mutant, outcome]);
      const { id, file: lua, line } = mutant;
      seen[id] = { status: outcome.status, lua, line };
      if (outcome.file !== undefined) seen[id].file = outcome.file;
      if (outcome.test !== undefined) seen[id].test = outcome.test;
      if (outcome.message !== undefined) seen[id].message = outcome.message;
      remember(seen);
      done += 1;
      const by = outcome.file ? `${outcome.file.split("/").at(-1)}: ${outcome.test}` : "";
      console.log(`${done}/${chosen.length} ${outcome.status} ${described(mutant)} ${by}`);
    }
  };
  await Promise.all(scratches.map(work));
  return summary(outcomes, argued, all);
}

/**
 * @param {ReadonlyMap<string, string>} files
 * @returns {Mutant[]}
 */
export function allMutants(files) {
  const byHand = planted(files);
  // Some of those planted by hand are slips of the hand, too.
  const ids = new Set(byHand.map(({ id }) => id));
  const slips = [...files].flatMap(([file, source]) => mutantsOf(file, source));
  return [...slips.filter(({ id }) => !ids.has(id)), ...byHand];
}

/**
 * Why those that no test can notice are no bugs, by id.
 *
 * @param {readonly Mutant[]} all
 * @returns {Map<string, string>}
 */
export function arguedFor(all) {
  const files = new Set(all.map(({ file }) => file));
  return new Map(
    ARGUED.filter(({ file }) => files.has(file)).map(({ file, before, after, nth = 1, reason }) => {
      const found = all.find(
        (one) =>
          one.file === file && one.before === before && one.after === after && one.nth === nth,
      );
      if (!found) throw new Failure(`argued.json argues for what is not there: ${file}: ${after}`);
      return [found.id, reason];
    }),
  );
}

/**
 * @param {readonly Mutant[]} all
 * @param {Options} options
 * @returns {Mutant[]}
 */
function choose(all, { names, only, sample, seed, plants }) {
  const isWanted = (/** @type {Mutant} */ { id, file, operator }) =>
    (only === undefined || only === id) &&
    (!plants || operator.startsWith("planted")) &&
    (names.length === 0 || names.some((name) => file.replace("include/", "") === `${name}.lua`));
  const wanted = all.filter(isWanted);
  if (wanted.length === 0) throw new Failure("there is no such mutant");
  if (sample === undefined) return wanted;
  const draw = chance(seed);
  const files = [...new Set(wanted.map(({ file }) => file))];
  // Some of each file, more of those that have more.
  return files.flatMap((file) => {
    const of = wanted.filter((one) => one.file === file);
    return of
      .map((mutant) => ({ mutant, by: draw() }))
      .sort((a, b) => a.by - b.by)
      .slice(0, Math.ceil((sample * of.length) / wanted.length))
      .map(({ mutant }) => mutant);
  });
}

/** @returns {string[]} */
function testFiles() {
  const folder = "packages/core/test";
  const own = readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${folder}/${name}`)
    .filter((path) => USES_SERVER.test(readFileSync(join(root, path), "utf8")));
  return [...own, ...TESTS_OF_TESTING];
}

/**
 * Test files for a mutant, those first that are likeliest to kill it soon: what killed it before, then
 * what killed most of its neighbours, by the time that it takes.
 *
 * @param {readonly string[]} tests
 * @param {Mutant} mutant
 * @param {Record<string, Seen>} seen
 * @param {Record<string, number>} ms
 * @returns {string[]}
 */
function inOrder(tests, mutant, seen, ms) {
  /** @type {Map<string, number>} */
  const kills = new Map(LIKELIEST.map((file) => [file, 50]));
  for (const { lua, line, file } of Object.values(seen)) {
    if (file === undefined) continue;
    const isNear = lua === mutant.file && Math.abs(line - mutant.line) <= 3;
    const weight = isNear ? 100 : lua === mutant.file ? 10 : 1;
    kills.set(file, (kills.get(file) ?? 0) + weight);
  }
  const last = seen[mutant.id]?.file;
  /** @param {string} file */
  const worth = (file) =>
    file === last ? Infinity : ((kills.get(file) ?? 0) + 0.5) / (500 + (ms[file] ?? 0));
  return [...tests].sort((a, b) => worth(b) - worth(a));
}

/**
 * @param {readonly [Mutant, Outcome][]} outcomes
 * @param {ReadonlyMap<string, string>} argued
 * @param {readonly Mutant[]} all
 * @returns {number} the exit code
 */
function summary(outcomes, argued, all) {
  const files = [...new Set(all.map(({ file }) => file))];
  const rows = files.flatMap((file) => {
    const of = outcomes.filter(([mutant]) => mutant.file === file);
    const count = (/** @type {string} */ status) =>
      of.filter(([, outcome]) => outcome.status === status).length;
    const reasons = all.filter((one) => one.file === file && argued.has(one.id)).length;
    const total = all.filter((one) => one.file === file).length;
    return of.length === 0
      ? []
      : [[file, total, of.length, count("killed"), count("timeout"), count("survived"), reasons]];
  });
  const sums = [1, 2, 3, 4, 5, 6].map((n) => rows.reduce((sum, row) => sum + Number(row[n]), 0));
  const head = ["file", "mutants", "run", "killed", "timeout", "survived", "argued for"];
  console.log();
  for (const [name, ...cells] of [head, ...rows, ["all", ...sums]]) {
    console.log(String(name).padEnd(24) + cells.map((cell) => String(cell).padStart(11)).join(""));
  }
  const survivors = outcomes.filter(([{ id }, o]) => o.status === "survived" && !argued.has(id));
  const wrong = outcomes.filter(([{ id }, o]) => o.status !== "survived" && argued.has(id));
  if (survivors.length > 0) console.log("\nSurvivors, to be killed or to be argued for:");
  for (const [mutant] of survivors) console.log(described(mutant));
  if (wrong.length > 0) console.log("\nArgued for, and killed all the same:");
  for (const [mutant] of wrong) console.log(described(mutant));
  return survivors.length + wrong.length > 0 ? 1 : 0;
}

/** @param {Mutant} mutant */
export function described({ id, file, line, operator, before, after, nth }) {
  return `${id} ${file}:${line} ${operator}${nth > 1 ? ` #${nth}` : ""}\n    ${before}\n  → ${after}`;
}

/** @returns {Record<string, Seen>} */
function lastResults() {
  try {
    return /** @type {Record<string, Seen>} */ (JSON.parse(readFileSync(results, "utf8")));
  } catch {
    return {};
  }
}

/** @param {Record<string, Seen>} seen */
function remember(seen) {
  mkdirSync(join(root, "temp/mutants"), { recursive: true });
  writeFileSync(results, JSON.stringify(seen, undefined, 1));
}

/**
 * The same numbers for the same seed.
 *
 * @param {number} seed
 * @returns {() => number}
 */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
