import { checkNumber, checkTable, LuaError, type LuaValue, textOf, typeOf } from "./values.js";

/** What stands between two values, but for `and` and `or`, which may not need the second. */
export const operators: Readonly<Record<string, (a: LuaValue, b: LuaValue) => LuaValue>> = {
  "==": (a, b) => a === b,
  "~=": (a, b) => a !== b,
  "<": isLess,
  ">": (a, b) => isLess(b, a),
  "<=": (a, b) => !isLess(b, a),
  ">=": (a, b) => !isLess(a, b),
  "..": joined,
  "+": (a, b) => checkNumber(a) + checkNumber(b),
  "-": (a, b) => checkNumber(a) - checkNumber(b),
  "*": (a, b) => checkNumber(a) * checkNumber(b),
  "/": (a, b) => checkNumber(a) / checkNumber(b),
  "%": (a, b) => modulo(checkNumber(a), checkNumber(b)),
};

/** `value(…args)` */
export function call(value: LuaValue, args: LuaValue[]): LuaValue[] {
  if (typeof value === "function") return value(...args);
  throw new LuaError(`attempt to call a ${typeOf(value)} value`);
}

/** `#value` */
export function lengthOf(value: LuaValue): number {
  return typeof value === "string" ? value.length : checkTable(value).items.length;
}

/** Numbers with numbers and texts with texts; unlike in sums, neither is taken for the other. */
function isLess(a: LuaValue, b: LuaValue): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  if (typeof a === "string" && typeof b === "string") return a < b;
  throw new LuaError(`attempt to compare ${typeOf(a)} with ${typeOf(b)}`);
}

function joined(a: LuaValue, b: LuaValue): string {
  const [left, right] = [textOf(a), textOf(b)];
  if (left !== undefined && right !== undefined) return left + right;
  throw new LuaError(`attempt to concatenate a ${typeOf(left === undefined ? a : b)} value`);
}

function modulo(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}
