/** Puts what the page needs, its libraries among it, into files that are served as they are. */
import { readFileSync } from "node:fs";

import { build } from "esbuild";

/** What is in the bundle is passed on, so its licence is too. */
const licences = ["preact", "eventsource-parser"].map(
  (name) => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}`,
);

await build({
  entryPoints: ["main.tsx", "page.css", "icon.svg"].map((name) => ({
    in: `src/page/browser/${name}`,
    out: name.replace("main.tsx", "page").replace(/\.\w+$/, ""),
  })),
  outdir: "dist/page/browser",
  bundle: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "copy" },
  minify: true,
  banner: { js: `/*\n${licences.join("\n\n")}\n*/` },
  logLevel: "warning",
});
