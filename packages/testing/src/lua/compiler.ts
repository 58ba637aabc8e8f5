import { binary, type Expression, type Frame, index, spread, variable } from "./expressions.js";
import { luaLibrary } from "./library.js";
import { call, lengthOf } from "./operators.js";
import { type Token, tokensOf } from "./tokens.js";
import {
  checkNumber,
  isTrue,
  LuaError,
  type LuaFunction,
  LuaTable,
  type LuaValue,
} from "./values.js";

/**
 * As much of Lua 5.1 as lock scripts are written in, so that what runs in memory is the very text that
 * runs in Redis. What it does not know, it refuses to compile: generic `for`, methods, varargs.
 *
 * @returns a function that runs the script with these globals, and returns what it returns.
 * @throws LuaError
 */
export function compile(
  source: string,
): (globals: Readonly<Record<string, LuaValue>>) => LuaValue[] {
  const compiler = new Compiler(tokensOf(source));
  const body = compiler.chunk();
  return (globals) => {
    const slots = compiler.globals.map((name) => globals[name] ?? luaLibrary[name]);
    return body({ slots, outer: undefined });
  };
}

/** A statement, compiled: undefined when the next is to follow, else what the function returns. */
type Statement = (frame: Frame) => LuaValue[] | typeof BREAK | undefined;
const BREAK = Symbol("break");

/** The names that can be seen in a function, innermost last. */
interface Scope {
  readonly names: { readonly name: string; readonly slot: number }[];
  size: number;
}

const PRECEDENCE: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  "<": 3,
  ">": 3,
  "<=": 3,
  ">=": 3,
  "~=": 3,
  "==": 3,
  "..": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "%": 6,
};
const UNARY = 7;

/** Reads tokens and gives back closures: each construct is in one place, from its grammar to its meaning. */
class Compiler {
  /** The globals that the script names, in the order of their slots in the outermost frame. */
  readonly globals: string[] = [];
  readonly #tokens: readonly Token[];
  /** One for each function around this point; the first holds the globals. */
  readonly #scopes: Scope[] = [];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  chunk(): (globals: Frame) => LuaValue[] {
    const body = this.#functionBody([]);
    if (this.#token.kind !== "end") throw this.#unexpected();
    return (globals) => call(body(globals), []);
  }

