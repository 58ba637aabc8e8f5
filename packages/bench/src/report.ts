/** Keeps the results in docs/bench: as data, as a page, and as one chart for each figure. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { chart } from "./chart.js";
import type { Figure } from "./figures.js";
import type { Machine } from "./machine.js";
import { goalOf, inUnits, markdown, spread, summary } from "./tables.js";

export interface Results {
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

const FOLDER = new URL("../../../docs/bench/", import.meta.url);

export async function writeReport(results: Results): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(file("results.json"), `${JSON.stringify(results, null, 2)}\n`);
  await writeFile(file("README.md"), page(results));
  for (const figure of results.figures) await writeFile(file(`${figure.id}.svg`), chart(figure));
}

export async function readResults(): Promise<Results> {
  const results: unknown = JSON.parse(await readFile(file("results.json"), "utf8"));
  if (isResults(results)) return results;
  throw new TypeError("docs/bench/results.json holds no results: run the benchmark");
}

/** Whether it is what {@link writeReport} wrote. */
function isResults(results: unknown): results is Results {
  return typeof results === "object" && results !== null && "figures" in results;
}

function page({ machine, figures }: Results): string {
  const { date, node, server, cpu, os, load } = machine;
  return [
    "# Measured",
    "",
    "This page and its charts are written by `pnpm bench`. All contenders are measured in one run, in rounds of",
    "changing order, and each figure is a median. A figure with × is a ratio of two measurements in the same",
    "round, because absolute times would say more about the machine. Every run checks that no lock has two",
    "holders at once, and that fencing tokens rise.",
    "",
    `${date}, Node ${node}, ${server}, ${os}, ${cpu}, load ${load.toFixed(1)} before the run.`,
    "Everything ran on one machine over loopback. On a network, round trips cost more, and so does polling.",
    "",
    markdown(summary(figures)),
    ...figures.flatMap((figure) => ["", `## ${figure.title}`, "", ...section(figure)]),
    "",
  ].join("\n");
}

function section(figure: Figure): string[] {
  const goal = figure.goal === undefined ? "" : ` Goal: ${goalOf(figure)}.`;
  const rows = figure.values.map((value) => [
    value.contender,
    inUnits(value.value, figure),
    spread(value, figure),
  ]);
  return [
    `${figure.method[0]?.toUpperCase() ?? ""}${figure.method.slice(1)}.${goal}`,
    "",
    `![${figure.title}](${figure.id}.svg)`,
    "",
    markdown([["contender", "median", "middle half of rounds"], ...rows]),
  ];
}

function file(name: string): URL {
  return new URL(name, FOLDER);
}
