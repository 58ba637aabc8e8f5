/** Every lock that is held or waited for. */
import { stdout } from "node:process";

import type { Command } from "commander";

import { ending } from "../exit-codes.js";
import { listing, type ListOptions, takesListing } from "../locks/listing.js";
import { lockTable, summary, missingShown } from "../locks/lock-table.js";
import { observing } from "../options.js";
import { paletteFor } from "../output/colour.js";
import { complain, print, printJson } from "../output/out.js";
import { Progress } from "../output/progress.js";
import { tableWidth } from "../output/screen.js";

const EXAMPLES = `
Reads only, by SCAN, on each master; no server is kept busy for longer than a batch of 1000 keys takes.
Locks that others took without this library are seen only while somebody waits for them here.

Examples:
  redislock ls                      all locks
  redislock ls order:               those whose keys begin so
  redislock ls --waiting            those that somebody waits for
  redislock ls --longer-than 10m --sort age
  redislock ls --json | jq '.locks[].key'`;

export function addList(program: Command): void {
  takesListing(
    program
      .command("ls")
      .alias("list")
      .summary("list the locks that are held or waited for")
      .description("Lists every lock that is held or waited for, by key."),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(list));
}

async function list(prefix: string = "", options: ListOptions): Promise<number> {
  return observing(options, async (observer) => {
    const progress = new Progress();
    const found = await listing(observer, prefix, options, progress).finally(() => progress.done());
    if (options.json) {
      const { locks, total, held, waiters, unread, unasked } = found;
      printJson({ locks, total, held, waiters, unread, unasked });
    } else {
      const width = tableWidth();
      for (const line of lockTable(found.locks, width, paletteFor(stdout))) print(line);
      complainAbout(summary(found));
    }
    const missing = missingShown(found);
    if (missing !== "") complain(missing);
    return 0;
  });
}

/** Standard output is for the table alone, which others may read. */
function complainAbout(text: string): void {
  if (stdout.isTTY) print(paletteFor(stdout).dim(text));
}
