/** The terminal that is written to. */
import { stdout } from "node:process";

/** A terminal that does not say, as in some containers, counts as one of the usual size. */
export function screenSize(): { readonly columns: number; readonly rows: number } {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 };
}

/** How wide a table may be; undefined for as wide as it needs, where there is no terminal. */
export function tableWidth(): number | undefined {
  return stdout.isTTY ? screenSize().columns : undefined;
}
