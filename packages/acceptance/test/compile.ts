import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));

/** The processes of the tests as JavaScript, which is what Node runs. */
export interface Compiled {
  /** The file of the process of that name. */
  readonly file: (name: string) => string;
  readonly remove: () => Promise<void>;
}

/** Compiles them, and what they need of the tests. */
export async function compile(): Promise<Compiled> {
  const out = await mkdtemp(join(tmpdir(), "redislock-"));
  for (const folder of ["test", join("test", "processes")]) {
    await mkdir(join(out, folder), { recursive: true });
    for (const name of await readdir(join(PACKAGE, folder))) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const source = await readFile(join(PACKAGE, folder, name), "utf8");
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      await writeFile(join(out, folder, name.replace(/\.ts$/, ".js")), outputText);
    }
  }
  await symlink(join(PACKAGE, "node_modules"), join(out, "node_modules"));
  await writeFile(join(out, "package.json"), JSON.stringify({ type: "module" }));
  return {
    file: (name) => join(out, "test", "processes", `${name}.js`),
    remove: () => rm(out, { recursive: true }),
  };
}
