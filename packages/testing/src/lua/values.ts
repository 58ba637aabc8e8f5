/** What Lua computes with. Text is bytes, one character each; `nil` is undefined. */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction;

/** Takes any number of values, returns any number of values. */
export type LuaFunction = (...args: LuaValue[]) => LuaValue[];

/** Something that the script did wrong. */
export class LuaError extends Error {}

export class LuaTable {
  /** What stands at 1, 2, 3, … without a gap. */
  readonly items: LuaValue[];
  readonly #rest = new Map<LuaValue, LuaValue>();

  constructor(items: LuaValue[] = [], fields: Readonly<Record<string, LuaValue>> = {}) {
    this.items = items;
    for (const [name, value] of Object.entries(fields)) this.#rest.set(name, value);
  }

  get(key: LuaValue): LuaValue {
    return typeof key === "number" && key >= 1 && key <= this.items.length
      ? this.items[key - 1]
      : this.#rest.get(key);
  }

  set(key: LuaValue, value: LuaValue): void {
    const { items } = this;
    if (typeof key !== "number" || key < 1 || key > items.length + 1) this.#rest.set(key, value);
    else if (value !== undefined || key < items.length) items[key - 1] = value;
    else if (key === items.length) items.pop();
  }
}

/** All but `nil` and `false`. */
export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

export function typeOf(value: LuaValue): string {
  if (value === undefined) return "nil";
  return value instanceof LuaTable ? "table" : typeof value;
}

/** A number, or what a text says as one. */
export function numberOf(value: LuaValue): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(value)) {
    return undefined;
  }
  return Number(value);
}

/** A text, or a number as Lua writes it. */
export function textOf(value: LuaValue): string | undefined {
  return typeof value === "number" ? formatNumber(value, 14) : asText(value);
}

/** As C's `%.<digits>g`: Lua writes numbers with 14 digits, Redis takes them with 17. */
export function formatNumber(value: number, digits: number): string {
  const [mantissa = "", exponent] = value.toPrecision(digits).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  if (exponent === undefined) return short;
  return `${short}e${exponent.replace(/^([-+])(\d)$/, "$10$2")}`;
}

function asText(value: LuaValue): string | undefined {
  return typeof value === "string" ? value : undefined;
}

export function checkNumber(value: LuaValue): number {
  const number = numberOf(value);
  if (number === undefined) throw new LuaError(`number expected, got ${typeOf(value)}`);
  return number;
}

export function checkText(value: LuaValue): string {
  const text = textOf(value);
  if (text === undefined) throw new LuaError(`string expected, got ${typeOf(value)}`);
  return text;
}

export function checkTable(value: LuaValue): LuaTable {
  if (value instanceof LuaTable) return value;
  throw new LuaError(`table expected, got ${typeOf(value)}`);
}
