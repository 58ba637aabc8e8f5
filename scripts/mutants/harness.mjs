/**
 * What tests import in place of `@jest/globals` while mutants are about: their files are loaded once, and
 * then any of their tests can be run, any number of times.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * @typedef {() => unknown} Run
 * @typedef {"beforeAll" | "beforeEach" | "afterEach" | "afterAll"} Hook
 * @typedef {{ name: string, parent?: Block | undefined, hooks: Record<Hook, Run[]>, begun: boolean }} Block
 * @typedef {{ id: string, file: string, block: Block, run: Run }} Test
 */

const folder = join(process.cwd(), "packages", process.env["MUTANTS_PACKAGE"] ?? "core");
const fromPackage = createRequire(join(folder, "package.json"));
const fromGlobals = createRequire(fromPackage.resolve("@jest/globals"));
/** @type {{ jestExpect: { extractExpectedAssertionsErrors(): readonly { error: unknown }[] } }} */
const { jestExpect } = fromGlobals("@jest/expect");
/** @type {{ ModuleMocker: new (global: object) => object }} */
const { ModuleMocker } = fromGlobals("jest-mock");

export const expect = jestExpect;
const mocker = new ModuleMocker(globalThis);
/** As far as tests use it: theirs that fake timers cannot be run here. */
export const jest = new Proxy(mocker, {
  get(target, name) {
    /** @type {unknown} */
    const member = Reflect.get(target, name);
    if (typeof member !== "function") throw new Error(`jest.${String(name)} is not there`);
    return member.bind(target);
  },
});

/** @type {Test[]} */
export const tests = [];
let file = "";
let block = newBlock("");

/**
 * @param {string} name
 * @param {Block} [parent]
 * @returns {Block}
 */
function newBlock(name, parent) {
  const hooks = { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] };
  return { name, parent, hooks, begun: false };
}

/**
 * Loads a test file.
 *
 * @param {string} path
 */
export async function load(path) {
  file = path;
  block = newBlock("");
  const count = tests.length;
  try {
    await import(path);
  } catch (error) {
    tests.splice(count);
    throw error;
  }
}

/** @param {Block} from */
function pathTo(from) {
  const path = [from];
  for (let at = from.parent; at; at = at.parent) path.unshift(at);
  return path;
}

/**
 * @template {unknown[]} T
 * @param {(name: string, run: (...args: T) => unknown) => void} declare
 */
function withEach(declare) {
  /** @param {readonly unknown[]} rows */
  const each =
    (rows) => (/** @type {string} */ name, /** @type {(...args: unknown[]) => unknown} */ run) => {
      rows.forEach((row, index) => {
        const args = Array.isArray(row) ? row : [row];
        declare(`${name} #${index}`, () => run(...args));
      });
    };
  return Object.assign(declare, { each });
}

export const describe = withEach((name, run) => {
  const outer = block;
  block = newBlock(name, outer);
  run();
  block = outer;
});

export const test = withEach((name, run) => {
  const names = pathTo(block).map((one) => one.name);
  const id = [...names.slice(1), name].join(" ");
  tests.push({ id: `${file.split("/").slice(-3).join("/")}: ${id}`, file, block, run });
});

/**
 * As some call it.
 *
 * @param {string} name
 * @param {Run} run
 */
export const it = (name, run) => test(name, run);

/** @param {Hook} when */
const hook = (when) => (/** @type {Run} */ run) => void block.hooks[when].push(run);
export const beforeAll = hook("beforeAll");
export const beforeEach = hook("beforeEach");
export const afterEach = hook("afterEach");
/** Never run: servers end with this process. */
export const afterAll = hook("afterAll");

const TICK = 50;
/** @type {((error: unknown) => void) | undefined} */
let fail;
/** Rejections that nobody has taken so far; as with Jest, they may be taken until the test is over. */
const unhandled = new Map();
process.on("uncaughtException", (error) => fail?.(error));
process.on("unhandledRejection", (error, promise) => unhandled.set(promise, error));
process.on("rejectionHandled", (promise) => unhandled.delete(promise));

/**
 * Runs a test, and what is to be done before and after it.
 *
 * @param {Test} test
 * @param {number} timeout in milliseconds, for each step of it
 * @returns {Promise<string | undefined>} why it failed
 */
export async function runTest({ block, run }, timeout) {
  /** @type {string | undefined} */
  let failure;
  unhandled.clear();
  const blocks = pathTo(block);
  /** @param {readonly Run[]} runs */
  const all = async (runs) => {
    for (const one of runs) {
      const error = await outcome(one, timeout);
      if (error !== undefined) failure ??= error;
      if (error !== undefined && one === run) return;
    }
  };
  for (const one of blocks) {
    if (one.begun) continue;
    one.begun = true;
    await all(one.hooks.beforeAll);
  }
  await all(blocks.flatMap(({ hooks }) => hooks.beforeEach));
  if (failure === undefined) await all([run]);
  await all(blocks.reverse().flatMap(({ hooks }) => hooks.afterEach));
  const [assertions] = expect.extractExpectedAssertionsErrors();
  if (assertions) failure ??= String(assertions.error);
  for (const error of unhandled.values()) failure ??= `nobody took ${String(error)}`;
  return failure;
}

/**
 * @param {Run} run
 * @param {number} timeout
 * @returns {Promise<string | undefined>}
 */
async function outcome(run, timeout) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  try {
    await new Promise((resolve, reject) => {
      fail = reject;
      // In ticks: a machine that is busy with other things has fewer.
      let ticks = timeout / TICK;
      const tick = () => ticks-- < 0 && reject(new Error(`not done in ${timeout} ms`));
      timer = setInterval(tick, TICK);
      Promise.resolve()
        .then(() => run())
        .then(resolve, reject);
    });
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearInterval(timer);
    fail = undefined;
  }
}
