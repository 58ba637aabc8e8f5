/** The locks, live: redrawn in place on a terminal, elsewhere a line for each change. */
import { stdout } from "node:process";

import type { Command } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import type { Change } from "../locks/changes.js";
import { follow, type FollowOptions, takesInterval } from "../locks/follow.js";
import { type Listing, takesListing } from "../locks/listing.js";
import { kindShown, lockTable, summary, missingShown } from "../locks/lock-table.js";
import { observing } from "../options.js";
import { paletteFor } from "../output/colour.js";
import { complain, print, put } from "../output/out.js";
import { screenSize } from "../output/screen.js";
import { cut, plain } from "../output/text.js";
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
  let isDrawn = false;
  try {
    return await observing(
      options,
      async (observer) => {
        if (screen) put(ALTERNATE_SCREEN);
        isDrawn = screen;
        let found: Listing | undefined;
        let said = "";
        for await (const look of follow(observer, prefix, options, told.signal)) {
          const changes = "changes" in look ? look.changes : [];
          if ("found" in look) found = look.found;
          const missing = "failure" in look ? look.failure : missingShown(look.found);
          if (screen) {
            draw(found, missing, prefix);
            continue;
          }
          for (const change of changes) print(line(change, options));
          if (missing !== "" && missing !== said) complain(missing);
          said = missing;
        }
        return exitCodes.ok;
      },
      told.signal,
    );
  } catch (error) {
    if (told.signal.aborted) return exitCodes.ok;
    throw error;
  } finally {
    if (isDrawn) put(SCREEN_AS_BEFORE);
    told.stop();
  }
}

/** @param found - What was last seen; nothing if Redis went away before. */
function draw(found: Listing | undefined, missing: string, prefix: string): void {
  const palette = paletteFor(stdout);
  const { columns, rows } = screenSize();
  const notices = missing === "" ? [] : [palette.yellow(cut(missing, columns))];
  const shown = found?.locks.slice(0, Math.max(1, rows - 4 - notices.length)) ?? [];
  const held = found ? summary({ ...found, locks: shown }) : "nothing seen yet";
  const head = `${held}${prefix ? `, below ${plain(prefix)}` : ""}`;
  const lines = [palette.dim(cut(head, columns)), ...notices, ""];
  lines.push(...lockTable(shown, columns, palette));
  put(HOME + lines.map((text) => text + REST_OF_LINE).join("\r\n") + REST_OF_SCREEN);
}

function line({ change, lock }: Change, { json }: FollowOptions): string {
  const at = new Date().toISOString();
  if (json) return JSON.stringify({ at, change, ...lock });
  const cells = [change, lock.key, kindShown(lock), String(lock.waiters), lock.metadata || "-"];
  return [at, ...cells.map(plain)].join("\t");
}
