/**
 * Builds the package in the current folder twice, dist/esm and dist/cjs, with nothing but tsc.
 * The marker file makes Node and TypeScript read dist/cjs as CommonJS inside a "type": "module" package.
 */
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

rmSync("dist", { recursive: true, force: true });
for (const project of ["tsconfig.build.json", "tsconfig.cjs.json"]) {
  const { status } = spawnSync(process.execPath, [tsc, "--project", project], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
writeFileSync("dist/cjs/package.json", '{ "type": "commonjs" }\n');
