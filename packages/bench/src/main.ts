import { parseArgs } from "node:util";

const USAGE = `usage: pnpm bench [options] [scenario…]

Measures all, and writes docs/bench anew; some scenarios only, with their names.

  --quick             shows that all works: the figures mean nothing
  --draw              draws the charts of the last results again
  --compare <commit>  measures this build beside that of an earlier commit
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    draw: { type: "boolean", default: false },
    compare: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else if (values.compare !== undefined) {
  const { compare } = await import("./compare.js");
  await compare(values.compare, values.quick);
} else if (values.draw) {
  const { draw } = await import("./run.js");
  await draw();
} else {
  const { run } = await import("./run.js");
  await run(positionals, values.quick);
}
