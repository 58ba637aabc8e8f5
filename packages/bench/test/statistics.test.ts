import { describe, expect, test } from "@jest/globals";
import { fairness, median, quantile, rotated } from "../src/statistics.js";

describe("statistics", () => {
  test("a median is what half of the values are below, in whatever order they come", () => {
    expect(median([30, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20);
  });

  test("fairness is 1 when all got the same, and one over their number when one got everything", () => {
    expect(fairness([7, 7, 7, 7])).toBe(1);
    expect(fairness([0, 28, 0, 0])).toBe(0.25);
  });

  test("in any number of rounds everyone comes first as often as everyone else", () => {
    const items = ["a", "b", "c"];
    const first = Array.from({ length: 6 }, (_, round) => rotated(items, round)[0]);
    for (const item of items) expect(first.filter((one) => one === item)).toHaveLength(2);
  });
});
