/** Runs a model through every order in which its steps can come, but for orders that make no difference. */
import { Chance } from "../chance.js";
import { seeded } from "../seeded.js";

/** Something that can happen next. */
export interface Step {
  /** The same in every run that came this way. */
  readonly label: string;
  /** Whose state it touches; undefined for everybody's. */
  readonly peer: string | undefined;
  /** Whether it also touches what all share. */
  readonly shared: boolean;
  readonly run: () => void;
}

export interface Model {
  /** What can happen next; empty at the end. */
  steps(): readonly Step[];
  /** Lets what the last step set off come to rest, and throws if that broke a promise. */
  settle(): Promise<void>;
  /** Goes on without choices to the end, and throws if a promise was broken. */
  finish(): Promise<void>;
}

export interface Exploration {
  /** Different orders that were run to their end. */
  readonly schedules: number;
  /** Steps taken in all of them. */
  readonly steps: number;
  /** Whether there was none but these, up to the depth. */
  readonly complete: boolean;
}

/** A broken promise, with the order of steps that leads to it. */
export class Counterexample extends Error {
  constructor(trace: readonly string[], cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${why}\nafter:\n  ${trace.join("\n  ")}`, { cause });
  }
}

/** One choice on the way: what was taken, what was tried in its place before, what is left to try. */
interface Choice {
  taken: Step;
  readonly before: Step[];
  readonly left: Step[];
  /** Steps that need not be taken here: every order that begins with them was run elsewhere. */
  readonly asleep: readonly Step[];
}

/**
 * Depth first, each schedule from a new model: nothing has to be copied or undone. Two steps of different
 * peers that do not both touch what is shared give the same in either order; one of the two orders is run
 * (sleep sets: Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems", 1996).
 *
 * @param depth - After so many choices the model finishes by itself.
 * @param most - Gives up after so many schedules.
 */
export async function explore(
  create: () => Promise<Model>,
  { depth, most }: { readonly depth: number; readonly most: number },
): Promise<Exploration> {
  const path: Choice[] = [];
  let schedules = 0;
  let steps = 0;
  do {
    const model = await create();
    let asleep: readonly Step[] = [];
    let redundant = false;
    const trace: string[] = [];
    try {
      for (let at = 0; at < depth; at++) {
        const enabled = model.steps();
        let choice = path[at];
        if (!choice) {
          const [taken, ...left] = enabled.filter(({ label }) => !includes(asleep, label));
          if (!taken) {
            redundant = enabled.length > 0;
            break;
          }
          choice = { taken, left, before: [], asleep };
          path.push(choice);
        }
        const { taken, before } = choice;
        const step = enabled.find(({ label }) => label === taken.label);
        if (!step) throw new Error(`the model is not deterministic: no ${taken.label} this time`);
        trace.push(step.label);
        step.run();
        await model.settle();
        steps++;
        asleep = [...choice.asleep, ...before].filter((other) => commute(other, taken));
      }
      if (!redundant) {
        schedules++;
        trace.push("(from here on in order)");
        await model.finish();
      }
    } catch (error) {
      throw new Counterexample(trace, error);
    }
  } while (backtrack(path) && schedules < most);
  return { schedules, steps, complete: path.length === 0 };
}

/** Runs a model in so many orders picked by chance: for what has too many to try them all. */
export async function sample(
  create: () => Promise<Model>,
  { depth, schedules, seed }: { readonly depth: number; schedules: number; seed: number },
): Promise<void> {
  const chance = new Chance(seed);
  for (let schedule = 0; schedule < schedules; schedule++) {
    await seeded(chance, async () =>
      follow(await create(), (enabled, at) =>
        at < depth ? enabled[Math.floor(chance.draw("step") * enabled.length)] : undefined,
      ),
    );
  }
}

/** Runs a model in one order: each step is the first whose label begins so. */
export async function replay(model: Model, labels: readonly string[]): Promise<void> {
  await follow(model, (enabled, at) => {
    const label = labels[at];
    if (label === undefined) return undefined;
    const step = enabled.find((one) => one.label.startsWith(label));
    if (!step) throw new Error(`no ${label}, but ${enabled.map((one) => one.label).join(", ")}`);
    return step;
  });
}

/** Takes the steps that are picked, as long as one is, and finishes. */
async function follow(
  model: Model,
  pick: (enabled: readonly Step[], at: number) => Step | undefined,
): Promise<void> {
  const trace: string[] = [];
  try {
    for (;;) {
      const step = pick(model.steps(), trace.length);
      if (!step) break;
      trace.push(step.label);
      step.run();
      await model.settle();
    }
    await model.finish();
  } catch (error) {
    throw new Counterexample(trace, error);
  }
}

/** To the last choice that has something left to try. False when there is none. */
function backtrack(path: Choice[]): boolean {
  for (let last = path.at(-1); last; last = path.at(-1)) {
    const next = last.left.shift();
    if (next) {
      last.before.push(last.taken);
      last.taken = next;
      return true;
    }
    path.pop();
  }
  return false;
}

function commute(one: Step, other: Step): boolean {
  if (one.peer === undefined || other.peer === undefined) return false;
  return one.peer !== other.peer && !(one.shared && other.shared);
}

function includes(steps: readonly Step[], label: string): boolean {
  return steps.some((step) => step.label === label);
}
