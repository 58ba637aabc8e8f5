/** Draws a figure as horizontal bars, in SVG that suits a light and a dark page. */
import type { Figure, Value } from "./figures.js";
import { goalOf, inUnits } from "./tables.js";

const WIDTH = 760;
const LABELS = 270;
/** Room for the longest value beside its bar. */
const NUMBERS = 80;
const ROW = 24;
const BAR = 14;
const HEAD = 58;
const MARGIN = 16;

const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #656d76; }
  .strong { font-weight: 600; }
  .ours { fill: #1a7f37; } .peer { fill: #8c959f; } .raw { fill: #54aeff; } .floor { fill: #d4a72c; }
  .goal { stroke: #cf222e; stroke-dasharray: 3 3; opacity: 0.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #8d96a0; }
    .ours { fill: #3fb950; } .peer { fill: #6e7681; } .raw { fill: #388bfd; } .floor { fill: #bb8009; }
    .goal { stroke: #ff7b72; }
  }`;

export function chart(figure: Figure): string {
  const values = figure.values;
  const height = HEAD + values.length * ROW + MARGIN;
  const longest = Math.max(figure.goal ?? 0, ...values.map(({ value }) => value));
  const scale = (WIDTH - LABELS - NUMBERS - MARGIN) / longest;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(figure.title)}</title>`,
    `<style>${STYLE}\n</style>`,
    text(MARGIN, 24, figure.title, "title"),
    text(MARGIN, 44, subtitle(figure), "quiet"),
    ...values.map((value, row) => bar(value, figure, HEAD + row * ROW, scale)),
    ...goalLine(figure, height, scale),
    "</svg>",
    "",
  ].join("\n");
}

function bar(value: Value, figure: Figure, top: number, scale: number): string {
  const length = Math.max(1, value.value * scale);
  const middle = top + ROW / 2 + 4;
  const strong = value.kind === "ours" ? "strong" : "";
  return [
    text(LABELS - 8, middle, value.contender, strong, "end"),
    `<rect class="${value.kind}" x="${LABELS}" y="${top + (ROW - BAR) / 2}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
    text(LABELS + length + 6, middle, inUnits(value.value, figure), strong),
  ].join("\n");
}

function subtitle(figure: Figure): string {
  const better = `${figure.better} is better`;
  return figure.goal === undefined ? better : `${better}; dashed: the goal, ${goalOf(figure)}`;
}

function goalLine({ goal }: Figure, height: number, scale: number): string[] {
  if (goal === undefined) return [];
  const x = (LABELS + goal * scale).toFixed(1);
  return [`<line class="goal" x1="${x}" y1="${HEAD - 4}" x2="${x}" y2="${height - MARGIN + 4}"/>`];
}

function text(x: number, y: number, content: string, style: string, anchor = "start"): string {
  const classes = style === "" ? "" : ` class="${style}"`;
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}"${classes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
