/** A Jest sequencer: files as `MUTANTS_ORDER` lists them, so that who kills most comes first. */
import { relative } from "node:path";

/** @typedef {{ path: string }} Test */

export default class Order {
  /**
   * @template {Test} T
   * @param {readonly T[]} tests
   */
  sort(tests) {
    const order = /** @type {unknown} */ (JSON.parse(process.env["MUTANTS_ORDER"] ?? "[]"));
    const files = Array.isArray(order) ? order.map(String) : [];
    const place = (/** @type {T} */ { path }) =>
      files.indexOf(relative(process.env["MUTANTS_SCRATCH"] ?? "", path));
    return [...tests].sort((a, b) => place(a) - place(b));
  }

  /**
   * Only failed tests: of none here.
   *
   * @returns {Test[]}
   */
  allFailedTests() {
    return [];
  }

  cacheResults() {}
}
