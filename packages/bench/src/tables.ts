import type { Figure, Value } from "./figures.js";

/** A table for a terminal: what was measured, and every contender's value. */
export function figureAsText(figure: Figure): string {
  const rows = figure.values.map((value) => [
    value.contender,
    inUnits(value.value, figure),
    spread(value, figure),
  ]);
  const goal = figure.goal === undefined ? "" : ` (goal: ${goalOf(figure)})`;
  const table = columns([["contender", "median", "middle half of rounds"], ...rows]);
  return [`${figure.title}${goal}`, table, figure.method].join("\n");
}

/** One row for each figure: ours, the raw client, and the best that is published. */
export function summary(figures: readonly Figure[]): string[][] {
  const heading = ["figure", "goal", "ours (ioredis / node-redis)", "best raw", "best peer"];
  return [
    heading,
    ...figures
      .filter(({ aside = false }) => !aside)
      .map((figure) => {
        const ours = ofKind(figure, "ours").map(({ value }) => inUnits(value, figure));
        const raw = best(figure, "raw");
        const peer = best(figure, "peer");
        return [
          figure.title,
          goalOf(figure),
          ours.join(" / "),
          raw ? inUnits(raw.value, figure) : "",
          peer ? `${inUnits(peer.value, figure)} (${peer.contender})` : "",
        ];
      }),
  ];
}

export function summaryAsText(figures: readonly Figure[]): string {
  return columns(summary(figures));
}

/** As Prettier would write it. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows).map((width) => Math.max(width, 3));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [heading = [], ...rest] = rows;
  return [line(heading), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join(
    "\n",
  );
}

export function inUnits(value: number, { unit }: Figure): string {
  return `${rounded(value)}${unit}`;
}

export function goalOf(figure: Figure): string {
  if (figure.goal === undefined) return "";
  return `${figure.better === "lower" ? "≤" : "≥"} ${inUnits(figure.goal, figure)}`;
}

export function spread({ low, high }: Value, figure: Figure): string {
  if (low === undefined || high === undefined || low === high) return "";
  return `${rounded(low)} – ${inUnits(high, figure)}`;
}

function rounded(value: number): string {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 20 ? 1 : size >= 0.995 ? 2 : 3);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function ofKind({ values }: Figure, kind: Value["kind"]): Value[] {
  return values.filter((value) => value.kind === kind);
}

function best(figure: Figure, kind: Value["kind"]): Value | undefined {
  const sign = figure.better === "lower" ? 1 : -1;
  return ofKind(figure, kind).sort((a, b) => sign * (a.value - b.value))[0];
}

export function columns(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("   ")
        .trimEnd(),
    )
    .join("\n");
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
}
