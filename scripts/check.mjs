/** `pnpm check`: everything that must hold besides the tests, each step under a headline. */
import { setUp } from "./setup.mjs";
import { runMain, show } from "./shell.mjs";

const steps = {
  lint: "Lint",
  "format:check": "Format",
  typecheck: "Types, tests included",
  "check:api": "API reports",
  "check:readme": "Code in the docs comes from files that run",
  "check:packages": "Packages as they will be published",
  "check:consumers": "Packages as their users import them",
  "check:conformance": "Every adapter is put through the conformance kit",
  "check:faults": "Every fault that the docs list has its test",
  "check:unused": "Nothing unused",
  "check:changesets": "Changesets",
};

await runMain(async () => {
  await setUp();
  /** @type {string[]} */
  const failed = [];
  for (const [script, headline] of Object.entries(steps)) {
    console.log(`\n== ${headline} (pnpm ${script})`);
    if ((await show("pnpm", ["--silent", "run", script])) !== 0) failed.push(script);
  }
  console.log(failed.length === 0 ? "\nAll checks passed." : `\nFailed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
});
