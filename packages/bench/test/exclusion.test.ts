import { describe, expect, test } from "@jest/globals";
import { risingFences, violations } from "../src/exclusion.js";
import type { Section } from "../src/jobs.js";

function section(granted: number, released: number, fence?: number): Section {
  return { asked: 0, granted, released, fence };
}

describe("violations", () => {
  test("there are none when each had the lock after the other, however they are listed", () => {
    expect(violations([section(3, 4, 12), section(1, 2, 10), section(2, 3, 11)])).toEqual([]);
  });

  test("two who had the lock at once are found", () => {
    expect(violations([section(1, 3), section(2.5, 4)])).toEqual([
      "two had the lock at once, for 0.500 ms",
    ]);
  });

  test("one that had the lock long is not hidden by another that came and went meanwhile", () => {
    expect(violations([section(1, 10), section(2, 3), section(4, 5)])).toHaveLength(2);
  });

  test("a fencing token that does not rise is found", () => {
    expect(violations([section(1, 2, 10), section(3, 4, 10)])).toEqual([
      "fencing token 10 came after 10",
    ]);
  });
});

describe("violations of kinds", () => {
  const read = (granted: number, released: number, fence?: number): Section => ({
    ...section(granted, released, fence),
    kind: "shared",
  });
  const permit = (granted: number, released: number): Section => ({
    ...section(granted, released),
    kind: { limit: 2 },
  });

  test("readers have the lock together, with one fencing token", () => {
    expect(violations([read(1, 5, 10), read(2, 3, 10), section(5, 6, 11)])).toEqual([]);
  });

  test("a writer beside a reader is found, whoever came first", () => {
    expect(violations([read(1, 5), section(2, 3)])).toHaveLength(1);
    expect(violations([section(1, 5), read(2, 3)])).toHaveLength(1);
  });

  test("a permit too many is found", () => {
    expect(violations([permit(1, 5), permit(2, 3), permit(4, 5)])).toEqual([]);
    expect(violations([permit(1, 5), permit(2, 4), permit(3, 5)])).toEqual([
      "3 had one of 2 permits",
    ]);
  });

  test("a writer's fencing token that is not above the readers' is found", () => {
    expect(violations([read(1, 2, 10), section(3, 4, 10)])).toHaveLength(1);
  });
});

describe("risingFences", () => {
  test("is the part of the grants whose fencing token is above all before, in their order", () => {
    const mixed = [section(4, 5, 12), section(1, 2, 10), section(3, 4, 9), section(2, 3)];
    expect(risingFences(mixed)).toBe(0.5);
  });

  test("is none where there are no fencing tokens, or no grants", () => {
    expect([risingFences([section(1, 2)]), risingFences([])]).toEqual([0, 0]);
  });
});
