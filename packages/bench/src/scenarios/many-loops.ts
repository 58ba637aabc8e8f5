/** What 4 processes with 16 loops each cost Redis, how fairly they are served, and how fast. */
import { type Bench, ROUNDS } from "../bench.js";
import { CommandCount } from "../command-count.js";
import { ours, peers, quickRaws, raws } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import type { Contender } from "../session.js";
import { median, rotated, sum } from "../statistics.js";
import { contend, type Setting, WORK } from "./contention.js";

const SETUP = `4 processes with 16 loops each on one key, each holding it for ${WORK} ms`;

export async function manyLoops(bench: Bench): Promise<Figure[]> {
  // Of those that poll each millisecond, 64 do nothing but poll.
  const raw = bench.quick ? quickRaws : raws.filter(({ poll }) => poll > 1);
  const contenders = [...ours, ...raw, ...peers];
  const setting: Setting = { loops: 64, window: bench.quick ? 150 : 900 };
  const rounds = bench.quick ? 1 : ROUNDS;
  const shares = new Samples();
  const waits = new Samples();
  const rates = new Samples();
  const commands = new Samples();
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      const { fairness, longestWait, rate } = await contend(bench, contender, setting);
      shares.add(contender, fairness);
      waits.add(contender, longestWait);
      rates.add(contender, rate);
    }
  }
  for (const contender of contenders) {
    commands.add(contender, await commandsForASection(bench, contender, setting));
  }
  const best = bestOfEachClient(raw, rates);
  return [
    {
      id: "commands",
      title: "Commands on the wire per critical section",
      better: "lower",
      goal: 2.1,
      unit: "",
      method: `${SETUP}; counted by MONITOR in a separate run`,
      values: contenders.map((contender) => valueOf(contender, commands.of(contender))),
    },
    {
      id: "fairness",
      title: "Fairness among waiters (Jain's index)",
      better: "higher",
      goal: 0.99,
      unit: "",
      method: `${SETUP}; 1 when all are served equally often, 1/64 when only one is served`,
      values: contenders.map((contender) => valueOf(contender, shares.of(contender))),
    },
    {
      id: "longest-wait",
      title: "Longest wait, relative to the time in which a fair line serves everyone once",
      better: "lower",
      goal: 1.5,
      unit: "×",
      method: `${SETUP}; divided by 64 times the mean time from one grant to the next; capped by the length of the measurement`,
      values: contenders.map((contender) => valueOf(contender, waits.of(contender))),
    },
    {
      id: "throughput",
      title:
        "Critical sections per second, relative to the raw client polling at its best interval",
      better: "higher",
      goal: 1,
      unit: "×",
      method: `${SETUP}; the raw client was best with ${best.map(({ name }) => name).join(", ")}`,
      values: contenders.map((contender) => valueOf(contender, rates.ratios(contender, best))),
    },
  ];
}

/** By itself, for counting slows the server down. */
export async function commandsForASection(
  bench: Bench,
  contender: Contender,
  setting: Setting,
): Promise<number> {
  const { servers = [bench.server] } = setting;
  const counts = await Promise.all(servers.map(({ port }) => CommandCount.start(port)));
  const counted = (): number => sum(counts.map(({ count }) => count));
  let before = 0;
  let during = 0;
  const { sections } = await contend(bench, contender, setting, (edge) => {
    if (edge === "begins") before = counted();
    else during = counted() - before;
  });
  for (const counting of counts) counting.stop();
  // Of one that was not served even once, all that it sent.
  return during / Math.max(sections, 1);
}

function bestOfEachClient(contenders: readonly Contender[], rates: Samples): Contender[] {
  const byRate = [...contenders].sort((a, b) => median(rates.of(b)) - median(rates.of(a)));
  return byRate.filter(
    ({ client }, index) => byRate.findIndex((one) => one.client === client) === index,
  );
}
