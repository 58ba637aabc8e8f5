/** Looks at the locks again and again, and never keeps a server busy with it. */
import { type Command, InvalidArgumentError, Option } from "commander";

import { parseDuration } from "../options.js";
import { Failure } from "../failure.js";
import { Progress } from "../output/progress.js";
import { resultWithin, within } from "../output/until-told.js";

import { type Change, Changes } from "./changes.js";
import { type Listing, listing, type ListOptions } from "./listing.js";
import { nothingFound, type Observer } from "./observer.js";

export interface FollowOptions extends ListOptions {
  readonly interval: number;
}

interface Look {
  readonly found: Listing;
  /** Since the look before; with the first, all that there is. */
  readonly changes: readonly Change[];
}

/** Why there is nothing new to see. It goes on all the same. */
interface Outage {
  readonly failure: string;
}

/** A listing takes at most this part of the time, however many keys there are. */
const PART_OF_TIME = 5;
/** Milliseconds after which a Redis that answers nothing is said to be away. */
const PATIENCE = 3_000;

export function takesInterval(command: Command): Command {
  return command.addOption(
    new Option("--interval <time>", "how often to look")
      .argParser(parseInterval)
      .default(1_000, "1s"),
  );
}

/** A timer of more milliseconds would go off at once, again and again. */
const LONGEST = 2 ** 31 - 1;

function parseInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms <= LONGEST) return ms;
  throw new InvalidArgumentError("It must be at most 24d.");
}

/**
 * Goes on until told to end, also while Redis is away or refuses.
 *
 * @throws Failure of the first look: who may not look from the start is not kept waiting
 */
export async function* follow(
  observer: Observer,
  prefix: string,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Look | Outage> {
  const changes = new Changes();
  let isFirst = true;
  while (!signal.aborted) {
    const began = performance.now();
    const found = nothingFound();
    const looking = (async (): Promise<Look | Outage> => {
      try {
        const list = await listing(observer, prefix, options, new Progress(false), found, signal);
        const since = await changes.since(list.locks, (key) => observer.lock(key));
        return { found: list, changes: since };
      } catch (error) {
        if (isFirst || !(error instanceof Failure)) throw error;
        return { failure: error.message };
      }
    })();
    let look: Look | Outage | undefined;
    let [heard, isAway] = [0, false];
    while (!look) {
      // While Redis is away, a command is under way until it is back.
      look = await resultWithin(looking, PATIENCE, signal);
      if (signal.aborted) return;
      if (look) {
        yield look;
      } else if (heard === found.answers) {
        isAway = true;
        yield { failure: observer.away };
      }
      heard = found.answers;
    }
    isFirst = false;
    const took = performance.now() - began;
    // An outage kept no server busy.
    const pause = isAway ? options.interval : took * (PART_OF_TIME - 1);
    await within(Math.max(options.interval - took, pause), signal);
  }
}
