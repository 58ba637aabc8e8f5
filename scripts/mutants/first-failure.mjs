/** A Jest reporter that ends everything at the first failed test: one is enough to kill a mutant. */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * What happened, one a line, in the file that `MUTANTS_REPORT` names.
 *
 * @typedef {{ file: string, ms: number } | { file: string, killedBy: string, message: string }} Report
 */

/** @typedef {{ path: string }} Test */

export default class FirstFailure {
  /**
   * @param {Test} test
   * @param {{ status: string, fullName: string, failureMessages: readonly string[] }} result
   */
  onTestCaseResult({ path }, { status, fullName, failureMessages }) {
    if (status === "failed") end(path, fullName, failureMessages.join("\n"));
  }

  /**
   * @param {Test} test
   * @param {{ numFailingTests: number, failureMessage?: string | null, perfStats: { start: number, end: number } }} result
   */
  onTestResult({ path }, { numFailingTests, failureMessage, perfStats }) {
    // Also what fails outside of any test.
    if (numFailingTests > 0 || failureMessage)
      end(path, "the file as a whole", failureMessage ?? "");
    report({ file: fileOf(path), ms: perfStats.end - perfStats.start });
  }
}

/**
 * @param {string} path
 * @param {string} killedBy
 * @param {string} message
 */
function end(path, killedBy, message) {
  report({ file: fileOf(path), killedBy, message: message.slice(0, 2000) });
  // Servers and processes that tests started end with this one.
  process.exit(1);
}

/** @param {Report} what */
function report(what) {
  appendFileSync(process.env["MUTANTS_REPORT"] ?? "", `${JSON.stringify(what)}\n`);
}

/** @param {string} path */
function fileOf(path) {
  return relative(process.env["MUTANTS_SCRATCH"] ?? "", path);
}
