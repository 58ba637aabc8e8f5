/** What nobody may ever see of a lock, whatever goes wrong: both kinds of test look for it. */
import type { Lock } from "@redislock/core";

/** Somebody who believes that it has a lock. */
export interface Believer {
  readonly name: string;
  readonly lock: Pick<Lock, "keys">;
}

/** Two who believe that they have one lock; undefined if there are none. */
export function twoHolders(believers: Iterable<Believer>): string | undefined {
  const holders = new Map<string, string>();
  for (const { name, lock } of believers) {
    for (const key of lock.keys) {
      const other = holders.get(key);
      if (other !== undefined) return `${other} and ${name} both have ${key}`;
      holders.set(key, name);
    }
  }
  return undefined;
}

/** The fencing tokens that were given out, each of which must be above those before it. */
export class FencingTokens {
  readonly #last = new Map<string, number>();

  /** What is wrong with this one; undefined if nothing is. */
  given(key: string, fencingToken: number): string | undefined {
    const last = this.#last.get(key) ?? 0;
    this.#last.set(key, fencingToken);
    return fencingToken > last ? undefined : `${key}: ${last}, ${fencingToken}`;
  }
}
