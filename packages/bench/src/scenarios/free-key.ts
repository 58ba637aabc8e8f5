/** Obtain and release of locks that nobody else wants, over what the raw client takes for it. */
import type { Bench } from "../bench.js";
import { ours, peers, rawsAtRest } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { rotated } from "../statistics.js";

const contenders = [...ours, ...rawsAtRest, ...peers];

export async function oneAtATime(bench: Bench): Promise<Figure> {
  return {
    id: "free-key",
    title: "Obtain and release of a free key, one at a time, relative to the raw client",
    better: "lower",
    goal: 1.1,
    unit: "×",
    method: "time for a number of them in a row; the raw client issues no fencing token",
    values: await measure(bench, 1, bench.quick ? 20 : 250),
  };
}

export async function manyAtOnce(bench: Bench): Promise<Figure> {
  return {
    id: "free-keys-at-once",
    title: "The same, 64 at once, each on a key of its own",
    better: "lower",
    goal: 1,
    unit: "×",
    method: "time for a number of them, taken by 64 loops in one process",
    values: await measure(bench, 64, bench.quick ? 128 : 1_280),
  };
}

async function measure({ server, crew, quick }: Bench, atOnce: number, times: number) {
  const samples = new Samples();
  const worker = crew.first;
  const rounds = quick ? 2 : 40;
  const warmUps = quick ? 0 : 3;
  for (let round = -warmUps; round < rounds; round++) {
    for (const contender of rotated(contenders, round + warmUps)) {
      const where = { contender: contender.name, port: server.port };
      await worker.open(where);
      const took = await worker.freeKeys({ ...where, atOnce, times });
      if (round >= 0) samples.add(contender, took);
    }
  }
  return contenders.map((contender) => valueOf(contender, samples.ratios(contender, rawsAtRest)));
}
