/**
 * Keeps the code in the docs equal to files that are compiled and run. A code block under
 *
 *     <!-- code: examples/src/foo.ts#region-name -->
 *
 * holds that file, or the part of it between `// #region region-name` and `// #endregion`. This
 * script fails when one differs; with --write it updates the block instead.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, runMain } from "./shell.mjs";

/** A block of code, with the comment before it if there is one. */
const block =
  /(?:^<!-- code: (?<source>.+?) -->\n\s*)?^```(?<language>\w*)[^\n]*\n(?<code>.*?)^```$/gms;

const fence = "```";

const write = process.argv.includes("--write");

await runMain(() => {
  /** @type {string[]} */
  const problems = [];
  for (const page of pages()) {
    const text = readFileSync(join(root, page), "utf8");
    const updated = text.replace(block, (match, ...rest) => {
      /** @type {{ source?: string, language: string, code: string }} */
      const { source, language, code } = rest.at(-1);
      if (source === undefined) {
        // No page shows a program that was never run.
        if (/^(ts|js)$/.test(language)) {
          problems.push(`${page}: no "<!-- code: … -->" above the block\n${code}`);
        }
        return match;
      }
      const wanted = read(source);
      if (wanted === undefined) problems.push(`${page}: there is no ${source}`);
      if (wanted === undefined || wanted === code) return match;
      if (!write) problems.push(`${page}: differs from ${source}; run \`pnpm update:readme\``);
      return `${match.slice(0, match.length - code.length - fence.length)}${wanted}${fence}`;
    });
    if (write && updated !== text) {
      writeFileSync(join(root, page), updated);
      console.log(`${page}: updated`);
    }
  }
  for (const problem of problems) console.log(problem);
  if (problems.length === 0) console.log("every block equals its file");
  return problems.length === 0 ? 0 : 1;
});

/** The pages that are looked at, relative to the root. */
function pages() {
  const folders = ["packages", "docs"].filter((name) => existsSync(join(root, name)));
  const below = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) =>
      folder === "docs" ? `docs/${name}` : `${folder}/${name}/README.md`,
    ),
  );
  return ["README.md", "examples/README.md", ...below].filter(
    (page) => page.endsWith(".md") && existsSync(join(root, page)),
  );
}

/**
 * @param {string} source a path, perhaps with a region: `examples/src/foo.ts#name`
 * @returns {string | undefined} the code, without its indentation and with one newline at its end
 */
function read(source) {
  const [path = "", region] = source.split("#");
  if (!existsSync(join(root, path))) return undefined;
  const text = readFileSync(join(root, path), "utf8");
  const lines = text.trimEnd().split("\n");
  if (region === undefined) return `${lines.join("\n")}\n`;

  const first = lines.findIndex((line) => line.trim() === `// #region ${region}`);
  const length = lines.slice(first).findIndex((line) => line.trim().startsWith("// #endregion"));
  if (first === -1 || length === -1) return undefined;
  const inside = lines.slice(first + 1, first + length);
  const indents = inside.filter((line) => line !== "").map((line) => line.search(/\S/));
  return `${inside.map((line) => line.slice(Math.min(...indents))).join("\n")}\n`;
}
