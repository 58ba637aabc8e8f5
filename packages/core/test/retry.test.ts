import { describe, expect, test } from "@jest/globals";

import {
  exponentialBackoff,
  jitter,
  limitRetry,
  linearBackoff,
  noRetry,
  type RetryStrategy,
} from "../src/index.js";

function delays(strategy: RetryStrategy, count: number): number[] {
  return Array.from({ length: count }, (_, index) => strategy(index + 1));
}

describe("values", () => {
  test("noRetry never tries again", () => {
    expect(delays(noRetry, 3)).toEqual([0, 0, 0]);
  });

  test("linearBackoff waits the same time after each try", () => {
    expect(delays(linearBackoff(100), 3)).toEqual([100, 100, 100]);
    expect(delays(linearBackoff(0.5 + 1), 1)).toEqual([1.5]);
  });

  test("exponentialBackoff doubles, between its bounds", () => {
    expect(delays(exponentialBackoff(0), 5)).toEqual([2, 4, 8, 16, 32]);
    expect(delays(exponentialBackoff(10, 100), 8)).toEqual([10, 10, 10, 16, 32, 64, 100, 100]);
    expect(exponentialBackoff(10)(40)).toBe(2 ** 31 - 1);
    expect(exponentialBackoff(10, 5_000)(10_000)).toBe(5_000);
  });

  test("limitRetry tries again so many times and no more", () => {
    expect(delays(limitRetry(linearBackoff(7), 3), 5)).toEqual([7, 7, 7, 0, 0]);
    expect(delays(limitRetry(linearBackoff(7), 0), 2)).toEqual([0, 0]);
  });

  test("limitRetry gives up earlier when its strategy does", () => {
    expect(delays(limitRetry(limitRetry(linearBackoff(7), 1), 3), 3)).toEqual([7, 0, 0]);
  });

  test.each([
    [0.5, 0, 100],
    [0.5, 0.5, 75],
    [0.5, 1, 50],
    [1, 0.25, 75],
    [1, 1, 1],
    [0.1, 1, 90],
  ])("jitter by %d leaves, at chance %d, %d of 100 ms", (fraction, chance, delay) => {
    expect(jitter(linearBackoff(100), fraction, () => chance)(1)).toBeCloseTo(delay);
  });

  test("jitter stays within its range, and takes all of it", () => {
    const got = delays(jitter(linearBackoff(100)), 1_000);
    expect(Math.min(...got)).toBeGreaterThan(50);
    expect(Math.max(...got)).toBeLessThanOrEqual(100);
    expect(Math.max(...got) - Math.min(...got)).toBeGreaterThan(40);
  });

  test("jitter does not try again when its strategy gives up", () => {
    expect(jitter(noRetry, 1)(1)).toBe(0);
  });
});

test("strategies keep no count: one object serves any number of obtains", () => {
  const strategy = limitRetry(exponentialBackoff(1, 100), 3);
  const alone = delays(strategy, 5);
  for (let obtain = 0; obtain < 10; obtain++) expect(delays(strategy, 5)).toEqual(alone);
  expect([strategy(5), strategy(1), strategy(1), strategy(4)]).toEqual([0, 2, 2, 0]);
});
