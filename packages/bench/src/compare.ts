/** Builds an earlier commit in a folder of its own, to be measured beside this one. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The variable that tells the measuring processes where the earlier build is. */
export const BEFORE = "REDISLOCK_BENCH_BEFORE";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Measures this build beside that of `commit`, and prints the ratios. */
export async function compare(commit: string, quick: boolean): Promise<void> {
  const folder = join(mkdtempSync(join(tmpdir(), "redislock-before-")), "build");
  const show = (program: string, given: string[], cwd: string): void =>
    void execFileSync(program, given, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  show("git", ["worktree", "add", "--detach", "--quiet", folder, commit], ROOT);
  try {
    console.log(`Building ${commit} …`);
    show("pnpm", ["install", "--frozen-lockfile", "--prefer-offline", "--silent"], folder);
    const filters = ["ioredis", "node-redis"].map((name) => `--filter=@redislock/${name}`);
    show("pnpm", ["exec", "turbo", "run", "build", ...filters], folder);
    process.env[BEFORE] = folder;
    // Only now is it known who is compared.
    const { comparison } = await import("./comparison.js");
    await comparison(commit, quick);
  } finally {
    show("git", ["worktree", "remove", "--force", folder], ROOT);
    rmSync(join(folder, ".."), { recursive: true, force: true });
  }
}
