/** This build beside an earlier one, in one run: for each change that is meant to make something faster. */
import { startServer } from "@redislock/test-kit";
import type { Bench } from "./bench.js";
import { before, ours } from "./contenders.js";
import { Crew } from "./crew.js";
import { COLD, processorTime, type Work } from "./scenarios/free-key.js";
import { inTurns } from "./scenarios/hand-off.js";
import type { Contender } from "./session.js";
import { median, medianInterval } from "./statistics.js";
import { columns } from "./tables.js";

/** Something of which less is better. */
type Measure = (bench: Bench, contender: Contender) => Promise<number>;

const MEASURES: Readonly<Record<string, Measure>> = {
  "hand-off, back to back": async (bench, contender) => median(await inTurns(bench, contender)),
  "hand-off after a pause": async (bench, contender) =>
    median(await inTurns(bench, contender, COLD)),
  "free key, one at a time": freeKeys({ atOnce: 1, times: 250 }),
  "the same, time of Redis": async (bench, contender) => {
    const started = await processorTime(bench.server);
    await freeKeys({ atOnce: 1, times: 1_000 })(bench, contender);
    return (await processorTime(bench.server)) - started;
  },
  "free key after a pause": freeKeys({ atOnce: 1, times: 12, pause: COLD }),
  "64 free keys at once": freeKeys({ atOnce: 64, times: 1_280 }),
  "64 at once, never used before": freeKeys({ atOnce: 64, times: 1_280, fresh: true }),
};

const ROUNDS = 15;

export async function comparison(commit: string, quick: boolean): Promise<void> {
  const server = await startServer();
  const crew = new Crew(2);
  const bench: Bench = { server, crew, quick, violations: [] };
  const pairs = ours.flatMap((now) => {
    const then = before.find(({ client }) => client === now.client);
    return then ? [{ now, then }] : [];
  });
  console.log(`Now over ${commit}: below 1 is faster.\n`);
  const rows = [["", "client", "median", "95 % sure"]];
  try {
    for (const [what, measure] of Object.entries(MEASURES)) {
      for (const { now, then } of pairs) {
        const ratios: number[] = [];
        // The first round warms up.
        for (let round = 0; round <= (quick ? 1 : ROUNDS); round++) {
          const order = round % 2 === 0 ? [now, then] : [then, now];
          const found = new Map<Contender, number>();
          for (const one of order) found.set(one, await measure(bench, one));
          if (round > 0) ratios.push((found.get(now) ?? NaN) / (found.get(then) ?? NaN));
        }
        const [low, high] = medianInterval(ratios, 0.95).map((value) => value.toFixed(2));
        rows.push([what, now.client, median(ratios).toFixed(2), `${low} – ${high}`]);
      }
    }
  } finally {
    await crew.end();
    await server.stop();
  }
  console.log(columns(rows));
  if (quick) console.log("\nThis was a quick run: the figures mean nothing.");
}

function freeKeys(work: Work): Measure {
  return async ({ server, crew }, { name }) => {
    const where = { contender: name, port: server.port };
    await crew.first.open(where);
    return crew.first.freeKeys({ ...where, ...work });
  };
}
