/**
 * How StrykerJS runs tests here: Jest in its own process, and for each mutant only those test files
 * that reach it, likeliest killers first, until the first test fails. StrykerJS' own Jest runner starts
 * the servers of all test files for each mutant, and goes on after a failure.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { shared } from "./environment.mjs";

/**
 * @typedef {{ id: string, fileName: string, location: { start: { line: number } } }} Mutant
 * @typedef {{ activeMutant: Mutant, testFilter?: string[], hitLimit?: number }} MutantRun
 * @typedef {{ fullName: string, status: string, duration?: number | null, failureMessages: string[] }} TestResult
 * @typedef {{ testFilePath: string, testExecError?: { message?: string }, testResults: TestResult[] }} FileResult
 */

/** What is known of tests, kept in a file: this process is ended by a mutant that hangs. */
class Memory {
  #path = join(process.cwd(), "mutants-memory.json");
  /** @type {{ tests: Record<string, Record<string, number>>, kills: Record<string, number> }} */
  #known = existsSync(this.#path)
    ? JSON.parse(readFileSync(this.#path, "utf8"))
    : { tests: {}, kills: {} };

  /** @param {Record<string, Record<string, number>>} tests of each file, the milliseconds each takes */
  learn(tests) {
    this.#known.tests = tests;
    this.#save();
  }

  /**
   * @param {string} file
   * @param {Mutant} mutant that a test in it killed
   */
  learnKill(file, { fileName }) {
    const of = `${file} ${fileName}`;
    this.#known.kills[of] = (this.#known.kills[of] ?? 0) + 1;
    this.#save();
  }

  /**
   * Files with any of these tests, those first that are likeliest to kill a mutant soon.
   *
   * @param {readonly string[] | undefined} tests
   * @param {Mutant} mutant
   */
  filesWith(tests, { fileName }) {
    const wanted = tests && new Set(tests);
    const { tests: known, kills } = this.#known;
    return Object.entries(known)
      .map(([file, of]) => {
        const reached = Object.entries(of).filter(([name]) => !wanted || wanted.has(name));
        const ms = reached.reduce((sum, [, one]) => sum + one, START);
        const likely = (kills[`${file} ${fileName}`] ?? 0) + 0.2;
        return { file, isWanted: reached.length > 0, worth: likely / ms };
      })
      .filter(({ isWanted }) => isWanted)
      .sort((a, b) => b.worth - a.worth)
      .map(({ file }) => file);
  }

  #save() {
    writeFileSync(this.#path, JSON.stringify(this.#known));
  }
}

/** Milliseconds that a test file takes, besides its tests: modules are loaded, a server is started. */
const START = 1_000;
/** A test that takes so much longer, in milliseconds, is one that a mutant hangs. */
const TEST_TIMEOUT = 10_000;

class Runner {
  #memory = new Memory();
  #folder = join(process.cwd(), "packages", process.env["MUTANTS_PACKAGE"] ?? "core");
  /** @type {{ runCLI: (args: object, projects: string[]) => Promise<{ results: { testResults: FileResult[] } }> }} */
  #jest = createRequire(join(this.#folder, "package.json"))("jest");

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun() {
    shared.talk = {};
    const results = await this.#run([], undefined, 60_000);
    /** @type {Record<string, Record<string, number>>} */
    const known = {};
    const tests = results.flatMap(({ testFilePath, testResults }) => {
      /** @type {Record<string, number>} */
      const of = (known[testFilePath] = {});
      return testResults.map(({ fullName, status, duration, failureMessages }) => {
        const ms = duration ?? 0;
        of[fullName] = ms;
        return {
          ...{ id: fullName, name: fullName, timeSpentMs: ms, fileName: testFilePath },
          status: { passed: 0, failed: 1 }[status] ?? 2,
          failureMessage: failureMessages.join("\n"),
        };
      });
    });
    const broken = results.find(({ testExecError }) => testExecError);
    if (broken) return { status: "error", errorMessage: broken.testExecError?.message ?? "" };
    this.#memory.learn(known);
    return { status: "complete", tests, mutantCoverage: shared.talk.mutantCoverage };
  }

  /** @param {MutantRun} options */
  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    shared.talk = { activeMutant: activeMutant.id };
    if (hitLimit !== undefined) Object.assign(shared.talk, { hitLimit, hitCount: 0 });
    shared.hasFailed = false;
    const files = this.#memory.filesWith(testFilter, activeMutant);
    let nrOfTests = 0;
    for (const file of files) {
      const [result] = await this.#run([file], testFilter, TEST_TIMEOUT);
      const { testResults = [], testExecError } = result ?? {};
      nrOfTests += testResults.filter(({ status }) => status !== "pending").length;
      if (hitLimit !== undefined && (shared.talk.hitCount ?? 0) > hitLimit) {
        return { status: "timeout", reason: "it does the same over and over" };
      }
      const failed = testResults.find(({ status }) => status === "failed");
      if (!failed && !testExecError) continue;
      this.#memory.learnKill(file, activeMutant);
      return {
        ...{ status: "killed", nrOfTests },
        killedBy: [failed?.fullName ?? relative(this.#folder, file)],
        failureMessage: (failed?.failureMessages.join("\n") ?? testExecError?.message ?? "").slice(
          0,
          2000,
        ),
      };
    }
    return { status: "survived", nrOfTests };
  }

  /**
   * @param {readonly string[]} files none for all
   * @param {readonly string[] | undefined} tests
   * @param {number} testTimeout
   */
  async #run(files, tests, testTimeout) {
    const { default: config } = await import(join(this.#folder, "jest.config.js"));
    const part = process.env["MUTANTS_TESTS"] ?? "";
    const patterns = part.split(",").map((name) => `<rootDir>/test/**/*${name}*.test.ts`);
    const { results } = await this.#jest.runCLI(
      {
        ...{ $0: "stryker", _: files, runTestsByPath: files.length > 0 },
        ...{ runInBand: true, silent: true, testTimeout, watchman: false, cache: true },
        ...(tests && { testNamePattern: `^(${tests.map(escaped).join("|")})$` }),
        config: JSON.stringify({
          ...config,
          ...{ rootDir: this.#folder, testMatch: patterns, reporters: [], testTimeout },
          testEnvironment: fileURLToPath(new URL("environment.mjs", import.meta.url)),
          // Types were checked before; mutants have none.
          transform: {
            "^.+\\.ts$": ["ts-jest", { useESM: true, diagnostics: false, isolatedModules: true }],
          },
        }),
      },
      [this.#folder],
    );
    return results.testResults;
  }
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export const strykerPlugins = [
  { kind: "TestRunner", name: "first-failure", factory: () => new Runner() },
];
