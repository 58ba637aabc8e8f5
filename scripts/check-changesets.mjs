/**
 * Fails when a public package changed without a changeset that says what its users get.
 *
 * "Changed" means: since origin/main where there is one, else since main, else since the commit
 * itself. A clean clone of main is thus compared with itself and passes, and a CI that checks out a
 * bare commit without any branch does not stumble over the missing base.
 */
import { Failure, runMain, show, succeeds } from "./shell.mjs";

await runMain(async () => {
  for (const base of ["origin/main", "main", "HEAD"]) {
    if (await succeeds("git", ["merge-base", base, "HEAD"])) {
      return show("changeset", ["status", `--since=${base}`]);
    }
  }
  throw new Failure("changesets compare commits: this folder is no git repository with a commit");
});
