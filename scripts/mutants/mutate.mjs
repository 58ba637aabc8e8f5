/** Small bugs for Lua: each changes one thing of a text, the way that a slip of the hand would. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

/**
 * What the parser calls a node; the package has no types.
 *
 * @typedef {{ type: string, range: [number, number], [part: string]: unknown }} Node
 */

/** @type {{ parse(source: string, options: object): Node }} */
const luaparse = createRequire(import.meta.url)("luaparse");

/**
 * One bug. Its id and its key say what it changes by file and text, not by line: so they outlive
 * changes elsewhere in the file.
 *
 * @typedef {object} Mutant
 * @property {string} id
 * @property {string} file as in packages/core/src/lua: `include/serve.lua`
 * @property {number} line
 * @property {string} operator what kind of slip it is
 * @property {string} before the changed lines, as one
 * @property {string} after
 * @property {number} nth which of those with the same file and texts, from 1
 * @property {string} source of the whole file, with the bug in it
 */

/** @typedef {{ start: number, end: number, text: string, operator: string }} Change */

/** @type {Record<string, string[]>} */
const COMPARISONS = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["~="],
  "~=": ["=="],
};

/** @type {Record<string, string>} */
const ARITHMETIC = { "+": "-", "-": "+", "*": "/", "/": "*", "%": "*" };

/**
 * Commands and their options, and what could be written there by mistake. Any other command in their
 * place would be refused, which no test can miss.
 *
 * @type {Record<string, string>}
 */
const COMMANDS = {
  PX: "EX",
  NX: "XX",
  XX: "NX",
  DEL: "EXISTS",
  PEXPIRE: "EXPIRE",
  PTTL: "TTL",
  ZPOPMIN: "ZPOPMAX",
  ZRANGE: "ZREVRANGE",
  ZRANK: "ZREVRANK",
  ZREM: "ZSCORE",
  HDEL: "HEXISTS",
};

/** Commands that do the same to each of their keys. */
const FOR_EACH_KEY = new Set(["DEL", "EXISTS"]);

/** From here on a number is an amount: one more or less would be no bug. */
const AMOUNT = 100;

/**
 * All small bugs for the text of a file, in the order of the text.
 *
 * @param {string} file
 * @param {string} source
 * @returns {Mutant[]}
 */
export function mutantsOf(file, source) {
  /** @type {Change[]} */
  const changes = [];
  const chunk = luaparse.parse(source, { luaVersion: "5.1", ranges: true, comments: false });
  visit(chunk, [], (node, parents) => {
    changes.push(...changesOf(node, parents, source));
  });
  changes.sort((a, b) => a.start - b.start || a.end - b.end);
  return named(file, source, changes);
}

/**
 * Mutants of changes, each with its id.
 *
 * @param {string} file
 * @param {string} source
 * @param {readonly Change[]} changes
 * @returns {Mutant[]}
 */
export function named(file, source, changes) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return changes.map(({ start, end, text, operator }) => {
    const [from, to] = lineAround(source, start, end);
    const before = asOneLine(source.slice(from, to));
    const after = asOneLine(source.slice(from, start) + text + source.slice(end, to));
    const texts = [file, before, after].join("\n");
    const nth = (seen.get(texts) ?? 0) + 1;
    seen.set(texts, nth);
    const id = createHash("sha1").update(`${texts}\n${nth}`).digest("hex").slice(0, 8);
    const line = source.slice(0, start).split("\n").length;
    const whole = source.slice(0, start) + text + source.slice(end);
    return { id, file, line, operator, before, after, nth, source: whole };
  });
}

/**
 * @param {Node} node
 * @param {readonly Node[]} parents
 * @param {(node: Node, parents: readonly Node[]) => void} see
 */
function visit(node, parents, see) {
  see(node, parents);
  for (const part of Object.values(node)) {
    for (const child of Array.isArray(part) ? part : [part]) {
      if (isNode(child)) visit(child, [...parents, node], see);
    }
  }
}

