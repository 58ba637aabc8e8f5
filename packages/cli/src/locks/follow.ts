/** Looks at the locks again and again, and never keeps a server busy with it. */
import type { Command } from "commander";

import { parseDuration } from "../options.js";
import { Progress } from "../output/progress.js";
import { unlessTold, within } from "../output/until-told.js";

import { type Change, Changes } from "./changes.js";
import { type Listing, listing, type ListOptions } from "./listing.js";
import type { Observer } from "./observer.js";

export interface FollowOptions extends ListOptions {
  readonly interval: number;
}

interface Look {
  readonly found: Listing;
  /** Since the look before; with the first, all that there is. */
  readonly changes: readonly Change[];
}

/** A listing takes at most this part of the time, however many keys there are. */
const PART_OF_TIME = 5;

export function takesInterval(command: Command): Command {
  return command.option("--interval <time>", "how often to look", parseDuration, 1_000);
}

/**
 * Goes on until told to end.
 *
 * @throws Failure
 */
export async function* follow(
  observer: Observer,
  prefix: string,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Look> {
  const changes = new Changes();
  while (!signal.aborted) {
    const began = performance.now();
    // While Redis is away, a command is under way until it is back.
    const look = await unlessTold(
      (async () => {
        const found = await listing(observer, prefix, options, new Progress(false), signal);
        return {
          found,
          changes: await changes.since(found.locks, (key) => observer.lock(key)),
        };
      })(),
      signal,
    );
    if (!look || signal.aborted) return;
    yield look;
    const took = performance.now() - began;
    await within(Math.max(options.interval - took, took * (PART_OF_TIME - 1)), signal);
  }
}
