import { describe, expect, test } from "@jest/globals";
import { fairness, median, medianInterval, quantile, rotated } from "../src/statistics.js";

describe("statistics", () => {
  test("a median is what half of the values are below, in whatever order they come", () => {
    expect(median([30, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20);
  });

  test("how sure a median is depends on how many values there are, not on how they scatter", () => {
    const values = Array.from({ length: 15 }, (_, index) => (index + 1) ** 3);
    // Tables of the sign test: of 15, the 4th and the 12th hold it with 96.5 %, the 5th and 11th with 88 %.
    expect(medianInterval(values, 0.95)).toEqual([4 ** 3, 12 ** 3]);
    expect(medianInterval(values, 0.88)).toEqual([5 ** 3, 11 ** 3]);
    expect(medianInterval([3, 1, 2], 0.95)).toEqual([1, 3]);
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
