/** What SECURITY.md says tests are run with is what they are told to use; what the badges say is so. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { typescripts } from "./consumers.mjs";
import { servers } from "./debian-servers.mjs";
import { nodes } from "./runtimes.mjs";
import { root, runMain } from "./shell.mjs";

await runMain(() => {
  const catalog = text("pnpm-workspace.yaml");
  const runtimes = text("scripts/runtimes/package.json");
  const nest = ["test/nest-10/", "test/nest-11/", ""].map((folder) =>
    found(text(`packages/nestjs/${folder}package.json`), /"@nestjs\/core": "(\d[\d.]+)"/),
  );
  /** @type {Record<string, string[]>} */
  const wanted = {
    Node: nodes.map(String),
    ioredis: [5, 6].map((major) => found(catalog, RegExp(`npm:ioredis@(${major}[\\d.]+)`))),
    iovalkey: [found(text("packages/ioredis/package.json"), /"iovalkey": "(\d[\d.]+)"/)],
    "node-redis": [5, 6].map((major) => found(catalog, RegExp(`npm:redis@(${major}[\\d.]+)`))),
    "Valkey GLIDE": [found(catalog, /"@valkey\/valkey-glide": (\S+)/)],
    NestJS: nest,
    Redis: serversOf("redis"),
    Valkey: serversOf("valkey"),
    Redict: serversOf("redict"),
    TypeScript: typescripts,
    "Bun, Deno": [/"@oven\/bun-linux-x64": "(.+)"/, /"@deno\/linux-x64-glibc": "(.+)"/].map(
      (pattern) => found(runtimes, pattern),
    ),
  };
  const page = text("SECURITY.md");
  const matrix = found(text(".github/workflows/ci.yml"), /node: \[(.+)\]/);
  const problems = matrix === nodes.join(", ") ? [] : [`CI runs the tests on Node ${matrix}`];
  for (const [name, versions] of Object.entries(wanted)) {
    const [, said] = RegExp(`^\\| ${name} *\\|.*\\| (.+?) *\\|$`, "m").exec(page) ?? [];
    const last = versions.join(", ").replace(/, (?=the newest)/, ", and ");
    if (said !== last) problems.push(`SECURITY.md says of ${name} "${said}": it is "${last}"`);
  }
  const core = text("packages/core/package.json");
  const badges = {
    node: `Node.js: ${nodes[0]} to ${nodes.at(-1)}`,
    types: `types: ${/^ {2}"types": /m.test(core) ? "included" : "none"}`,
    dependencies: `core: ${/^ {2}"dependencies": /m.test(core) ? "dependencies" : "no dependencies"}`,
    license: `license: ${found(core, /"license": "(.+)"/)}`,
  };
  for (const [name, wanted] of Object.entries(badges)) {
    const said = found(text(`docs/images/badge-${name}.svg`), /<title>(.+)<\/title>/);
    if (said !== wanted) problems.push(`badge-${name}.svg says "${said}": it is "${wanted}"`);
  }
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) {
    console.log("SECURITY.md and the badges say what tests are run with, and what core is");
  }
  return problems.length === 0 ? 0 : 1;
});

/**
 * @param {"redis" | "valkey" | "redict"} family
 * @returns {string[]}
 */
function serversOf(family) {
  const versions = servers
    .filter((server) => server.family === family)
    .map(({ version }) => version?.replace(/\.$/, "") ?? "the newest of Debian unstable");
  return [...new Set(versions)];
}

/**
 * @param {string} where
 * @param {RegExp} pattern
 */
function found(where, pattern) {
  return pattern.exec(where)?.[1] ?? "not found";
}

/** @param {string} path */
function text(path) {
  return readFileSync(join(root, path), "utf8");
}
