import {
  checkNumber,
  checkTable,
  checkText,
  LuaError,
  LuaTable,
  type LuaValue,
  numberOf,
  textOf,
  typeOf,
} from "./values.js";

/** The part of Lua's own library that lock scripts make use of, by global name. */
export const luaLibrary: Readonly<Record<string, LuaValue>> = {
  tonumber: (value) => [numberOf(value)],
  tostring: (value) => [
    textOf(value) ?? (typeof value === "boolean" ? String(value) : typeOf(value)),
  ],
  type: (value) => [typeOf(value)],
  unpack: (table, from = 1, to = checkTable(table).items.length) =>
    checkTable(table).items.slice(checkNumber(from) - 1, checkNumber(to)),

  math: new LuaTable([], {
    ceil: (value) => [Math.ceil(checkNumber(value))],
    floor: (value) => [Math.floor(checkNumber(value))],
    max: (...values) => [Math.max(...values.map(checkNumber))],
    min: (...values) => [Math.min(...values.map(checkNumber))],
  }),

  string: new LuaTable([], {
    format: (format, ...values) => [formatted(checkText(format), values)],
    len: (text) => [checkText(text).length],
    match: (text, pattern) => matched(checkText(text), checkText(pattern)),
    rep: (text, times) => [checkText(text).repeat(Math.max(0, checkNumber(times)))],
    sub: (text, from, to = -1) => [part(checkText(text), checkNumber(from), checkNumber(to))],
  }),

  table: new LuaTable([], {
    concat: (table, separator = "") => [
      checkTable(table).items.map(checkText).join(checkText(separator)),
    ],
    insert: (table, value) => {
      const { items } = checkTable(table);
      if (value !== undefined) items.push(value);
      return [];
    },
  }),
};

function part(text: string, from: number, to: number): string {
  const at = (index: number): number => (index < 0 ? text.length + index + 1 : index);
  return text.slice(Math.max(1, at(from)) - 1, Math.max(0, at(to)));
}

function formatted(format: string, values: readonly LuaValue[]): string {
  let next = 0;
  return format.replace(/%(?:\.(\d+))?([a-z%])/g, (directive, digits: string, kind: string) => {
    if (kind === "%") return "%";
    const value = values[next++];
    if (kind === "s") return checkText(value);
    if (kind === "d") return checkNumber(value).toFixed(0);
    if (kind === "f") return checkNumber(value).toFixed(Number(digits));
    throw new LuaError(`string.format does not know '${directive}' here`);
  });
}

/** `string.match`: the captures, or the whole match, or nil. */
function matched(text: string, pattern: string): LuaValue[] {
  const match = regExpOf(pattern).exec(text);
  if (!match) return [undefined];
  return match.length > 1 ? match.slice(1) : [match[0]];
}

const patterns = new Map<string, RegExp>();

/** Lua's patterns are regular expressions without alternatives, in another spelling. */
function regExpOf(pattern: string): RegExp {
  const known = patterns.get(pattern);
  if (known) return known;
  const source = pattern.replace(
    /%(.)|([.\-$^])|([\\|{}/])/g,
    (_, escaped: string | undefined, special: string | undefined, plain: string, at: number) => {
      if (escaped !== undefined) return classes[escaped] ?? `\\${escaped}`;
      if (special === ".") return "[^]";
      if (special === "-") return "*?";
      if (special === "^" && at === 0) return "^";
      if (special === "$" && at === pattern.length - 1) return "$";
      return `\\${special ?? plain}`;
    },
  );
  const regExp = new RegExp(source);
  patterns.set(pattern, regExp);
  return regExp;
}

const classes: Readonly<Record<string, string>> = {
  a: "[A-Za-z]",
  d: "[0-9]",
  s: "[ \\t-\\r]",
  w: "[A-Za-z0-9]",
};
