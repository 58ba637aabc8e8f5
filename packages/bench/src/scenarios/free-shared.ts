/** What a free lock costs that could be shared, over one that could not. */
import type { Bench } from "../bench.js";
import { ours } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { rotated } from "../statistics.js";

export async function freeShared({ server, crew, quick }: Bench): Promise<Figure> {
  const samples = new Samples();
  const worker = crew.first;
  const rounds = quick ? 2 : 40;
  for (let round = quick ? 0 : -3; round < rounds; round++) {
    for (const contender of rotated(ours, round + 3)) {
      const where = { contender: contender.name, port: server.port };
      await worker.open(where);
      const work = { ...where, atOnce: 1, times: quick ? 20 : 250 };
      // Each comes first as often as the other.
      const shared = round % 2 === 0 ? await worker.freeKeys({ ...work, kind: "shared" }) : 0;
      const exclusive = await worker.freeKeys(work);
      const after = shared || (await worker.freeKeys({ ...work, kind: "shared" }));
      if (round >= 0) samples.add(contender, after / exclusive);
    }
  }
  return {
    id: "free-shared",
    title: "Obtain and release of a free shared lock, relative to an exclusive one",
    better: "lower",
    goal: 1.5,
    unit: "×",
    method: "time for a number of them in a row, one at a time",
    values: ours.map((contender) => valueOf(contender, samples.of(contender))),
  };
}