  /** The rest of a function, behind its parameters, up to but without `end`. */
  #functionBody(parameters: readonly string[]): (frame: Frame) => LuaFunction {
    const scope: Scope = { names: [], size: 0 };
    this.#scopes.push(scope);
    for (const name of parameters) this.#declare(name);
    const body = this.#block();
    this.#scopes.pop();
    return (outer) =>
      (...args) => {
        const slots = args.slice(0, parameters.length);
        while (slots.length < scope.size) slots.push(undefined);
        const result = body({ slots, outer });
        return Array.isArray(result) ? result : [];
      };
  }

  /** Statements up to the keyword that ends them; `behind` is read while their names can be seen. */
  #block(behind: () => void = () => undefined): Statement {
    const { names } = this.#scope;
    const seen = names.length;
    const statements: Statement[] = [];
    while (!this.#isBlockEnd()) {
      const last = this.#token.text === "return" || this.#token.text === "break";
      statements.push(this.#statement());
      this.#accept(";");
      if (last && !this.#isBlockEnd()) throw this.#unexpected();
    }
    behind();
    names.length = seen;
    return (frame) => {
      for (const statement of statements) {
        const result = statement(frame);
        if (result !== undefined) return result;
      }
      return undefined;
    };
  }

  #isBlockEnd(): boolean {
    const { kind, text } = this.#token;
    if (kind === "end") return true;
    return kind === "keyword" && ["end", "else", "elseif", "until"].includes(text);
  }

  #statement(): Statement {
    const keyword = this.#token.kind === "keyword" ? this.#token.text : "";
    switch (keyword) {
      case "local":
        this.#next++;
        return this.#accept("function") ? this.#localFunction() : this.#local();
      case "if":
        this.#next++;
        return this.#if();
      case "for":
        this.#next++;
        return this.#for();
      case "while":
        this.#next++;
        return this.#while();
      case "repeat":
        this.#next++;
        return this.#repeat();
      case "do": {
        this.#next++;
        const body = this.#block();
        this.#expect("end");
        return body;
      }
      case "return": {
        this.#next++;
        const values = this.#isBlockEnd() ? () => [] : this.#expressions();
        return (frame) => values(frame);
      }
      case "break":
        this.#next++;
        return () => BREAK;
      default:
        return this.#callOrAssignment();
    }
  }

  #local(): Statement {
    const names = this.#names();
    const values = this.#accept("=") ? this.#expressions() : () => [];
    const slots = names.map((name) => this.#declare(name));
    return (frame) => {
      const given = values(frame);
      slots.forEach((slot, i) => (frame.slots[slot] = given[i]));
      return undefined;
    };
  }

  #localFunction(): Statement {
    const slot = this.#declare(this.#name());
    this.#expect("(");
    const parameters = this.#token.text === ")" ? [] : this.#names();
    this.#expect(")");
    const body = this.#functionBody(parameters);
    this.#expect("end");
    return (frame) => {
      frame.slots[slot] = body(frame);
      return undefined;
    };
  }

  #if(): Statement {
    const condition = this.#expression();
    this.#expect("then");
    const then = this.#block();
    let otherwise: Statement = () => undefined;
    if (this.#accept("elseif")) {
      otherwise = this.#if();
    } else {
      if (this.#accept("else")) otherwise = this.#block();
      this.#expect("end");
    }
    return (frame) => (isTrue(condition.one(frame)) ? then : otherwise)(frame);
  }

  #for(): Statement {
    const name = this.#name();
    this.#expect("=");
    const bounds = this.#expressions();
    this.#expect("do");
    const { names } = this.#scope;
    const slot = this.#declare(name);
    const body = this.#block();
    names.pop();
    this.#expect("end");
    return (frame) => {
      const [from = 0, to = 0, step = 1] = bounds(frame).map(checkNumber);
      for (let i = from; step > 0 ? i <= to : i >= to; i += step) {
        frame.slots[slot] = i;
        const result = body(frame);
        if (result === BREAK) break;
        if (result !== undefined) return result;
      }
      return undefined;
    };
  }

  #while(): Statement {
    const condition = this.#expression();
    this.#expect("do");
    const body = this.#block();
    this.#expect("end");
    return (frame) => {
      while (isTrue(condition.one(frame))) {
        const result = body(frame);
        if (result === BREAK) break;
        if (result !== undefined) return result;
      }
      return undefined;
    };
  }

  #repeat(): Statement {
    let condition: Expression = { one: () => true };
    const body = this.#block(() => {
      this.#expect("until");
      condition = this.#expression();
    });
    return (frame) => {
      do {
        const result = body(frame);
        if (result === BREAK) break;
        if (result !== undefined) return result;
      } while (!isTrue(condition.one(frame)));
      return undefined;
    };
  }

  #callOrAssignment(): Statement {
    const first = this.#suffixed();
    if (this.#token.text !== "=" && this.#token.text !== ",") {
      const { all } = first;
      if (!all) throw this.#unexpected();
      return (frame) => {
        all(frame);
        return undefined;
      };
    }
    const targets = [first];
    while (this.#accept(",")) targets.push(this.#suffixed());
    this.#expect("=");
    const values = this.#expressions();
    const assignments = targets.map(({ assign }) => {
      if (!assign) throw this.#unexpected();
      return assign;
    });
    return (frame) => {
      const given = values(frame);
      assignments.forEach((assign, i) => assign(frame, given[i]));
      return undefined;
    };
  }

  /** One or more, of which the last can give any number of values. */
  #expressions(): (frame: Frame) => LuaValue[] {
    const list = [this.#expression()];
    while (this.#accept(",")) list.push(this.#expression());
    return spread(list);
  }

  #expression(above: number = 0): Expression {
    let left = this.#unary();
    for (;;) {
      const operator = this.#token.kind === "text" ? "" : this.#token.text;
      const precedence = PRECEDENCE[operator] ?? 0;
      if (precedence <= above) return left;
      this.#next++;
      // Only `..` groups to the right.
      const right = this.#expression(operator === ".." ? precedence - 1 : precedence);
      left = binary(operator, left.one, right.one);
    }
  }

  #unary(): Expression {
    if (this.#accept("not")) {
      const { one } = this.#expression(UNARY);
      return { one: (frame) => !isTrue(one(frame)) };
    }
    if (this.#accept("-")) {
      const { one } = this.#expression(UNARY);
      return { one: (frame) => -checkNumber(one(frame)) };
    }
    if (this.#accept("#")) {
      const { one } = this.#expression(UNARY);
      return { one: (frame) => lengthOf(one(frame)) };
    }
    return this.#simple();
  }

  #simple(): Expression {
    const { kind, text } = this.#token;
    if (kind === "text") return this.#constant(text);
    if (kind === "number") return this.#constant(Number(text));
    if (kind === "keyword" && text === "nil") return this.#constant(undefined);
    if (kind === "keyword" && text === "true") return this.#constant(true);
    if (kind === "keyword" && text === "false") return this.#constant(false);
    if (text === "{") return this.#table();
    return this.#suffixed();
  }

  #constant(value: LuaValue): Expression {
    this.#next++;
    return { one: () => value };
  }

  #table(): Expression {
    this.#expect("{");
    const items: Expression[] = [];
    const fields: [string, Expression][] = [];
    while (!this.#accept("}")) {
      if (this.#token.kind === "name" && this.#tokens[this.#next + 1]?.text === "=") {
        const name = this.#name();
        this.#expect("=");
        fields.push([name, this.#expression()]);
      } else {
        items.push(this.#expression());
      }
      if (this.#token.text !== "}") this.#expect(",");
    }
    const values = spread(items);
    return {
      one(frame) {
        const table = new LuaTable();
        values(frame).forEach((value, i) => table.set(i + 1, value));
        for (const [name, { one }] of fields) table.set(name, one(frame));
        return table;
      },
    };
  }

  /** A name or something in brackets, with what is called and looked up in it. */
  #suffixed(): Expression {
    let result = this.#accept("(") ? this.#bracketed() : this.#variable();
    for (;;) {
      if (this.#accept(".")) {
        const name = this.#name();
        result = index(result.one, () => name);
      } else if (this.#accept("[")) {
        const key = this.#expression();
        this.#expect("]");
        result = index(result.one, key.one);
      } else if (this.#accept("(")) {
        const args = this.#token.text === ")" ? () => [] : this.#expressions();
        this.#expect(")");
        const { one } = result;
        const all = (frame: Frame): LuaValue[] => call(one(frame), args(frame));
        result = { one: (frame) => all(frame)[0], all };
      } else {
        return result;
      }
    }
  }

  #bracketed(): Expression {
    const { one } = this.#expression();
    this.#expect(")");
    return { one };
  }

  #variable(): Expression {
    const name = this.#name();
    for (let depth = 0; depth < this.#scopes.length; depth++) {
      const scope = this.#scopes[this.#scopes.length - 1 - depth];
      const found = scope?.names.filter((known) => known.name === name).at(-1);
      if (found) return variable(depth, found.slot);
    }
    if (!this.globals.includes(name)) this.globals.push(name);
    return variable(this.#scopes.length, this.globals.indexOf(name));
  }

  #declare(name: string): number {
    const scope = this.#scope;
    const slot = scope.size++;
    scope.names.push({ name, slot });
    return slot;
  }

  get #scope(): Scope {
    const scope = this.#scopes.at(-1);
    if (!scope) throw new LuaError("no scope");
    return scope;
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", text: "", line: 0 };
  }

  #names(): string[] {
    const names = [this.#name()];
    while (this.#accept(",")) names.push(this.#name());
    return names;
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== "name") throw this.#unexpected();
    this.#next++;
    return text;
  }

  #accept(text: string): boolean {
    if (this.#token.kind === "text" || this.#token.text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected();
  }

  #unexpected(): LuaError {
    const { text, line } = this.#token;
    return new LuaError(`line ${line}: '${text}' is not understood here`);
  }
}
