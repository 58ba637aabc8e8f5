/**
 * `pnpm docs:build`: gathers the pages of the repository and an API reference made of the doc comments,
 * and builds a site of them in `dist`. `pnpm docs:dev` serves it while it is written.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { toPage } from "./pages.mjs";

const here = new URL("./", import.meta.url);
const root = new URL("../../", here);
const content = new URL("content/", here);

rmSync(content, { recursive: true, force: true });
mkdirSync(content, { recursive: true });

const pages = [
  { from: "README.md", to: "index.md" },
  ...readdirSync(new URL("docs/", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => ({ from: `docs/${name}`, to: name })),
  { from: "docs/bench/README.md", to: "bench.md" },
];
const published = new Map(pages.map(({ from, to }) => [from, to]));
for (const { from, to } of pages) {
  const text = readFileSync(new URL(from, root), "utf8");
  writeFileSync(new URL(to, content), toPage(text, from, published));
}
for (const folder of ["docs/images/", "docs/bench/"]) {
  mkdirSync(new URL(folder, content), { recursive: true });
  for (const name of readdirSync(new URL(folder, root))) {
    if (!/\.(svg|png)$/.test(name)) continue;
    writeFileSync(new URL(folder + name, content), readFileSync(new URL(folder + name, root)));
  }
}
mkdirSync(new URL("public/", content));
copyFileSync(
  new URL("packages/cli/src/page/browser/icon.svg", root),
  new URL("public/icon.svg", content),
);

run("typedoc", "--options", "typedoc.json");
run("vitepress", process.argv.includes("--dev") ? "dev" : "build", ".");

/** @param {string} name @param {...string} args */
function run(name, ...args) {
  const command = fileURLToPath(new URL(`node_modules/.bin/${name}`, here));
  const { status } = spawnSync(command, args, { cwd: fileURLToPath(here), stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
