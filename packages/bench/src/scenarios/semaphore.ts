/** What 4 processes with 16 loops each make of a semaphore with few permits. */
import { type Bench, ROUNDS } from "../bench.js";
import { ours, rawKinds, semaphores } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { rotated } from "../statistics.js";
import { contend, type Setting, WORK } from "./contention.js";
import { commandsForASection } from "./many-loops.js";

const LIMIT = 5;
const LOOPS = 64;
/** Milliseconds in which all would be served once, if nothing took time but the work. */
const IDEAL = (LOOPS * WORK) / LIMIT;
const SETUP = `4 processes with 16 loops each want one of ${LIMIT} permits, each for ${WORK} ms`;

const contenders = [...ours, ...rawKinds, ...semaphores];

export async function semaphore(bench: Bench): Promise<Figure[]> {
  const setting: Setting = {
    loops: LOOPS,
    window: bench.quick ? 150 : 900,
    kind: { limit: LIMIT },
  };
  const shares = new Samples();
  const waits = new Samples();
  const rates = new Samples();
  const commands = new Samples();
  for (let round = 0; round < (bench.quick ? 1 : ROUNDS); round++) {
    for (const contender of rotated(contenders, round)) {
      const { fairness, longestWaitTime, rate } = await contend(bench, contender, setting);
      shares.add(contender, fairness);
      waits.add(contender, longestWaitTime / IDEAL);
      rates.add(contender, rate);
    }
  }
  for (const contender of contenders) {
    commands.add(contender, await commandsForASection(bench, contender, setting));
  }
  return [
    {
      id: "semaphore-commands",
      title: `Semaphore of ${LIMIT}: commands on the wire per critical section`,
      better: "lower",
      goal: 2.2,
      unit: "",
      method: `${SETUP}; counted by MONITOR in a separate run`,
      values: contenders.map((contender) => valueOf(contender, commands.of(contender))),
    },
    {
      id: "semaphore-fairness",
      title: `Semaphore of ${LIMIT}: fairness among waiters (Jain's index)`,
      better: "higher",
      goal: 0.98,
      unit: "",
      method: `${SETUP}; 1 when all are served equally often`,
      values: contenders.map((contender) => valueOf(contender, shares.of(contender))),
    },
    {
      id: "semaphore-longest-wait",
      title: `Semaphore of ${LIMIT}: longest wait, relative to the time that the work of all takes`,
      better: "lower",
      unit: "×",
      method: `${SETUP}; divided by ${IDEAL} ms; capped by the length of the measurement`,
      values: contenders.map((contender) => valueOf(contender, waits.of(contender))),
    },
    {
      id: "semaphore-throughput",
      title: `Semaphore of ${LIMIT}: critical sections per second, relative to scripts by hand that poll`,
      better: "higher",
      unit: "×",
      method: SETUP,
      values: contenders.map((contender) => valueOf(contender, rates.ratios(contender, rawKinds))),
    },
  ];
}
