/** `pnpm simulate --seeds N [--from M]`: runs the schedules of N seeds, and tells of the first that goes wrong. */
import { parseArgs } from "node:util";

import * as library from "@redislock/core";

import { report, search } from "./schedules/search.js";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
  },
});
const BATCH = 500;
const from = Number(values.from);
const end = from + Number(values.seeds);

for (let seed = from; seed < end; seed += BATCH) {
  const finding = await search(seed, Math.min(BATCH, end - seed), { library });
  if (finding) {
    console.log(report(finding));
    process.exit(1);
  }
  console.log(`seeds ${seed} to ${Math.min(seed + BATCH, end) - 1}: as promised`);
}
