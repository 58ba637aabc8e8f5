import type { HeldLock } from "./lock.js";

/**
 * A lock's object, as its locker has it: a lock that is renewed must not be held for ever when its user
 * dropped it without releasing it. Kept at first, since most locks are soon released, and a weak reference
 * costs more than the rest of an obtain; once {@link loosened}, only for as long as somebody else keeps it.
 */
export class Handle {
  #lock: HeldLock | undefined;
  #weak: WeakRef<HeldLock> | undefined;

  /** From now on it is of this object. */
  take(lock: HeldLock): void {
    this.#lock = lock;
  }

  /** The object, unless it was garbage-collected. */
  get lock(): HeldLock | undefined {
    return this.#lock ?? this.#weak?.deref();
  }

  get isLoose(): boolean {
    return this.#weak !== undefined;
  }

  /** Lets go of the object, and returns it; undefined if that was done before. */
  loosened(): HeldLock | undefined {
    const lock = this.#lock;
    if (lock) this.#weak = new WeakRef(lock);
    this.#lock = undefined;
    return lock;
  }
}
