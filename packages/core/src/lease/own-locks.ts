import type { RedisClient } from "../redis/client.js";
import type { Holding } from "./renewal.js";

const registries = new WeakMap<RedisClient, OwnLocks>();

/** The locks that this process holds through a client, by whatever locker. */
export function ownLocksOf(client: RedisClient): OwnLocks {
  const known = registries.get(client) ?? new OwnLocks();
  registries.set(client, known);
  return known;
}

/** Locks that are held, by their names in Redis: to know one's own when it stands in the way. */
export class OwnLocks {
  readonly #counts = new Map<string, number>();
  readonly #byToken = new Map<string, Set<Holding>>();

  add(holding: Holding): void {
    const { names, token } = holding.claim;
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    const holdings = this.#byToken.get(token);
    if (holdings) holdings.add(holding);
    else this.#byToken.set(token, new Set([holding]));
  }

  remove(holding: Holding): void {
    const { names, token } = holding.claim;
    const holdings = this.#byToken.get(token);
    if (!holdings?.delete(holding)) return;
    if (holdings.size === 0) this.#byToken.delete(token);
    for (const name of names) {
      const left = (this.#counts.get(name) ?? 0) - 1;
      if (left > 0) this.#counts.set(name, left);
      else this.#counts.delete(name);
    }
  }

  /** Whether any of these is held by us. */
  include(names: readonly string[]): boolean {
    return names.some((name) => this.#counts.has(name));
  }

  /** A grant was given back: whoever else was told of it, by the same token, has it no more. */
  released({ claim, fencingToken, seat }: Holding): void {
    for (const { claim: other, lease, ...grant } of this.#byToken.get(claim.token) ?? []) {
      const isSame = grant.fencingToken === fencingToken && grant.seat === seat;
      if (isSame && other.names.some((name) => claim.names.includes(name))) lease.lose("deleted");
    }
  }
}
