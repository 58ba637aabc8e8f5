/** The locks, live: redrawn in place on a terminal, elsewhere a line for each change. */
import { stdout } from "node:process";

import type { Command } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import type { LockInfo } from "../locks/lock-info.js";
import { type Listing, listing, type ListOptions, takesListing } from "../locks/listing.js";
import { kindShown, lockTable, summary } from "../locks/lock-table.js";
import { observing } from "../options.js";
import { paletteFor } from "../output/colour.js";
import { parseDuration } from "../output/duration.js";
import { print, put } from "../output/out.js";
import { Progress } from "../output/progress.js";
import { plain } from "../output/text.js";
import { untilTold } from "../output/until-told.js";

interface WatchOptions extends ListOptions {
  readonly interval: number;
}

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

/** A listing takes at most this part of the time, however many keys there are. */
const PART_OF_TIME = 5;

export function addWatch(program: Command): void {
  takesListing(
    program
      .command("watch")
      .summary("follow the locks live")
      .description("Follows every lock that is held or waited for."),
  )
    .option("--interval <time>", "how often to look", parseDuration, 1_000)
    .addHelpText("after", EXAMPLES)
    .action(ending(watch));
}

async function watch(prefix: string = "", options: WatchOptions): Promise<number> {
  const told = untilTold();
  const screen = stdout.isTTY && !options.json;
  try {
    return await observing(
      options,
      async (observer, connection) => {
        // While Redis is away, a command is under way until it is back.
        told.signal.addEventListener("abort", () => connection.close());
        if (screen) put(ALTERNATE_SCREEN);
        const changes = new Changes();
        while (!told.signal.aborted) {
          const began = performance.now();
          const found = await listing(observer, prefix, options, new Progress(false));
          if (told.signal.aborted) break;
          if (screen) draw(found, prefix);
          else for (const change of changes.since(found)) print(line(change, options));
          const took = performance.now() - began;
          await told.within(Math.max(options.interval - took, took * (PART_OF_TIME - 1)));
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

interface Change {
  readonly change: "held" | "passed on" | "freed" | "waiters";
  readonly lock: LockInfo;
}

class Changes {
  #before = new Map<string, LockInfo>();

  since({ locks }: Listing): Change[] {
    const now = new Map(locks.map((lock) => [lock.key, lock]));
    const changes: Change[] = [];
    for (const lock of locks) {
      const change = changeOf(this.#before.get(lock.key), lock);
      if (change) changes.push({ change, lock });
    }
    for (const [key, lock] of this.#before) {
      if (!now.has(key)) changes.push({ change: "freed", lock: { ...lock, waiters: 0 } });
    }
    this.#before = now;
    return changes;
  }
}

function changeOf(before: LockInfo | undefined, now: LockInfo): Change["change"] | undefined {
  if (now.kind === "free" && before?.kind !== "free") return before ? "freed" : "waiters";
  if (!before || before.kind === "free") return now.kind === "free" ? undefined : "held";
  if (before.fencingToken !== now.fencingToken || before.kind !== now.kind) return "passed on";
  if (before.waiters !== now.waiters || before.held !== now.held) return "waiters";
  return undefined;
}

function line({ change, lock }: Change, { json }: WatchOptions): string {
  const at = new Date().toISOString();
  if (json) return JSON.stringify({ at, change, ...lock });
  const cells = [change, lock.key, kindShown(lock), String(lock.waiters), lock.metadata || "-"];
  return [at, ...cells.map(plain)].join("\t");
}
