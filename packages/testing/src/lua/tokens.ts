import { LuaError } from "./values.js";

export interface Token {
  readonly kind: "name" | "keyword" | "number" | "text" | "symbol" | "end";
  readonly text: string;
  readonly line: number;
}

const KEYWORDS = new Set(
  "and break do else elseif end false for function if local nil not or repeat return then true until while".split(
    " ",
  ),
);

const TOKEN =
  /(?<blank>\s+|--[^\n]*)|(?<name>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?(?:e[-+]?\d+)?)|(?<text>'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*")|(?<symbol>\.\.|[=~<>]=|[-+*/%#<>=(){}[\];,.])/y;

/** @throws LuaError */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  const matcher = new RegExp(TOKEN);
  while (matcher.lastIndex < source.length) {
    const start = matcher.lastIndex;
    const groups = matcher.exec(source)?.groups;
    if (!groups)
      throw new LuaError(`line ${line}: '${source[start] ?? ""}' is not understood here`);
    const { name, number, text, symbol } = groups;
    if (name !== undefined) {
      tokens.push({ kind: KEYWORDS.has(name) ? "keyword" : "name", text: name, line });
    }
    if (number !== undefined) tokens.push({ kind: "number", text: number, line });
    if (text !== undefined) tokens.push({ kind: "text", text: unquoted(text), line });
    if (symbol !== undefined) tokens.push({ kind: "symbol", text: symbol, line });
    line += source.slice(start, matcher.lastIndex).split("\n").length - 1;
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unquoted(text: string): string {
  return text
    .slice(1, -1)
    .replace(/\\(?:(\d{1,3})|([^]))/g, (_, code: string | undefined, char: string) =>
      code === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number(code)),
    );
}
