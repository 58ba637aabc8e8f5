/** One lock: who has it, and the line, place by place. */
import { stdout } from "node:process";

import type { HolderInfo, Inspection } from "@redislock/ioredis";
import type { Command } from "commander";

import { ending } from "../exit-codes.js";
import { lockDetail } from "../locks/lock-detail.js";
import { ageOf, lockInfo } from "../locks/lock-info.js";
import { kindShown } from "../locks/lock-table.js";
import { observing, type ServerOptions, takesServer } from "../options.js";
import { paletteFor } from "../output/colour.js";
import { duration } from "../output/duration.js";
import { print, printJson } from "../output/out.js";
import { tableWidth } from "../output/screen.js";
import { table } from "../output/table.js";
import { count, plain } from "../output/text.js";

interface InspectOptions extends ServerOptions {
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  redislock inspect invoice:42
  redislock inspect --json invoice:42 | jq .line[0]`;

export function addInspect(program: Command): void {
  takesServer(
    program
      .command("inspect")
      .summary("show who has a lock, and the line")
      .description("Shows who has a lock and who waits for it, place by place; a hundred of each.")
      .argument("<key>", "the lock")
      .option("--json", "as JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(inspect));
}

async function inspect(key: string, options: InspectOptions): Promise<number> {
  return observing(options, async (observer) => {
    const inspection = await observer.inspect(key);
    const now = await observer.serverNow();
    if (options.json) printJson(lockDetail(key, inspection, now));
    else for (const line of inspectionLines(key, inspection, now)) print(line);
    return 0;
  });
}

/** What `inspect` and `release` show. */
export function inspectionLines(
  key: string,
  inspection: Inspection,
  now: number | undefined,
): string[] {
  const palette = paletteFor(stdout);
  const width = tableWidth();
  const { holder, holders, held, waiters, line } = inspection;
  const lines = [palette.bold(plain(key))];
  if (holder) {
    const age = ageOf(holder.fencingToken ?? null, now);
    const facts = [
      kindShown(lockInfo(key, inspection, now)),
      ...(age === null ? [] : [`held for ${duration(age)}`]),
      ...(holder.fencingToken === undefined ? [] : [`fencing token ${holder.fencingToken}`]),
    ];
    lines.push(facts.join(", "));
    if (holder.fencingToken === undefined) lines.push("not taken by this library");
    const rows = holders.map((one) => [...modeCells(one), leftOf(one), one.metadata || "-"]);
    const columns = [...modes, { title: "LEFT", right: true }, { title: "HOLDER" }];
    lines.push("", ...table(columns, rows, width, palette.bold), ...more(held - holders.length));
  } else {
    lines.push(waiters === 0 ? "free" : "free, and kept for the first in line");
  }
  if (waiters === 0) return [...lines, "", "nobody waits"];
  const rows = line.map((one) => [
    String(one.position),
    ...modeCells({ mode: "exclusive", permits: 1, limit: undefined, ...one.sharing }),
    duration(one.waited),
    one.metadata || "-",
  ]);
  const columns = [
    { title: "PLACE", right: true },
    ...modes,
    { title: "WAITED", right: true },
    { title: "WAITER" },
  ];
  return [
    ...lines,
    "",
    ...table(columns, rows, width, palette.bold),
    ...more(waiters - line.length),
  ];
}

const modes = [{ title: "MODE" }];

function modeCells({
  mode,
  permits,
  limit,
}: Pick<HolderInfo, "mode" | "permits" | "limit">): string[] {
  return [mode === "counted" ? `${count(permits, "permit")} of ${limit ?? "?"}` : mode];
}

function leftOf({ remaining }: HolderInfo): string {
  return remaining === Infinity ? "no end" : duration(remaining);
}

function more(number: number): string[] {
  return number > 0 ? [`… and ${number} more`] : [];
}
