import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { amount } from "@redislock/test-kit";
import fc from "fast-check";

import { comparable, type Observation } from "./observation.js";
import { lookAround, operations } from "./operations.js";
import { memorySubject, redisOneByOne, redisSubject, type Subject } from "./servers.js";

const RUNS = amount(1_500, 4_000);

// What a failure prints, to see the same again: TRUTH_SEED=… TRUTH_PATH=… pnpm test -- truth
const { TRUTH_SEED, TRUTH_PATH } = process.env;
const again = {
  ...(TRUTH_SEED && { seed: Number(TRUTH_SEED) }),
  ...(TRUTH_PATH && { path: TRUTH_PATH }),
};

let redis: Subject;
let memory: Subject;
let oneByOne: Subject;
beforeAll(async () => {
  redis = await redisSubject();
  memory = memorySubject();
  oneByOne = await redisOneByOne();
});
afterAll(async () => {
  await Promise.all([redis.stop(), oneByOne.stop()]);
});

test("the server in memory answers as Redis does, whatever is asked in whatever order", async () => {
  const reached = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(operations, async (drawn) => {
      const all = [...drawn, ...lookAround];
      const truth = await redis.observe(all);
      expect(comparable(all, await memory.observe(all))).toEqual(comparable(all, truth));
      count(reached, truth);
    }),
    { numRuns: RUNS, ...again },
  );
  // Sequences that reach nothing prove nothing.
  if (!TRUTH_PATH)
    for (const rare of ["grant", "come", "hello", "WRONGTYPE"]) {
      expect([rare, reached.get(rare)]).toEqual([rare, expect.any(Number)]);
      expect(reached.get(rare)).toBeGreaterThan(RUNS / 40);
    }
}, 600_000);

test("a command for many does what each of them does by itself, in any state of the keys", async () => {
  await fc.assert(
    fc.asyncProperty(operations, async (drawn) => {
      const all = [...drawn, ...lookAround];
      const [together, apart] = [await redis.observe(all), await oneByOne.observe(all)];
      expect(comparable(all, together)).toEqual(comparable(all, apart));
    }),
    { numRuns: RUNS / 2, ...again },
  );
}, 600_000);

function count(reached: Map<string, number>, { answers, messages }: Observation): void {
  const errors = answers.flatMap((answer) =>
    typeof answer === "object" && answer !== null && "error" in answer ? [answer.error] : [],
  );
  for (const what of [...errors, ...messages.map((message) => message.split(" ")[0] ?? "")]) {
    reached.set(what, (reached.get(what) ?? 0) + 1);
  }
}
