import type { Runner } from "../../src/conformance.js";

interface Collected {
  /** With the names of what it is in. */
  readonly name: string;
  readonly body: () => Promise<void>;
}

function collect(register: (run: Runner) => void): Collected[] {
  const tests: Collected[] = [];
  const inside: string[] = [];
  register({
    describe: (name, body) => {
      inside.push(name);
      body();
      inside.pop();
    },
    it: (name, body) => tests.push({ name: [...inside, name].join(" › "), body }),
  });
  return tests;
}

/** The names of all tests that are registered. */
export function namesOf(register: (run: Runner) => void): string[] {
  return collect(register).map(({ name }) => name);
}

/** Runs one test alone, and tells what it fails with; undefined if it passes. */
export async function failureOf(wanted: string, register: (run: Runner) => void): Promise<unknown> {
  const [test, ...others] = collect(register).filter(({ name }) => name.endsWith(` › ${wanted}`));
  if (!test || others.length > 0) throw new Error(`Not one test: ${wanted}`);
  return test.body().catch((error: unknown) => error);
}
