/** The locks that were asked for, sorted, and no more of them in memory than are shown. */
import { type Command, Option } from "commander";

import { parseCount, parseDuration, type ServerOptions, takesServer } from "../options.js";
import type { Progress } from "../output/progress.js";
import { count } from "../output/text.js";

import type { LockInfo } from "./lock-info.js";
import { type Found, nothingFound, type Observer } from "./observer.js";

export interface ListOptions extends ServerOptions {
  readonly waiting?: true;
  readonly longerThan?: number;
  readonly sort: "key" | "age" | "left" | "waiters";
  readonly limit: number;
  readonly json?: true;
}

export interface Listing {
  readonly locks: readonly LockInfo[];
  /** How many there are, shown or not. */
  readonly total: number;
  readonly held: number;
  readonly waiters: number;
  /** Locks that could not be read, and why not. */
  readonly unread: number;
  readonly why: string;
  /** Masters of a cluster that were not asked; null if it is not known whether there are any. */
  readonly unasked: number | null;
}

export const MOST_SHOWN = 10_000;

export function takesListing(command: Command): Command {
  return takesServer(
    command
      .argument("[prefix]", "what the keys begin with")
      .option("--waiting", "only those that somebody waits for")
      .option("--longer-than <time>", "only those held for longer than this", parseDuration)
      .addOption(
        new Option("--sort <by>", "what to go by")
          .choices(["key", "age", "left", "waiters"])
          .default("key"),
      )
      .option("--limit <n>", "how many to show", parseCount, MOST_SHOWN)
      .option("--json", "as JSON"),
  );
}

/** @throws Failure */
export async function listing(
  observer: Observer,
  prefix: string,
  options: ListOptions,
  progress: Progress,
  found: Found = nothingFound(),
  signal?: AbortSignal,
): Promise<Listing> {
  const order = orders[options.sort];
  // Twice as many before it is sorted and cut, so that a million cost no million sorts.
  let rows = new Map<string, LockInfo>();
  const trim = (): void => {
    const sorted = [...rows.entries()].sort(([, a], [, b]) => order(a, b) || byKey(a, b));
    rows = new Map(sorted.slice(0, options.limit));
  };
  let [total, held, waiters] = [0, 0, 0];
  for await (const lock of observer.locks(prefix, found)) {
    if (signal?.aborted) break;
    progress.show(() => `${count(found.locks, "lock")} of ${found.scanned} keys …`);
    if (!isWanted(lock, options) || rows.has(lock.key)) continue;
    total += 1;
    if (lock.kind !== "free") held += 1;
    waiters += lock.waiters;
    rows.set(lock.key, lock);
    if (rows.size > 2 * options.limit) trim();
  }
  trim();
  const { unread, why, unasked } = found;
  return { locks: [...rows.values()], total, held, waiters, unread, why, unasked };
}

function isWanted({ waiters, age }: LockInfo, { waiting, longerThan }: ListOptions): boolean {
  if (waiting && waiters === 0) return false;
  return longerThan === undefined || (age !== null && age > longerThan);
}

type Order = (a: LockInfo, b: LockInfo) => number;

/** By code units, as Redis and scripts do, the same everywhere. */
const byKey: Order = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

const orders: Readonly<Record<ListOptions["sort"], Order>> = {
  key: byKey,
  // The longest held first, by when it was granted: ages are taken at different moments. Unknown ones last.
  age: (a, b) => (a.fencingToken ?? Infinity) - (b.fencingToken ?? Infinity) || 0,
  // Those first that end first; those that never do, last.
  left: (a, b) => (a.remaining ?? Number.MAX_VALUE) - (b.remaining ?? Number.MAX_VALUE),
  waiters: (a, b) => b.waiters - a.waiters,
};
