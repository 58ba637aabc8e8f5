import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The built core as one expression that gives its exports, and needs nothing but what the language and
 * the realm have: for where modules cannot be loaded.
 */
export function coreInOneFile(): string {
  const modules = new Map<string, string>();
  const entry = require.resolve("@redislock/core");
  collect(entry, modules);
  const functions = Array.from(modules, ([file, text]) => {
    return `${JSON.stringify(file)}: function (module, exports, require) {${text}\n}`;
  });
  return `(function () {
    const functions = {${functions.join(",\n")}};
    const loaded = {};
    function load(file) {
      if (loaded[file]) return loaded[file].exports;
      const module = (loaded[file] = { exports: {} });
      const dir = file.slice(0, file.lastIndexOf("/"));
      functions[file](module, module.exports, (name) => load(joined(dir, name)));
      return module.exports;
    }
    function joined(dir, name) {
      const parts = dir.split("/");
      for (const part of name.split("/")) {
        if (part === "..") parts.pop();
        else if (part !== ".") parts.push(part);
      }
      return parts.join("/");
    }
    return load(${JSON.stringify(entry)});
  })()`;
}

function collect(file: string, modules: Map<string, string>): void {
  if (modules.has(file)) return;
  const text = readFileSync(file, "utf8");
  modules.set(file, text);
  for (const [, name = ""] of text.matchAll(/\brequire\("([^"]+)"\)/g)) {
    if (!name.startsWith(".")) throw new Error(`${file} needs ${name}`);
    collect(join(dirname(file), name), modules);
  }
}
