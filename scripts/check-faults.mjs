/**
 * Keeps true what the docs say of tests: each fault of docs/faults.md names the tests that show what
 * becomes of it, as the promises of docs/guarantees.md do, and other pages here and there. This script
 * fails when one of them does not exist, or is skipped. A test is named like this:
 *
 *     - `acceptance/lost-replies`: "an obtain whose reply is lost is a success all the same"
 *
 * which is packages/acceptance/test/lost-replies.test.ts and the exact text in its source, without a
 * leading `$name: `, which stands for the kind of client. A long name goes on in the next line,
 * indented. Where a test's own name says too little, those of what it is in come before it:
 * "a question without a reply › is asked again".
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root, runMain } from "./shell.mjs";

const FAULTS = "docs/faults.md";
const GUARANTEES = "docs/guarantees.md";

await runMain(() => {
  /** @type {string[]} */
  const problems = [];
  const faults = faultsOf(readFileSync(join(root, FAULTS), "utf8"));
  for (const { title, tests } of faults) {
    if (tests.length === 0) problems.push(`${FAULTS}: no test for: ${title}`);
    problems.push(...missingFrom(FAULTS, tests));
  }
  for (const file of readdirSync(join(root, "docs"))) {
    const page = `docs/${file}`;
    if (!file.endsWith(".md") || page === FAULTS) continue;
    const tests = testsIn(readFileSync(join(root, page), "utf8"));
    if (page === GUARANTEES && tests.length === 0) problems.push(`${page}: no test is named`);
    problems.push(...missingFrom(page, tests));
  }
  const named = new Set(faults.flatMap(({ tests }) => tests.map(({ file, name }) => file + name)));
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) console.log(`${faults.length} faults, shown by ${named.size} tests`);
  return problems.length === 0 ? 0 : 1;
});

/**
 * A fault is a paragraph that begins in bold, up to the next one or the next headline.
 *
 * @param {string} page
 * @returns {{ title: string, tests: Test[] }[]}
 */
function faultsOf(page) {
  return page.split(/^(?=\*\*|#)/m).flatMap((part) => {
    const [, title] = /^\*\*(.+?)\*\*/s.exec(part) ?? [];
    if (title === undefined) return [];
    return [{ title, tests: testsIn(part) }];
  });
}

/**
 * @typedef {{ file: string, name: string }} Test
 *
 * @param {string} text
 * @returns {Test[]}
 */
function testsIn(text) {
  const items = [...text.matchAll(/^- `([\w/-]+)`:\s+"(.+(?:\n {2}.+)*)"$/gm)];
  return items.map(([, file = "", name = ""]) => ({ file, name: name.replaceAll(/\s+/g, " ") }));
}

/**
 * @param {string} page
 * @param {readonly Test[]} tests
 * @returns {string[]}
 */
function missingFrom(page, tests) {
  return tests
    .filter(({ file, name }) => {
      const path = file.replace("/", "/test/");
      return !namesIn(`packages/${path}.test.ts`).has(name);
    })
    .map(({ file, name }) => `${page}: no test ${file}: "${name}"`);
}

/**
 * The names of the tests that a file holds and that are not skipped.
 *
 * @param {string} path
 * @returns {Set<string>}
 */
function namesIn(path) {
  /** @type {Set<string>} */
  const names = new Set();
  if (!existsSync(join(root, path))) return names;
  const text = readFileSync(join(root, path), "utf8");
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  visit(source, []);
  return names;

  /**
   * @param {ts.Node} node
   * @param {readonly string[]} inside the names of what it is in
   */
  function visit(node, inside) {
    const call = ts.isCallExpression(node) ? node : undefined;
    const [title] = call?.arguments ?? [];
    const name = title && ts.isStringLiteralLike(title) ? title.text.replace(/^\$name: /, "") : "";
    if (call && name !== "" && isCallOf(/^(test|it)(\.concurrent)?(\.each)?$/, call)) {
      names.add(name).add([...inside, name].join(" › "));
    }
    const isGroup = call && name !== "" && isCallOf(/^describe(\.each)?$/, call);
    ts.forEachChild(node, (child) => visit(child, isGroup ? [...inside, name] : inside));
  }

  /**
   * Whether it is `test(…)` or, as with `test.each(…)(…)`, a call of what that gives.
   *
   * @param {RegExp} words
   * @param {ts.CallExpression} call
   * @returns {boolean}
   */
  function isCallOf(words, { expression }) {
    return words.test(
      (ts.isCallExpression(expression) ? expression.expression : expression).getText(source),
    );
  }
}
