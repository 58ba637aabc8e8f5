import type { HeldLock, Lock } from "./lock.js";
import type { Holding } from "./renewal.js";

/** A lock's object; of a renewed one, for as long as somebody else keeps it, where the platform can tell. */
interface Ref {
  deref(): HeldLock | undefined;
}

/**
 * The locks that a locker holds, until they are lost, or their release has come to its end. Keeps no object
 * of a renewed one: a lock that its user dropped must not be held for ever. Others end by their ttl, and a
 * weak reference costs more, by the garbage collection that it causes, than the rest of an obtain.
 */
export class HeldLocks {
  readonly #refs = new Map<Holding, Ref>();

  get size(): number {
    return this.#refs.size;
  }

  add(holding: Holding, lock: HeldLock, renewed: boolean): void {
    const weak = renewed && typeof WeakRef !== "undefined";
    this.#refs.set(holding, weak ? new WeakRef(lock) : { deref: () => lock });
  }

  remove(holding: Holding): void {
    this.#refs.delete(holding);
  }

  /** All of them, also those whose object nobody has any more. */
  entries(): Iterable<readonly [Holding, HeldLock | undefined]> {
    return Array.from(this.#refs, ([holding, ref]) => [holding, ref.deref()]);
  }

  /** Those that are certainly ours, as they are while one goes through them. */
  *locks(): Iterator<Lock> {
    for (const ref of this.#refs.values()) {
      const lock = ref.deref();
      if (lock?.held) yield lock;
    }
  }
}