/**
 * @param {unknown} part
 * @returns {part is Node}
 */
function isNode(part) {
  return typeof part === "object" && part !== null && "type" in part && "range" in part;
}

/**
 * @param {Node} node
 * @param {readonly Node[]} parents
 * @param {string} source
 * @returns {Change[]}
 */
function changesOf(node, parents, source) {
  const [start, end] = node.range;
  const textOf = (/** @type {Node} */ { range: [from, to] }) => source.slice(from, to);
  /** @type {(operator: string, ...texts: string[]) => Change[]} */
  const instead = (operator, ...texts) => texts.map((text) => ({ start, end, text, operator }));
  switch (node.type) {
    case "CallStatement":
    case "AssignmentStatement":
      return isWholeBody(node, parents) ? [] : instead("statement left out", "");
    case "ReturnStatement": {
      const values = nodes(node["arguments"]);
      const isNothing = values.length === 0 || values.every(({ type }) => type === "NilLiteral");
      const inFunction = parents.some(({ type }) => type === "FunctionDeclaration");
      return isNothing || !inFunction ? [] : instead("nothing returned", "return");
    }
    case "IfClause":
    case "ElseifClause":
    case "WhileStatement":
      return conditions(node, source);
    case "BinaryExpression":
    case "LogicalExpression":
      return operators(node, parents, source);
    case "UnaryExpression":
      return node["operator"] === "not" && !isCondition(parents)
        ? nodes([node["argument"]]).flatMap((argument) => {
            return instead("negation left out", `(${textOf(argument)})`);
          })
        : [];
    case "NumericLiteral":
      return instead("another number", ...numbers(node, parents.at(-1)));
    case "BooleanLiteral":
      return instead("the other boolean", String(node["value"] !== true));
    case "StringLiteral":
      return instead("another text", ...texts(node, parents.at(-1), source));
    case "CallExpression": {
      const [base] = nodes([node["base"]]);
      const [command, ...keys] = nodes(node["arguments"]);
      const name = base && textOf(base);
      if (name === "math.max" || name === "math.min") {
        const [from, to] = base?.range ?? [start, start];
        const text = name === "math.max" ? "math.min" : "math.max";
        return [{ start: from, end: to, text, operator: "the other end" }];
      }
      if (!command || keys.length < 2 || !FOR_EACH_KEY.has(unquoted(textOf(command)))) return [];
      return keys.map(({ range: [, to] }, n) => {
        const from = n === 0 ? command.range[1] : (keys[n - 1]?.range[1] ?? to);
        return { start: from, end: to, text: "", operator: "key left out" };
      });
    }
    default:
      return [];
  }
}

/**
 * A condition that always holds, and one that never does, as if its body were left out.
 *
 * @param {Node} node
 * @param {string} source
 * @returns {Change[]}
 */
function conditions(node, source) {
  const [condition] = nodes([node["condition"]]);
  if (!condition) return [];
  const [start, end] = outer(condition.range, source);
  /** @type {Change[]} */
  const changes = [{ start, end, text: "false", operator: "condition never true" }];
  // A loop without an end is a bug that nobody overlooks.
  if (node.type !== "WhileStatement") {
    changes.push({ start, end, text: "true", operator: "condition always true" });
  }
  return changes;
}

/**
 * Whether a node is all of a condition: then it says no more than one that always or never holds.
 *
 * @param {readonly Node[]} parents
 */
function isCondition(parents) {
  return /^(If|Elseif)Clause$/.test(parents.at(-1)?.type ?? "");
}

/**
 * Whether to leave out a statement is to leave out an `if`, of which another mutant takes care.
 *
 * @param {Node} node
 * @param {readonly Node[]} parents
 */
function isWholeBody(node, parents) {
  const [statement, clause] = [parents.at(-2), parents.at(-1)];
  return (
    clause?.type === "IfClause" &&
    nodes(statement?.["clauses"]).length === 1 &&
    nodes(clause["body"]).every((one) => one === node)
  );
}

