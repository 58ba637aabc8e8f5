import type { Lock } from "@redislock/core";
import { AsyncLocalStorage } from "node:async_hooks";

/** An application may load this package twice, as CommonJS and as ES module: both must see one lock. */
const SHARED = Symbol.for("redislock.nestjs.currentLock");

const storage = sharedStorage();

function sharedStorage(): AsyncLocalStorage<Lock> {
  const known: unknown = Reflect.get(globalThis, SHARED);
  if (isStorage(known)) return known;
  const made = new AsyncLocalStorage<Lock>();
  Object.defineProperty(globalThis, SHARED, { value: made });
  return made;
}

function isStorage(value: unknown): value is AsyncLocalStorage<Lock> {
  return value instanceof AsyncLocalStorage;
}

/**
 * The lock under which a `@Locked` method runs, in it and in all that it calls; of nested ones, the
 * innermost. What the method leaves running behind sees its lock too, which is not `held` any more.
 *
 * @example
 * await charge(order, { signal: currentLock().signal, fence: currentLock().fencingToken });
 * @throws Error outside of a locked method.
 */
export function currentLock(): Lock {
  const lock = storage.getStore();
  if (lock) return lock;
  throw new Error("there is no current lock: this was not called by a @Locked method");
}

export function runUnder<T>(lock: Lock, fn: () => T): T {
  return storage.run(lock, fn);
}
