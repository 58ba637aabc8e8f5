/**
 * `pnpm simulate --seeds N [--from M]`: runs the schedules of N seeds, and tells of the first that goes wrong.
 * `--with` and `--without` name troubles that all of them have, or are spared; `--accept` what may go wrong;
 * `--frozen` the scripts that some of the processes run; `--servers` which servers there are.
 */
import { parseArgs } from "node:util";

import { library } from "./library.js";

import { frozenFile, thaw } from "./frozen.js";
import { report, search } from "./schedules/search.js";
import { isServers } from "./schedules/simulate.js";
import { isTrouble, type Trouble } from "./schedules/world.js";
import { isWrong } from "./violation.js";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    with: { type: "string", default: "" },
    without: { type: "string", default: "" },
    accept: { type: "string", default: "" },
    frozen: { type: "string" },
    servers: { type: "string", default: "one" },
  },
});
const BATCH = 500;
const from = Number(values.from);
const end = from + Number(values.seeds);
if (!isServers(values.servers)) throw new Error(`no servers are known as "${values.servers}"`);
const setting = {
  servers: values.servers,
  library,
  beyond: troublesIn(values.with),
  spared: troublesIn(values.without),
  accepted: listed(values.accept, isWrong),
  ...(values.frozen && { frozen: thaw(await frozenFile(Number(values.frozen))) }),
};

for (let seed = from; seed < end; seed += BATCH) {
  const finding = await search(seed, Math.min(BATCH, end - seed), setting);
  if (finding) {
    console.log(report(finding));
    process.exit(1);
  }
  console.log(`seeds ${seed} to ${Math.min(seed + BATCH, end) - 1}: as promised`);
}

function troublesIn(text: string): Trouble[] {
  return listed(text, isTrouble);
}

function listed<T extends string>(text: string, isOne: (item: string) => item is T): T[] {
  if (text === "") return [];
  return text.split(",").map((item) => {
    const name = item.replaceAll("_", " ");
    if (!isOne(name)) throw new Error(`"${name}" is none that is known`);
    return name;
  });
}
