import type { Handle } from "./handle.js";
import type { Lock } from "./lock.js";
import type { Holding } from "./renewal.js";

/** The locks that a locker holds, until they are lost, or their release has come to its end. */
export class HeldLocks {
  readonly #handles = new Map<Holding, Handle>();

  get size(): number {
    return this.#handles.size;
  }

  add(holding: Holding, handle: Handle): void {
    this.#handles.set(holding, handle);
  }

  remove(holding: Holding): void {
    this.#handles.delete(holding);
  }

  /** All of them, also those whose object nobody has any more. */
  entries(): Iterable<readonly [Holding, Handle]> {
    return Array.from(this.#handles);
  }

  /** Those that are certainly ours, as they are while one goes through them. */
  *locks(): Iterator<Lock> {
    for (const { lock } of this.#handles.values()) if (lock?.held) yield lock;
  }
}
