/** Columns and colours for a terminal, or for a log, which gets no colours. */

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const ESCAPE = "\u001b[";

/** Colours only where someone looks who has not said that they want none (https://no-color.org). */
export function paintFor(stream: { readonly isTTY?: boolean }): Paint {
  const colours =
    stream.isTTY === true && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
  const style =
    (code: number) =>
    (text: string): string =>
      colours ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text;
  return { bold: style(1), dim: style(2), good: style(32), bad: style(31) };
}

/** Text in columns; a negative width is that of a column of numbers, which end below each other. */
export function inColumns(widths: readonly number[], cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = widths[index] ?? 0;
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
    })
    .join("  ")
    .trimEnd();
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
