import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A package as JavaScript, which is what Node runs. */
export interface Compiled {
  /** The file of the process of that name, which lies in `test/processes`. */
  readonly file: (name: string) => string;
  /** Removes all of it. */
  readonly remove: () => Promise<void>;
}

/**
 * Compiles the sources of a package and what its tests are made of, the tests themselves left out, to a
 * folder of its own. Anew each time, so that no test runs against an old build.
 *
 * @param folder - Of the package: `new URL("..", import.meta.url)` in its tests.
 */
export async function compilePackage(folder: URL): Promise<Compiled> {
  // Here, as most of those who use the kit need no compiler.
  const { build } = await import("esbuild");
  const root = fileURLToPath(folder);
  const out = await mkdtemp(join(tmpdir(), "redislock-"));
  await build({
    absWorkingDir: root,
    entryPoints: [...(await sourcesIn(root, "src")), ...(await sourcesIn(root, "test"))],
    outbase: root,
    outdir: out,
    format: "esm",
    target: "es2022",
    // As tsconfig.base.json: what is imported as a type vanishes, what is not stays.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  await symlink(join(root, "node_modules"), join(out, "node_modules"));
  await writeFile(join(out, "package.json"), JSON.stringify({ type: "module" }));
  return {
    file: (name) => join(out, "test", "processes", `${name}.js`),
    remove: () => rm(out, { recursive: true }),
  };
}

/** The paths of all sources below a folder, as seen from the root; none where there is no such folder. */
async function sourcesIn(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
  const paths: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) paths.push(...(await sourcesIn(root, path)));
    else if (path.endsWith(".ts") && !/\.(d|test)\.ts$/.test(path)) paths.push(path);
  }
  return paths;
}
