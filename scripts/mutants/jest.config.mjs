/** For the tests in a scratch copy, which `MUTANTS_SCRATCH` names, in the order of `MUTANTS_ORDER`. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const scratch = process.env["MUTANTS_SCRATCH"] ?? "";
const here = fileURLToPath(new URL(".", import.meta.url));

export default {
  rootDir: scratch,
  projects: ["<rootDir>/packages/core", "<rootDir>/packages/testing"],
  // Those of the projects do not count.
  testTimeout: 30_000,
  reporters: [join(here, "first-failure.mjs")],
  testSequencer: join(here, "order.mjs"),
};
