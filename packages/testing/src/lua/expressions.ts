import { operators } from "./operators.js";
import { checkTable, isTrue, LuaError, type LuaValue } from "./values.js";

/** The variables of one call of a function. */
export interface Frame {
  readonly slots: LuaValue[];
  /** Those of the function that it stands in. */
  readonly outer: Frame | undefined;
}

/** An expression, compiled. Only a call gives more than one value. */
export interface Expression {
  readonly one: (frame: Frame) => LuaValue;
  readonly all?: (frame: Frame) => LuaValue[];
  /** For what can stand left of `=`. */
  readonly assign?: (frame: Frame, value: LuaValue) => void;
}

/** A local variable or a global: so many functions further out, at that slot. */
export function variable(depth: number, slot: number): Expression {
  const frameOf = (frame: Frame): Frame => {
    let found = frame;
    for (let i = 0; i < depth; i++) found = found.outer ?? found;
    return found;
  };
  return {
    one: (frame) => frameOf(frame).slots[slot],
    assign: (frame, value) => (frameOf(frame).slots[slot] = value),
  };
}

/** `of[key]`, or `of.key` */
export function index(of: Expression["one"], key: Expression["one"]): Expression {
  return {
    one: (frame) => checkTable(of(frame)).get(key(frame)),
    assign: (frame, value) => checkTable(of(frame)).set(key(frame), value),
  };
}

/** The values of all of them; of the last, all that it gives. */
export function spread(list: readonly Expression[]): (frame: Frame) => LuaValue[] {
  const last = list.at(-1)?.all;
  const single = last ? list.slice(0, -1) : list;
  return (frame) => {
    const values = single.map(({ one }) => one(frame));
    return last ? [...values, ...last(frame)] : values;
  };
}

/** What an operator makes of two; `and` and `or` look at the second only if they need it. */
export function binary(operator: string, a: Expression["one"], b: Expression["one"]): Expression {
  if (operator === "and") {
    return {
      one: (frame) => {
        const value = a(frame);
        return isTrue(value) ? b(frame) : value;
      },
    };
  }
  if (operator === "or") {
    return {
      one: (frame) => {
        const value = a(frame);
        return isTrue(value) ? value : b(frame);
      },
    };
  }
  const apply = operators[operator];
  if (!apply) throw new LuaError(`no operator ${operator}`);
  return { one: (frame) => apply(a(frame), b(frame)) };
}
