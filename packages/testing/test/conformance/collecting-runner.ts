import type { Runner } from "../../src/conformance.js";

/** Runs tests one after the other, and tells which of them failed. */
export async function failures(register: (run: Runner) => void): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  register({
    describe: (_, body) => body(),
    it: (name, body) => tests.push({ name, body }),
  });
  const failed: string[] = [];
  for (const { name, body } of tests) await body().catch(() => failed.push(name));
  return failed;
}

/** Leaves out all tests but one. */
export function only(run: Runner, wanted: string): Runner {
  return {
    describe: run.describe,
    it: (name, body) => name === wanted && run.it(name, body),
  };
}
