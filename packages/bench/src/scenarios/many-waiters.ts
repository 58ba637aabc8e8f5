/** What becomes of the critical sections when not a few wait, but many. */
import { type Bench, ROUNDS } from "../bench.js";
import { ours, peers, quickRaws } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { rotated } from "../statistics.js";
import { contend, WORK } from "./contention.js";

const FEW = 10;
const MANY = 500;

const contenders = [...ours, ...quickRaws, ...peers];

const SETUP = `in 4 processes on one key, each holding it for ${WORK} ms`;

export async function manyWaiters(bench: Bench): Promise<Figure[]> {
  const rounds = bench.quick ? 1 : ROUNDS;
  const ratios = new Samples();
  const starving = new Samples();
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      const few = await contend(bench, contender, { loops: FEW, window: bench.quick ? 150 : 600 });
      const many = await contend(bench, contender, {
        loops: MANY,
        window: bench.quick ? 150 : 1_500,
      });
      ratios.add(contender, many.rate / few.rate);
      starving.add(contender, many.starved * 100);
    }
  }
  return [
    {
      id: "many-waiters",
      title: `Critical sections per second with ${MANY} waiters, relative to ${FEW} waiters`,
      better: "higher",
      goal: 1,
      unit: "×",
      method: `loops ${SETUP}`,
      values: contenders.map((contender) => valueOf(contender, ratios.of(contender))),
    },
    {
      id: "starved",
      title: `Share of ${MANY} waiters not served once in the time for serving all twice`,
      better: "lower",
      unit: "%",
      method: `loops ${SETUP}, for 1.5 s`,
      values: contenders.map((contender) => valueOf(contender, starving.of(contender))),
    },
  ];
}
