import { describe, expect, test } from "@jest/globals";
import { chart } from "../src/chart.js";
import type { Figure } from "../src/figures.js";
import { figureAsText, markdown, summary } from "../src/tables.js";

const figure: Figure = {
  id: "hand-off",
  title: "Hand-off <fast>",
  better: "lower",
  goal: 1.3,
  unit: "×",
  method: "from here to there",
  values: [
    { contender: "ours", kind: "ours", value: 1.204, low: 1.1, high: 1.31 },
    { contender: "raw, slow", kind: "raw", value: 30 },
    { contender: "raw, quick", kind: "raw", value: 9 },
    { contender: "peer", kind: "peer", value: 212.4 },
  ],
};

describe("tables", () => {
  test("the summary has ours, and the best of those it is compared with", () => {
    expect(summary([figure])[1]).toEqual([
      "Hand-off <fast>",
      "≤ 1.3×",
      "1.2×",
      "9×",
      "212× (peer)",
    ]);
  });

  test("a figure in a terminal says between which half of the rounds lie", () => {
    expect(figureAsText(figure)).toContain("1.1 – 1.31×");
  });

  test("a table in Markdown has columns of one width", () => {
    expect(
      markdown([
        ["", "b"],
        ["long", "c"],
      ]),
    ).toBe(["|      | b   |", "| ---- | --- |", "| long | c   |"].join("\n"));
  });
});

describe("chart", () => {
  test("has a bar for each value, the goal, and colours for a dark page", () => {
    const svg = chart(figure);
    expect(svg.match(/<rect /g)).toHaveLength(4);
    expect(svg).toContain('class="goal"');
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  test("keeps what titles hold out of the markup", () => {
    expect(chart(figure)).toContain("Hand-off &lt;fast&gt;");
  });
});
