/** What nobody may ever see of a lock, whatever goes wrong: both kinds of test look for it. */
import type { Lock } from "@redislock/core";

/** Somebody who believes that it has a lock. */
export interface Believer {
  readonly name: string;
  readonly lock: Pick<Lock, "keys" | "token">;
}

/** Two who believe that they have one lock; undefined if there are none. With one token, they are one. */
export function twoHolders(believers: Iterable<Believer>): string | undefined {
  const holders = new Map<string, Believer>();
  for (const believer of believers) {
    for (const key of believer.lock.keys) {
      const other = holders.get(key);
      if (other && other.lock.token !== believer.lock.token) {
        return `${other.name} and ${believer.name} both have ${key}`;
      }
      holders.set(key, believer);
    }
  }
  return undefined;
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