/**
 * @param {Node} node
 * @param {readonly Node[]} parents
 * @param {string} source
 * @returns {Change[]}
 */
function operators(node, parents, source) {
  const [left] = nodes([node["left"]]);
  const [right] = nodes([node["right"]]);
  const symbol = String(node["operator"]);
  if (!left || !right) return [];
  const start = source.indexOf(symbol, left.range[1]);
  if (start === -1 || start >= right.range[0]) return [];
  /** @type {(texts: string[], operator: string) => Change[]} */
  const changes = (texts, operator) =>
    texts.map((text) => ({ start, end: start + symbol.length, text, operator }));
  if (symbol === "and") return changes(["or"], "or for and");
  if (symbol === "or") return changes(["and"], "and for or");
  // KEYS[i - 3] is no slip, and always an error.
  if (parents.at(-1)?.type === "IndexExpression") return [];
  if (/^[=~]=$/.test(symbol) && isCondition(parents)) return [];
  const arithmetic = ARITHMETIC[symbol];
  return arithmetic === undefined
    ? changes(COMPARISONS[symbol] ?? [], "another comparison")
    : changes([arithmetic], "another operation");
}

/**
 * @param {Node} node
 * @param {Node | undefined} parent
 * @returns {string[]}
 */
function numbers(node, parent) {
  const value = Number(node["value"]);
  const isLoop = parent?.type === "ForNumericStatement";
  // A step between keys, of another width, is always an error.
  if (isLoop && nodes([parent["step"]])[0] === node) return [];
  if (value >= AMOUNT) return [String(value * 2), String(Math.floor(value / 2))];
  // That is another comparison.
  if (parent && isComparison(parent)) return [];
  // The last of five keys has none behind it.
  return [String(value === 4 ? 3 : value + 1)];
}

/** @param {Node} node */
function isComparison(node) {
  return node.type === "BinaryExpression" && String(node["operator"]) in COMPARISONS;
}

/**
 * @param {Node} node
 * @param {Node | undefined} parent
 * @param {string} source
 * @returns {string[]}
 */
function texts(node, parent, source) {
  const text = unquoted(source.slice(...node.range));
  // To compare with another text is another comparison.
  if (parent && isComparison(parent)) return [];
  const command = COMMANDS[text];
  if (command !== undefined) return [`'${command}'`];
  const isCommand =
    parent?.type === "CallExpression" &&
    nodes(parent["arguments"])[0] === node &&
    nodes([parent["base"]]).some(({ range }) => /^(redis\.p?)?call$/.test(source.slice(...range)));
  // Options of commands, too, are refused when they are anything else.
  if (isCommand || /^[A-Z]+$/.test(text)) return [];
  return [text === "" ? "'?'" : "''"];
}

/** @param {string} text */
function unquoted(text) {
  return text.slice(1, -1);
}

/**
 * With the brackets around it, which the parser leaves out.
 *
 * @param {[number, number]} range
 * @param {string} source
 * @returns {[number, number]}
 */
function outer([start, end], source) {
  let [from, to] = [start, end];
  const isInBrackets = () =>
    source.slice(0, from).trimEnd().endsWith("(") && source.slice(to).trimStart().startsWith(")");
  while (isInBrackets()) {
    from = source.lastIndexOf("(", from - 1);
    to = source.indexOf(")", to) + 1;
  }
  return [from, to];
}

/**
 * @param {unknown} list
 * @returns {Node[]}
 */
function nodes(list) {
  return Array.isArray(list) ? list.filter(isNode) : [];
}

/**
 * @param {string} source
 * @param {number} start
 * @param {number} end
 * @returns {[number, number]} the whole lines in which they are
 */
function lineAround(source, start, end) {
  const last = source.indexOf("\n", end);
  return [source.lastIndexOf("\n", start - 1) + 1, last === -1 ? source.length : last];
}

/** @param {string} text */
function asOneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}
