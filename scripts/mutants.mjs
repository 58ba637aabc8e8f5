/**
 * `pnpm mutants`: plants bugs, one at a time, and runs tests until one fails. A bug that none notices
 * must be argued for in scripts/mutants/argued.json, or the command fails.
 */
import { parseArgs } from "node:util";
import { runLua } from "./mutants/lua.mjs";
import { runTypeScript } from "./mutants/typescript.mjs";
import { Failure, runMain } from "./shell.mjs";

const usage = `usage: pnpm mutants
       pnpm mutants lua [FILE ...] [options]
       pnpm mutants ts [PACKAGE [FILE ...]] [--tests=NAME,...] [--seconds=N]

With lua, FILE is the name of a .lua file of packages/core/src/lua, as obtain, serve or quorum/lift;
none for all.
With ts, PACKAGE is core, ioredis, node-redis or valkey-glide, none for all four, and FILE a path below
its src.

  --only=ID          one mutant
  --plants           those planted by hand
  --sample=N         so many, chosen by chance
  --seed=N           the same ones again
  --resume           not those that the last run killed
  --argued           those argued for, too
  --tests=NAME,...   only test files with one of these in their names, which with ts begin with
                     the package, as in testing/quorum; others may kill more
  --seconds=N        with ts, so much of tests for each; those that survive may be killed by others
  --list             only what there is
  --concurrency=N    how many at once; default: 1`;

await runMain(async () => {
  const { what, help, ...options } = read();
  if (help) {
    console.log(usage);
    return 0;
  }
  if (what === "lua") return runLua(options);
  if (what === undefined) return Math.max(await runLua(options), await runTypeScript(options));
  if (what === "ts") return runTypeScript(options);
  throw new Failure(usage);
});

function read() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        only: { type: "string" },
        plants: { type: "boolean", default: false },
        sample: { type: "string" },
        seed: { type: "string", default: "1" },
        resume: { type: "boolean", default: false },
        argued: { type: "boolean", default: false },
        tests: { type: "string" },
        seconds: { type: "string" },
        list: { type: "boolean", default: false },
        concurrency: { type: "string", default: "1" },
      },
    });
    const { only, sample, tests, seconds, seed, concurrency, ...flags } = values;
    const [what, ...names] = positionals;
    return {
      what,
      names,
      ...(only !== undefined && { only }),
      ...(tests !== undefined && { tests }),
      ...(seconds !== undefined && { seconds: Number(seconds) }),
      ...(sample !== undefined && { sample: Number(sample) }),
      seed: Number(seed),
      concurrency: Number(concurrency),
      ...flags,
    };
  } catch (error) {
    throw new Failure(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
