/** Columns of text, as wide as they need, and no wider than the terminal. */
import { columnsOf, cut, plain } from "./text.js";
import type { Paint } from "./colour.js";

export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

const GAP = 2;
/** A column is never cut below this. */
const NARROWEST = 8;

/** Lines of a table; the widest columns are cut when `width` is known and too small. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
  title: Paint,
): string[] {
  const clean = rows.map((row) => row.map(plain));
  const widths = columns.map((column, i) =>
    clean.reduce((most, row) => Math.max(most, columnsOf(row[i] ?? "")), column.title.length),
  );
  if (width !== undefined) narrow(widths, width - GAP * (columns.length - 1));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, i) => {
        const cell = cut(cells[i] ?? "", widths[i] ?? 0);
        const space = " ".repeat(Math.max(0, (widths[i] ?? 0) - columnsOf(cell)));
        return right ? space + cell : cell + space;
      })
      .join(" ".repeat(GAP))
      .trimEnd();
  return [title(line(columns.map((column) => column.title))), ...clean.map(line)];
}

function narrow(widths: number[], available: number): void {
  let over = widths.reduce((sum, width) => sum + width, 0) - available;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) return;
    const second = Math.max(NARROWEST, ...widths.filter((width) => width < widest));
    const at = widths.indexOf(widest);
    const step = Math.max(1, Math.min(over, widest - second));
    widths[at] = widest - step;
    over -= step;
  }
}
