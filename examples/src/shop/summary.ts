import type { Act, Outcome } from "./act.js";
import { inColumns, type Paint, seconds } from "./terminal.js";

/** An act and what came of it. */
export type Result = Act & Outcome;

/** The lines of the table at the end. */
export function summaryOf(results: readonly Result[], paint: Paint): string[] {
  const head = ["act", "sold", "left", "oversold", "hand-offs", "max wait"];
  const rows = results.map(
    ({ title, lock, sold, left, oversold, handOffs, longestWait }, index) => [
      `${index + 1}  ${title}`,
      ...[sold, left, oversold].map(String),
      ...(lock ? [String(handOffs), seconds(longestWait)] : ["-", "-"]),
    ],
  );
  const widest = Math.max(...rows.map(([title = ""]) => title.length));
  const widths = [widest, ...head.slice(1).map((text) => -text.length)];
  return [
    paint.dim(inColumns(widths, head)),
    ...rows.map((row, index) => {
      const line = inColumns(widths, row);
      return results[index]?.oversold === 0 ? line : paint.bad(line);
    }),
  ];
}
