/** What it costs that a replica must have a lock before it is one. */
import { startReplicated } from "@redislock/test-kit";
import type { Bench } from "../bench.js";
import { confirmed, ours } from "../contenders.js";
import type { Figure } from "../figures.js";
import { measure, type Work } from "./free-key.js";

const METHOD =
  "time for a number of them at one master with one replica, by the same client with and without";

export async function minReplicas(bench: Bench): Promise<Figure[]> {
  const { quick } = bench;
  const alone: Work = { atOnce: 1, times: quick ? 20 : 250 };
  const together: Work = { atOnce: 64, times: quick ? 128 : 1_280 };
  const { master, stop } = await startReplicated(1);
  const contenders = [...ours, ...confirmed];
  const there = { ...bench, server: master };
  try {
    const one = await measure(there, contenders, alone, 20, ours);
    const many = await measure(there, contenders, together, 20, ours);
    const figure = { better: "lower", unit: "×", method: METHOD } as const;
    return [
      {
        ...{ ...figure, id: "min-replicas", goal: 2.5 },
        title: "minReplicas: 1: obtain and release of a free key, relative to the same without it",
        values: one.took.filter(isConfirmed),
      },
      {
        ...{ ...figure, id: "min-replicas-at-once", goal: 1.2 },
        title: "The same, 64 at once, each on a key of its own",
        values: many.took.filter(isConfirmed),
      },
    ];
  } finally {
    await stop();
  }
}

function isConfirmed({ contender }: { readonly contender: string }): boolean {
  return confirmed.some(({ name }) => name === contender);
}
