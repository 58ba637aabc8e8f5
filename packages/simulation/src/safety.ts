/** What nobody may ever see of a lock, whatever goes wrong: both kinds of test look for it. */
import type { Lock } from "@redislock/core";

import type { Sharing } from "./protocol.js";

/** Somebody who believes that it has a lock. */
export interface Believer {
  readonly name: string;
  readonly lock: Pick<Lock, "keys" | "token">;
  /** Undefined for one who has it alone. */
  readonly sharing?: Sharing | undefined;
}

/**
 * Those who believe that they have one lock, and may not have it together; undefined if there are none.
 * With one token, they are one.
 */
export function twoHolders(believers: Iterable<Believer>): string | undefined {
  const holders = new Map<string, Map<string, Believer>>();
  for (const believer of believers) {
    for (const key of believer.lock.keys) {
      const together = holders.get(key) ?? new Map<string, Believer>();
      together.set(believer.lock.token, believer);
      holders.set(key, together);
    }
  }
  for (const [key, together] of holders) {
    const all = [...together.values()];
    if (mayShare(all.map(({ sharing }) => sharing))) continue;
    return `${all.map(({ name }) => name).join(" and ")} have ${key} at once`;
  }
  return undefined;
}

/** Whether they may have one lock together, in whatever order they came. */
export function mayShare(all: readonly (Sharing | undefined)[]): boolean {
  if (all.length < 2) return true;
  // Whoever came last of those with this limit or a lower one has seen all the others of them.
  return all.every((one) => {
    if (one === undefined) return false;
    const bound = all.filter((other) => other !== undefined && other.limit <= one.limit);
    return bound.reduce((sum, other) => sum + (other?.permits ?? 0), 0) <= one.limit;
  });
}

/** The fencing tokens that were given out, each of which must be above those before it. */
export class FencingTokens {
  readonly #last = new Map<string, { readonly number: number; readonly holder: string }>();

  /** What is wrong with this one; undefined if nothing is. One holder may be told of its own twice. */
  given(key: string, number: number, holder: string): string | undefined {
    const last = this.#last.get(key) ?? { number: 0, holder: "" };
    this.#last.set(key, { number, holder });
    if (number > last.number) return undefined;
    if (number === last.number && holder === last.holder) return undefined;
    return `${key}: ${last.number}, ${number}`;
  }
}
