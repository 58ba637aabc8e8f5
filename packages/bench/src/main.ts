/**
 *   main.js [--quick] [scenario…]           measures all; with either, only prints
 *   main.js --draw                          draws the charts of the last results again
 *   main.js --compare <commit> [--quick]    measures this build beside that of an earlier commit
 */
const [first, ...rest] = process.argv.slice(2);

if (first === "--compare") {
  const { compare } = await import("./compare.js");
  await compare(rest);
} else {
  const { run } = await import("./run.js");
  await run(process.argv.slice(2));
}
