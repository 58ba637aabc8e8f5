/**
 * A Jest environment in which a mutant is awake, or in which is counted what each test reaches: the
 * instrumented code asks `__stryker__`. Nothing more is run once a test has failed.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * What instrumented code and its runner tell each other.
 *
 * @typedef {object} Talk
 * @property {string} [activeMutant]
 * @property {number} [hitCount]
 * @property {number} [hitLimit]
 * @property {string} [currentTestId]
 * @property {unknown} [mutantCoverage]
 */

/** @type {{ talk: Talk, hasFailed: boolean }} */
export const shared = { talk: {}, hasFailed: false };

/**
 * @typedef {{ name: string, parent?: Block }} Block
 * @typedef {{ name: string, parent: Block, mode: string, errors: unknown[] }} Test
 * @typedef {{ name: string, test?: Test }} Event
 */

const fromCore = createRequire(join(process.cwd(), "packages/core/package.json"));
const fromJest = createRequire(fromCore.resolve("jest"));
const { TestEnvironment } = /** @type {typeof import("jest-environment-node")} */ (
  fromJest("jest-environment-node")
);

export default class MutantEnvironment extends TestEnvironment {
  /** @param {ConstructorParameters<typeof TestEnvironment>} args */
  constructor(...args) {
    super(...args);
    Object.assign(this.global, { __stryker__: shared.talk });
  }

  /** @param {Event} event */
  handleTestEvent({ name, test }) {
    if (!test) return;
    if (name === "test_start") {
      if (shared.hasFailed) test.mode = "skip";
      else shared.talk.currentTestId = fullName(test);
    } else if (name === "test_done") {
      delete shared.talk.currentTestId;
      if (test.errors.length > 0 && shared.talk.activeMutant !== undefined) shared.hasFailed = true;
    }
  }
}

/** @param {Test} test */
function fullName({ name, parent }) {
  const names = [name];
  for (let block = parent; block.parent; block = block.parent) names.unshift(block.name);
  return names.join(" ");
}
