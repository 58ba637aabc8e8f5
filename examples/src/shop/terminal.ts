/** Columns and colours for a terminal, or for a log, which gets no colours. */

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

/** Characters in a line, at most: a terminal is seldom narrower, and a log is read anywhere. */
export const WIDTH = 80;

const ESCAPE = "\u001b[";
const STYLES = new RegExp(`${ESCAPE.replace("[", "\\[")}\\d+m`, "g");

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

/** Lines of at most {@link WIDTH} characters: broken between words, and in one that is longer. */
export function fold(text: string): string[] {
  const lines: string[] = [];
  let line = text;
  while (widthOf(line) > WIDTH) {
    const space = line.lastIndexOf(" ", WIDTH);
    const end = line.slice(0, Math.max(0, space)).trim() === "" ? WIDTH : space;
    lines.push(line.slice(0, end).trimEnd());
    line = line.slice(end).trimStart();
  }
  return [...lines, line];
}

/** As many of the names as there is room for, and how many more there are. */
export function someOf(names: readonly string[], room: number): string {
  for (let shown = names.length; shown > 0; shown--) {
    const more = names.length - shown;
    const text = [...names.slice(0, shown), ...(more > 0 ? [`+${more}`] : [])].join(" ");
    if (text.length <= room) return text;
  }
  return names.length > 0 ? `+${names.length}` : "";
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 100_000 ? 2 : 0)} s`;
}

function widthOf(text: string): number {
  return text.replace(STYLES, "").length;
}
