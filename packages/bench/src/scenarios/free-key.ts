/** Obtain and release of locks that nobody else wants, over what the raw client takes for it. */
import type { RedisServer } from "@redislock/test-kit";
import { type Bench, ROUNDS } from "../bench.js";
import { ours, peers, rawsAtRest } from "../contenders.js";
import { type Figure, type Value, valueOf } from "../figures.js";
import type { FreeKeys } from "../jobs.js";
import { Samples } from "../samples.js";
import type { Contender } from "../session.js";
import { rotated } from "../statistics.js";

const contenders = [...ours, ...rawsAtRest, ...peers];

/** After so many milliseconds, the code that runs next has left the caches of the processors. */
export const COLD = 150;

export async function oneAtATime(bench: Bench): Promise<Figure[]> {
  const { took, cost } = await measure(bench, contenders, {
    atOnce: 1,
    times: bench.quick ? 20 : 250,
  });
  return [
    {
      id: "free-key",
      title: "Obtain and release of a free key, one at a time, relative to the raw client",
      better: "lower",
      goal: 1.1,
      unit: "×",
      method: "time for a number of them in a row; the raw client issues no fencing token",
      values: took,
    },
    {
      id: "free-key-redis",
      title: "Processor time of Redis for that, relative to the raw client",
      better: "lower",
      goal: 1.5,
      unit: "×",
      method: "user and system time of the server for a number of them in a row, by INFO",
      values: cost,
    },
  ];
}

export async function manyAtOnce(bench: Bench): Promise<Figure> {
  const work: Work = { atOnce: 64, times: bench.quick ? 128 : 1_280 };
  const { took } = await measure(bench, contenders, work);
  return {
    id: "free-keys-at-once",
    title: "The same, 64 at once, each on a key of its own",
    better: "lower",
    goal: 1,
    unit: "×",
    method: "time for a number of them, taken by 64 loops in one process",
    values: took,
  };
}

/** One at a time, by code and a server that did other things meanwhile. */
export async function oneAfterAPause(bench: Bench): Promise<Figure> {
  const work: Work = { atOnce: 1, times: bench.quick ? 2 : 12, pause: COLD };
  const { took } = await measure(bench, [...ours, ...rawsAtRest], work, ROUNDS);
  return {
    id: "free-key-cold",
    title: "Obtain and release of a free key after a pause, relative to the raw client",
    better: "lower",
    unit: "×",
    method: `time for one of them, once every ${COLD} ms`,
    values: took,
  };
}

/** 64 at once, none of which was locked before. */
export async function freshNames(bench: Bench): Promise<Figure> {
  const work: Work = { atOnce: 64, times: bench.quick ? 128 : 1_280, fresh: true };
  const { took } = await measure(bench, [...ours, ...rawsAtRest], work);
  return {
    id: "fresh-keys-at-once",
    title: "64 at once, each on a key that was never used before, relative to the raw client",
    better: "lower",
    goal: 1,
    unit: "×",
    method: "time for a number of them, taken by 64 loops in one process",
    values: took,
  };
}

/** What is taken and released: by how many at once, how often, after which pause. */
export type Work = Pick<FreeKeys, "atOnce" | "times" | "pause" | "fresh">;

/** The time that it took, and the server's time for it, over what the measures of the same round took. */
export async function measure(
  { server, crew, quick }: Bench,
  contenders: readonly Contender[],
  work: Work,
  manyRounds: number = 40,
  measures: readonly Contender[] = rawsAtRest,
): Promise<{ readonly took: Value[]; readonly cost: Value[] }> {
  const times = new Samples();
  const costs = new Samples();
  const worker = crew.first;
  const rounds = quick ? 2 : manyRounds;
  const warmUps = quick ? 0 : 3;
  for (let round = -warmUps; round < rounds; round++) {
    for (const contender of rotated(contenders, round + warmUps)) {
      const where = { contender: contender.name, port: server.port };
      await worker.open(where);
      const before = await processorTime(server);
      const took = await worker.freeKeys({ ...where, ...work });
      const cost = (await processorTime(server)) - before;
      if (round < 0) continue;
      times.add(contender, took);
      costs.add(contender, cost);
    }
  }
  const valuesOf = (samples: Samples): Value[] =>
    contenders.map((contender) => valueOf(contender, samples.ratios(contender, measures)));
  return { took: valuesOf(times), cost: valuesOf(costs) };
}

/** Seconds of a processor that a server has used so far. */
export async function processorTime(server: RedisServer): Promise<number> {
  const info = String(await server.command("INFO", "cpu"));
  const [user, system] = ["user", "sys"].map((kind) =>
    Number(new RegExp(`used_cpu_${kind}:([\\d.]+)`).exec(info)?.[1]),
  );
  return (user ?? NaN) + (system ?? NaN);
}
