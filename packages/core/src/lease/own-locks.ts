import type { LossReason } from "../errors.js";
import type { RedisClient } from "../redis/client.js";
import type { Bag } from "./bag.js";
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
  /** Mostly there is one for each name. Those who are gone are taken out of the array, too, see {@link Bag}. */
  readonly #byName = new Map<string, Holding[]>();

  add(holding: Holding): void {
    // By the same token, Redis has the later of two grants alone.
    this.#lose(holding, "taken", (fence) => fence < holding.fencingToken);
    for (const name of holding.claim.names) {
      const known = this.#byName.get(name);
      if (known) known.push(holding);
      else this.#byName.set(name, [holding]);
    }
  }

  remove(holding: Holding): void {
    for (const name of holding.claim.names) {
      const known = this.#byName.get(name);
      const index = known?.indexOf(holding) ?? -1;
      if (index >= 0) known?.splice(index, 1);
      if (known?.length === 0) this.#byName.delete(name);
    }
  }

  /** Whether any of these is held by us. */
  include(names: readonly string[]): boolean {
    return names.some((name) => this.#byName.has(name));
  }

  /**
   * Those who have any of these locks as well, by the same token. Of several locks, the fencing token is the
   * highest of their grants, so it says nothing of each.
   */
  beside(holding: Holding): Holding[] {
    const { claim, seat, fencingToken } = holding;
    const found: Holding[] = [];
    for (const name of claim.names) {
      for (const other of this.#byName.get(name) ?? []) {
        if (other === holding || other.claim.token !== claim.token || other.seat !== seat) continue;
        if (other.fencingToken <= fencingToken || other.claim.names.length > 1) found.push(other);
      }
    }
    return found;
  }

  /** A lease is cut, or will be: none of those beside it lasts for longer than until then. */
  cut(holding: Holding, until: number): void {
    for (const { lease } of this.beside(holding)) lease.endBy(until);
  }

  /**
   * A grant was given back: those who were beside it when that was sent have it no more, nor has whoever was
   * told of it since.
   */
  released(holding: Holding, before: readonly Holding[]): void {
    for (const { lease } of before) lease.lose("deleted");
    this.#lose(holding, "deleted", (fence) => fence <= holding.fencingToken);
  }

  /** Whoever has the same lock by the same token, and a grant of such a fencing token, has lost it. */
  #lose({ claim, seat }: Holding, reason: LossReason, isLost: (fence: number) => boolean): void {
    for (const name of claim.names) {
      const known = this.#byName.get(name);
      if (!known) continue;
      // A copy: what is lost is taken out.
      for (const { claim: other, lease, ...grant } of known.slice()) {
        if (other.token !== claim.token) continue;
        if (grant.seat === seat && isLost(grant.fencingToken)) lease.lose(reason);
      }
    }
  }
}
