/** The locks, live: redrawn in place on a terminal, elsewhere a line for each change. */
import { stdout } from "node:process";

import type { Command } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import type { Change } from "../locks/changes.js";
import { follow, type FollowOptions, takesInterval } from "../locks/follow.js";
import { type Listing, takesListing } from "../locks/listing.js";
import { kindShown, lockTable, summary } from "../locks/lock-table.js";
import { observing } from "../options.js";
import { paletteFor } from "../output/colour.js";
import { print, put } from "../output/out.js";
import { plain } from "../output/text.js";
import { untilTold } from "../output/until-told.js";

const EXAMPLES = `
On a terminal the table is redrawn in place; Ctrl-C ends it. On a pipe there is one line for each change,
separated by tabs: time, what, key, kind, waiters, holder.

Examples:
  redislock watch
  redislock watch order: --waiting
  redislock watch --json | jq -r 'select(.change == "freed").key'`;

const ALTERNATE_SCREEN = "\u001b[?1049h\u001b[?25l";
const SCREEN_AS_BEFORE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
const REST_OF_SCREEN = "\u001b[J";

export function addWatch(program: Command): void {
  takesInterval(
    takesListing(
      program
        .command("watch")
        .summary("follow the locks live")
        .description("Follows every lock that is held or waited for."),
    ),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(watch));
}

async function watch(prefix: string = "", options: FollowOptions): Promise<number> {
  const told = untilTold();
  const screen = stdout.isTTY && !options.json;
  try {
    return await observing(
      options,
      async (observer) => {
        if (screen) put(ALTERNATE_SCREEN);
        for await (const { found, changes } of follow(observer, prefix, options, told.signal)) {
          if (screen) draw(found, prefix);
          else for (const change of changes) print(line(change, options));
        }
        return exitCodes.ok;
      },
      true,
    );
  } catch (error) {
    if (told.signal.aborted) return exitCodes.ok;
    throw error;
  } finally {
    if (screen) put(SCREEN_AS_BEFORE);
    told.stop();
  }
}

function draw(found: Listing, prefix: string): void {
  const palette = paletteFor(stdout);
  const room = Math.max(1, stdout.rows - 4);
  const shown = found.locks.slice(0, room);
  const head = `${summary({ ...found, locks: shown })}${prefix ? `, below ${plain(prefix)}` : ""}`;
  const lines = [palette.dim(head), "", ...lockTable(shown, stdout.columns, palette)];
  put(HOME + lines.map((text) => text + REST_OF_LINE).join("\r\n") + REST_OF_SCREEN);
}

function line({ change, lock }: Change, { json }: FollowOptions): string {
  const at = new Date().toISOString();
  if (json) return JSON.stringify({ at, change, ...lock });
  const cells = [change, lock.key, kindShown(lock), String(lock.waiters), lock.metadata || "-"];
  return [at, ...cells.map(plain)].join("\t");
}
