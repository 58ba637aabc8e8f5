import type { Violation, Wrong } from "../violation.js";
import { type Setting, simulate } from "./simulate.js";

/** A schedule that went wrong. */
export interface Finding {
  readonly seed: number;
  readonly wrong: Wrong;
  readonly details: string;
  /** What happened, without what does not matter to it. */
  readonly history: readonly string[];
  /** What makes it happen again: options of `pnpm simulate`. */
  readonly again: string;
}

/** How often a schedule is run again at most to find out what of it matters. */
const TRIALS = 1_000;
/** How much of the story is told at most. */
const LINES = 100;

/** What goes wrong in the first schedule that does; cheaper than {@link search}, which explains it. */
export async function firstWrong(
  from: number,
  count: number,
  setting: Omit<Setting, "seed">,
): Promise<Wrong | undefined> {
  for (let seed = from; seed < from + count; seed++) {
    const { violation } = await simulate({ ...setting, seed });
    if (violation) return violation.wrong;
  }
  return undefined;
}

/** Runs one schedule after the other, and stops at the first that goes wrong. */
export async function search(
  from: number,
  count: number,
  setting: Omit<Setting, "seed">,
): Promise<Finding | undefined> {
  for (let seed = from; seed < from + count; seed++) {
    const { violation, happened } = await simulate({ ...setting, seed });
    if (violation) return explained({ ...setting, seed }, violation, happened);
  }
  return undefined;
}

/**
 * The same violation with as few mishaps and as few rounds as can be: leaves out half of them, a quarter,
 * and so on down to each single one, as long as what is left goes wrong in the same way.
 */
async function explained(
  setting: Setting,
  { wrong, message }: Violation,
  happened: readonly string[],
): Promise<Finding> {
  let prevented: ReadonlySet<string> = new Set();
  let left = happened;
  let trials = 0;
  const leaveOut = async (size: number): Promise<void> => {
    for (let start = 0; start < left.length && trials < TRIALS; trials++) {
      const without = new Set([...prevented, ...left.slice(start, start + size)]);
      const result = await simulate({ ...setting, prevented: without });
      if (result.violation?.wrong === wrong) [left, prevented] = [result.happened, without];
      else start += size;
    }
  };
  for (let size = left.length >> 1; size >= 1; size >>= 1) await leaveOut(size);
  for (let before = Infinity; left.length < before;) {
    before = left.length;
    await leaveOut(1);
  }
  const { violation, history } = await simulate({ ...setting, prevented, written: true });
  const details = violation?.message ?? message;
  return { seed: setting.seed, wrong, details, history, again: optionsOf(setting) };
}

/** For people: what is wrong, how it came to it, and how to see it again. */
export function report({ details, history, again }: Finding): string {
  return [
    details,
    "",
    "  time ms  who       what",
    ...history.slice(-LINES),
    "",
    `The same again: pnpm simulate ${again}`,
  ].join("\n");
}

function optionsOf(setting: Setting): string {
  const { seed, servers = "one", beyond = [], spared = [], accepted = [], frozen } = setting;
  const list = (name: string, items: readonly string[]): string =>
    items.length > 0 ? ` --${name} ${items.join(",").replaceAll(" ", "_")}` : "";
  const all = [list("with", beyond), list("without", spared), list("accept", accepted)].join("");
  const which = servers === "one" ? "" : ` --servers ${servers}`;
  return `--from ${seed} --seeds 1${which}${all}${frozen ? " --frozen <number>" : ""}`;
}
