/** Fails if an adapter is not put through the conformance kit. An adapter is what users install besides core. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publicPackages } from "./public-packages.mjs";
import { runMain } from "./shell.mjs";

const KIT = "@redislock/testing";
const TEST = "test/conformance.test.ts";

await runMain(() => {
  const adapters = publicPackages().filter(
    ({ manifest }) => manifest.name !== KIT && "@redislock/core" in (manifest.dependencies ?? {}),
  );
  const problems = adapters.flatMap(({ folder, manifest }) => {
    const path = join(folder, TEST);
    if (!existsSync(path)) return [`${manifest.name} has no ${TEST}`];
    const text = readFileSync(path, "utf8");
    const runs = text.includes(`"${KIT}/conformance"`) && /\bconformance\(/.test(text);
    return runs ? [] : [`${manifest.name}: ${TEST} does not run ${KIT}/conformance`];
  });
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) {
    console.log(`conformance tests: ${adapters.map(({ manifest }) => manifest.name).join(", ")}`);
  }
  return problems.length === 0 ? 0 : 1;
});
