/**
 * How StrykerJS runs tests here: all in one process, which loads them once. For each mutant those tests
 * that reach it, the quickest first, until one fails. A test that fails is run again without the mutant:
 * if it fails still, the mutant has left something behind, and a new process goes on.
 *
 * StrykerJS' own runner starts Jest for each mutant, and with it the servers of all test files.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { register } from "node:module";
import { join, relative } from "node:path";
import { load, runTest, tests } from "./harness.mjs";

/**
 * What instrumented code and its runner tell each other.
 *
 * @typedef {object} Talk
 * @property {string | undefined} [activeMutant]
 * @property {number | undefined} [hitCount]
 * @property {number | undefined} [hitLimit]
 * @property {string | undefined} [currentTestId]
 * @property {unknown} [mutantCoverage]
 *
 * @typedef {import("./harness.mjs").Test} Test
 * @typedef {{ test: Test, ms: number }} Timed
 * @typedef {{ line: number, column: number }} Position
 * @typedef {{ id: string, fileName: string, mutatorName: string, replacement: string,
 *   location: { start: Position } }} Mutant
 * @typedef {{ activeMutant: Mutant, testFilter?: string[], hitLimit?: number }} MutantRun
 * @typedef {{ status: string, nrOfTests?: number, killedBy?: string[],
 *   failureMessage?: string | undefined, reason?: string }} Outcome
 */

/** It needs a realm whose prototypes are its own, as Jest gives each file one. */
const NOT_HERE = ": nor are wait, retry, signal and renew taken from there";
/** In files that need Jest itself, or whose processes run what was built, which has no mutants. */
const ELSEWHERE = /jest\.useFakeTimers|startProcess/;
/** Milliseconds that a test has: without a mutant, and with one beyond what it took without. */
const LONG = 60_000;
const LONGER = 1_500;

/** How much of tests there is for each mutant, in milliseconds that they take without it. */
const BUDGET = 1_000 * Number(process.env["MUTANTS_SECONDS"] ?? "Infinity");
/** How long each takes, for the processes that come after this one. */
const TIMES = "times.json";

/** @type {Talk} */
const talk = {};
Object.assign(globalThis, { __stryker__: talk });

class Runner {
  /** @type {Map<string, Timed>} */
  #tests = new Map();
  /** The last one has left something behind. */
  #isSpoilt = false;
  /** How often a test has killed a mutant. @type {Map<string, number>} */
  #kills = new Map();

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    register("./loader.mjs", import.meta.url);
    const wanted = (process.env["MUTANTS_TESTS"] ?? "").split(",");
    const packages = join(process.cwd(), "packages");
    for (const name of readdirSync(packages)) {
      const folder = join(packages, name, "test");
      for (const file of existsSync(folder) ? readdirSync(folder) : []) {
        const full = `${name}/${file}`;
        const isWanted = file.endsWith(".test.ts") && wanted.some((part) => full.includes(part));
        if (!isWanted || ELSEWHERE.test(readFileSync(join(folder, file), "utf8"))) continue;
        await load(join(folder, file));
      }
    }
    /** @type {Record<string, number>} */
    const times = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, "utf8")) : {};
    for (const test of tests) {
      const { id } = test;
      if (!id.endsWith(NOT_HERE)) this.#tests.set(id, { test, ms: times[id] ?? 0 });
    }
  }

  async dryRun() {
    const results = [];
    for (const { test } of this.#tests.values()) {
      talk.currentTestId = test.id;
      const started = performance.now();
      const failureMessage = await runTest(test, LONG);
      const ms = performance.now() - started;
      this.#tests.set(test.id, { test, ms });
      const { id, file: fileName } = test;
      const status = failureMessage === undefined ? 0 : 1;
      results.push({ id, name: id, fileName, timeSpentMs: ms, status, failureMessage });
    }
    talk.currentTestId = undefined;
    writeFileSync(
      TIMES,
      JSON.stringify(Object.fromEntries(results.map((one) => [one.id, one.timeSpentMs]))),
    );
    return { status: "complete", tests: results, mutantCoverage: talk.mutantCoverage };
  }

  /** @param {MutantRun} options */
  async mutantRun(options) {
    // StrykerJS starts another process, and asks that.
    if (this.#isSpoilt) process.exit(1);
    const started = performance.now();
    const outcome = await this.#tryMutant(options);
    log(options.activeMutant, outcome, performance.now() - started);
    return outcome;
  }

  /**
   * @param {MutantRun} options
   * @returns {Promise<Outcome>}
   */
  async #tryMutant({ activeMutant, testFilter, hitLimit }) {
    let left = BUDGET;
    const tests = this.#inOrder(testFilter, activeMutant).filter(({ ms }) => (left -= ms) > 0);
    let nrOfTests = 0;
    for (const { test, ms } of tests) {
      const timeout = LONGER + 5 * ms;
      Object.assign(talk, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
      const failureMessage = await runTest(test, timeout);
      talk.activeMutant = undefined;
      const isEndless = hitLimit !== undefined && (talk.hitCount ?? 0) > hitLimit;
      nrOfTests += 1;
      if (failureMessage === undefined && !isEndless) continue;
      // Twice: what the mutant has set going may end by itself.
      const isLasting = (await runTest(test, timeout)) && (await runTest(test, timeout));
      this.#isSpoilt = isLasting !== undefined;
      const pair = `${test.file} ${activeMutant.fileName}`;
      this.#kills.set(pair, (this.#kills.get(pair) ?? 0) + 1);
      if (isEndless) return { status: "timeout", reason: "it does the same over and over" };
      return { status: "killed", killedBy: [test.id], nrOfTests, failureMessage };
    }
    return { status: "survived", nrOfTests };
  }

  /**
   * Those first that are likeliest to kill it soon.
   *
   * @param {readonly string[] | undefined} ids none for all
   * @param {Mutant} mutant
   */
  #inOrder(ids, { fileName }) {
    const chosen = (ids ?? [...this.#tests.keys()]).flatMap((id) => this.#tests.get(id) ?? []);
    /** @param {Timed} timed */
    const worth = ({ test, ms }) =>
      ((this.#kills.get(`${test.file} ${fileName}`) ?? 0) + 0.1) / (ms + 5);
    return chosen.sort((a, b) => worth(b) - worth(a));
  }
}

/**
 * What came of each is written down as it comes: StrykerJS tells of it only in the end.
 *
 * @param {Mutant} mutant
 * @param {Outcome} outcome
 * @param {number} ms
 */
function log({ fileName, location, mutatorName, replacement }, { status, killedBy = [] }, ms) {
  const path = process.env["MUTANTS_LOG"];
  if (path === undefined) return;
  const { line, column } = location.start;
  const place = `${relative(process.cwd(), fileName)}:${line + 1}:${column + 1}`;
  const what = `${mutatorName} ${replacement}`.replace(/\s+/g, " ");
  appendFileSync(path, `${status} ${place} ${what} (${Math.round(ms)} ms) ${killedBy.join()}\n`);
}

export const strykerPlugins = [
  { kind: "TestRunner", name: "in-process", factory: () => new Runner() },
];
