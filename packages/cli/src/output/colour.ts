/** Colours where a person looks and did not say no. */
import { env } from "node:process";

export type Paint = (text: string) => string;

export interface Palette {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

const codes: Readonly<Record<keyof Palette, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** `FORCE_COLOR` and `NO_COLOR` decide, if set to anything; else whether it is a terminal. */
export function paletteFor(stream: { readonly isTTY?: boolean | undefined }): Palette {
  const wanted = isWanted(stream.isTTY === true);
  const paint = (name: keyof Palette): Paint => {
    const [on, off] = codes[name];
    return wanted ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  };
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
  };
}

function isWanted(isTerminal: boolean): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force) return force !== "0" && force !== "false";
  return !no && term !== "dumb" && isTerminal;
}
