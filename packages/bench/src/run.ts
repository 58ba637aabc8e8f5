import { startServer } from "@redislock/test-kit";
import type { Bench } from "./bench.js";
import { Crew } from "./crew.js";
import type { Figure } from "./figures.js";
import { machine } from "./machine.js";
import { readResults, writeReport } from "./report.js";
import { bundleSize } from "./scenarios/bundle-size.js";
import { clusterWakeUp } from "./scenarios/cluster-wake-up.js";
import { freshNames, manyAtOnce, oneAfterAPause, oneAtATime } from "./scenarios/free-key.js";
import { freeShared } from "./scenarios/free-shared.js";
import { coldHandOff, handOff } from "./scenarios/hand-off.js";
import { handOffParts } from "./scenarios/hand-off-parts.js";
import { idleWaiter } from "./scenarios/idle-waiter.js";
import { killedHolder } from "./scenarios/killed-holder.js";
import { manyLoops } from "./scenarios/many-loops.js";
import { manyWaiters } from "./scenarios/many-waiters.js";
import { minReplicas } from "./scenarios/min-replicas.js";
import { quorum } from "./scenarios/quorum.js";
import { readersBehindWriter, writerAmongReaders } from "./scenarios/readers-and-writer.js";
import { semaphore } from "./scenarios/semaphore.js";
import { figureAsText, summaryAsText } from "./tables.js";

const scenarios: Record<string, (bench: Bench) => Promise<Figure | Figure[]>> = {
  "hand-off": handOff,
  "cold-hand-off": coldHandOff,
  "hand-off-parts": handOffParts,
  "many-loops": manyLoops,
  "idle-waiter": idleWaiter,
  "one-at-a-time": oneAtATime,
  "one-after-a-pause": oneAfterAPause,
  "many-at-once": manyAtOnce,
  "fresh-names": freshNames,
  "many-waiters": manyWaiters,
  "bundle-size": bundleSize,
  "killed-holder": killedHolder,
  semaphore,
  "writer-among-readers": writerAmongReaders,
  "readers-behind-writer": readersBehindWriter,
  "free-shared": freeShared,
  quorum,
  "min-replicas": minReplicas,
  "cluster-wake-up": clusterWakeUp,
};

const CREW = 4;

/** Draws the charts of the last results again. */
export async function draw(): Promise<void> {
  await writeReport(await readResults());
}

/**
 * Runs the benchmark and prints it; writes docs/bench anew if it was the whole of it.
 *
 * @param chosen - The scenarios to run; all, if there are none.
 */
export async function run(chosen: readonly string[], quick: boolean): Promise<void> {
  const unknown = chosen.find((name) => !Object.hasOwn(scenarios, name));
  if (unknown !== undefined) {
    throw new Error(`There is no ${unknown}, only ${Object.keys(scenarios).join(", ")}`);
  }
  const wanted = Object.entries(scenarios).filter(
    ([name]) => chosen.length === 0 || chosen.includes(name),
  );
  const server = await startServer();
  const crew = new Crew(CREW);
  const bench: Bench = { server, crew, quick, violations: [] };
  const about = await machine(server);
  const figures: Figure[] = [];
  try {
    for (const [name, scenario] of wanted) {
      const started = performance.now();
      const found = [await scenario(bench)].flat();
      for (const figure of found) console.log(`\n${figureAsText(figure)}`);
      console.log(`\n${name}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
      figures.push(...found);
    }
  } finally {
    await crew.end();
    await server.stop();
  }
  console.log(`\n${summaryAsText(figures)}`);
  if (bench.violations.length > 0) {
    const examples = bench.violations.slice(0, 10).join("\n");
    throw new Error(`Mutual exclusion was broken ${bench.violations.length} times:\n${examples}`);
  }
  console.log("\nNo two ever had a lock at once, and fencing tokens rose with every grant.");
  if (quick)
    console.log("This was a quick run: it shows that all works, the figures mean nothing.");
  else if (chosen.length === 0) await writeReport({ machine: about, figures });
}
