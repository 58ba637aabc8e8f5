/**
 * How StrykerJS runs tests here: all in one process, which loads them once. For each mutant those tests
 * that reach it, the quickest first, until one fails. A test that fails is run again without the mutant:
 * if it fails still, the mutant has left something behind, and a new process goes on.
 *
 * StrykerJS' own runner starts Jest for each mutant, and with it the servers of all test files.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
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
 * @typedef {{ activeMutant: { id: string, fileName: string }, testFilter?: string[], hitLimit?: number }} MutantRun
 */

/** They need Jest itself, for its fake timers. */
const NOT_HERE = new Set(["subscription.test.ts"]);
/** Milliseconds that a test has: without a mutant, and with one beyond what it took without. */
const LONG = 60_000;
const LONGER = 4_000;

/** How long each takes, for the processes that come after this one. */
const TIMES = join(process.cwd(), "times.json");

/** @type {Talk} */
const talk = {};
Object.assign(globalThis, { __stryker__: talk });

class Runner {
  /** @type {Map<string, { test: Test, ms: number }>} */
  #tests = new Map();
  /** How many mutants it has seen. */
  #seen = 0;
  /** The last one has left something behind. */
  #isSpoilt = false;
  /** How often a test has killed a mutant. @type {Map<string, number>} */
  #kills = new Map();

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init() {
    register("./loader.mjs", import.meta.url);
    const folder = join(process.cwd(), "packages", process.env["MUTANTS_PACKAGE"] ?? "core", "test");
    const wanted = (process.env["MUTANTS_TESTS"] ?? "").split(",");
    for (const name of readdirSync(folder)) {
      const isWanted = name.endsWith(".test.ts") && wanted.some((part) => name.includes(part));
      if (isWanted && !NOT_HERE.has(name)) await load(join(folder, name));
    }
    /** @type {Record<string, number>} */
    const times = existsSync(TIMES) ? JSON.parse(readFileSync(TIMES, "utf8")) : {};
    for (const test of tests) this.#tests.set(test.id, { test, ms: times[test.id] ?? 0 });
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
    writeFileSync(TIMES, JSON.stringify(Object.fromEntries(results.map((one) => [one.id, one.timeSpentMs]))));
    return { status: "complete", tests: results, mutantCoverage: talk.mutantCoverage };
  }

  /** @param {MutantRun} options */
  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    // StrykerJS starts another process, and asks that.
    if (this.#isSpoilt) process.exit(1);
    const chosen = (testFilter ?? [...this.#tests.keys()]).flatMap((id) => this.#tests.get(id) ?? []);
    const worth = ({ test, ms }) => ((this.#kills.get(`${test.file} ${activeMutant.fileName}`) ?? 0) + 0.1) / (ms + 5);
    chosen.sort((a, b) => worth(b) - worth(a));
    let nrOfTests = 0;
    for (const { test, ms } of chosen) {
      Object.assign(talk, { activeMutant: activeMutant.id, hitCount: 0, hitLimit });
      const failureMessage = await runTest(test, LONGER + 5 * ms);
      talk.activeMutant = undefined;
      const isEndless = hitLimit !== undefined && (talk.hitCount ?? 0) > hitLimit;
      nrOfTests += 1;
      if (failureMessage === undefined && !isEndless) continue;
      if ((await runTest(test, LONGER + 5 * ms)) !== undefined) {
        if (this.#seen > 0) process.exit(1);
        this.#isSpoilt = true;
      }
      const of = `${test.file} ${activeMutant.fileName}`;
      this.#kills.set(of, (this.#kills.get(of) ?? 0) + 1);
      this.#seen += 1;
      if (isEndless) return { status: "timeout", reason: "it does the same over and over" };
      return { status: "killed", killedBy: [test.id], nrOfTests, failureMessage: failureMessage?.slice(0, 1000) ?? "" };
    }
    this.#seen += 1;
    return { status: "survived", nrOfTests };
  }
}

export const strykerPlugins = [
  { kind: "TestRunner", name: "in-process", factory: () => new Runner() },
];
