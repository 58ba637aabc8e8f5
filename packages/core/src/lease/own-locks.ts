import type { Holder, LossReason } from "../errors.js";
import type { Claim } from "../primitives/primitive.js";
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

const NOBODY: readonly Holding[] = [];

/** What befell the locks of a token of the caller's own, while an obtain with it was under way. */
export interface Asking {
  readonly claim: Claim;
  /** Grants up to this fencing token were given back. */
  gone: number;
  /** Leases of grants up to this fencing token were cut, to end by `until`. */
  cut: number;
  until: number;
}

/** Locks that are held, by their names in Redis: to know one's own when it stands in the way. */
export class OwnLocks {
  /** Mostly there is one for each name. Those who are gone are taken out of the array, too, see {@link Bag}. */
  readonly #byName = new Map<string, Holding[]>();

  /** Obtains with a token of the caller's own. */
  readonly #asking = new Set<Asking>();

  /** An obtain begins, with a token that others may have, too. */
  ask(claim: Claim): Asking {
    const asking = { claim, gone: 0, cut: 0, until: Infinity };
    this.#asking.add(asking);
    return asking;
  }

  /** It is over. */
  asked(asking: Asking): void {
    this.#asking.delete(asking);
  }

  /** What befell the lock of an obtain before that was told that it has it: replies may come together. */
  catchUp({ fencingToken, lease }: Holding, { gone, cut, until }: Asking): void {
    if (fencingToken <= gone) lease.lose("deleted");
    else if (fencingToken <= cut) lease.endBy(until);
  }

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

  /**
   * Whether any of these is held by us; with a `holder`, whether that may be us: by its fencing token, which
   * those who share a lock have in common, or by what it says of itself.
   */
  include(names: readonly string[], holder?: Holder): boolean {
    const said = holder?.metadata;
    const isOurs = ({ claim, fencingToken, seat }: Holding): boolean =>
      said === undefined ||
      claim.metadata === said ||
      (seat === undefined && fencingToken === holder?.fencingToken);
    return names.some((name) => this.#byName.get(name)?.some(isOurs));
  }

  /**
   * Those who have any of these locks as well, by the same token. Of several locks, the fencing token is the
   * highest of their grants, so it says nothing of each.
   */
  beside(holding: Holding): readonly Holding[] {
    const { claim, seat, fencingToken } = holding;
    let found: Holding[] | undefined; // Mostly there is nobody.
    for (const name of claim.names) {
      for (const other of this.#byName.get(name) ?? []) {
        if (other === holding || other.claim.token !== claim.token || other.seat !== seat) continue;
        if (other.fencingToken <= fencingToken || other.claim.names.length > 1) {
          (found ??= []).push(other);
        }
      }
    }
    return found ?? NOBODY;
  }

  /** A lease is cut, or will be: none of those beside it lasts for longer than until then. */
  cut(holding: Holding, until: number): void {
    for (const { lease } of this.beside(holding)) lease.endBy(until);
    for (const asking of this.#askingFor(holding)) {
      asking.cut = Math.max(asking.cut, holding.fencingToken);
      asking.until = Math.min(asking.until, until);
    }
  }

  /**
   * A grant was given back: those who were beside it when that was sent have it no more, nor has whoever was
   * told of it since.
   */
  released(holding: Holding, before: readonly Holding[]): void {
    for (const { lease } of before) lease.lose("deleted");
    this.#lose(holding, "deleted", (fence) => fence <= holding.fencingToken);
    for (const asking of this.#askingFor(holding)) {
      asking.gone = Math.max(asking.gone, holding.fencingToken);
    }
  }

  /** Who may be told of a lock that this one has, by the same token. */
  #askingFor({ claim }: Holding): Asking[] {
    if (this.#asking.size === 0) return [];
    return [...this.#asking].filter(
      ({ claim: other }) =>
        other.token === claim.token && other.names.some((name) => claim.names.includes(name)),
    );
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
