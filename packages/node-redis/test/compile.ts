import { mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const PACKAGE = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Writes the sources and the processes of the tests as JavaScript, which is what Node runs, and gives
 * the directory they are in. Compiled anew each time, so that no test runs against an old build.
 */
export async function compile(): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), "redislock-"));
  for (const folder of ["src", join("test", "processes")]) {
    await mkdir(join(out, folder), { recursive: true });
    for (const name of await readdir(join(PACKAGE, folder))) {
      const source = await readFile(join(PACKAGE, folder, name), "utf8");
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      await writeFile(join(out, folder, name.replace(/\.ts$/, ".js")), outputText);
    }
  }
  await symlink(join(PACKAGE, "node_modules"), join(out, "node_modules"));
  await writeFile(join(out, "package.json"), JSON.stringify({ type: "module" }));
  return out;
}
