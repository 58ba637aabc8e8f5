/// <reference lib="esnext.disposable" preserve="true" />
import type { Engine } from "./acquire/engine.js";
import { NotObtainedError } from "./errors.js";
import { type Lock, throwIfEnded } from "./lease/lock.js";
import { checkPatience, type ObtainOptions } from "./options.js";
import { checkObject, givenOptions } from "./own-options.js";

/** How a locker is closed. */
export interface CloseOptions {
  /**
   * Milliseconds that whoever holds a lock of this locker has to come to an end, 0 to 2^31 - 1 or
   * `Infinity`: `lock.signal` aborts at once with a `LockerClosedError`, while the lock is held and renewed
   * as before; what is not released when this time is over is released then. Default: nobody is told, and
   * locks that are held stay held.
   */
  readonly grace?: number | undefined;
}

const CLOSE_OPTIONS: Readonly<Record<keyof CloseOptions, true>> = { grace: true };

/** Obtains the lock that was asked for, once it was checked; or says who has it. */
export type Seek = (
  key: string | readonly string[],
  ttl: number,
  options: ObtainOptions,
) => Promise<Lock | NotObtainedError>;

/** What lockers of all kinds are called for: how a lock is obtained, used, and ended. */
export class LockCalls {
  readonly #engine: Engine;
  readonly #seek: Seek;

  constructor(engine: Engine, seek: Seek) {
    this.#engine = engine;
    this.#seek = seek;
  }

  obtain(key: string | readonly string[], ttl: number, options: ObtainOptions = {}): Promise<Lock> {
    return this.#sought(key, ttl, options).then(orThrow);
  }

  tryObtain(
    key: string | readonly string[],
    ttl: number,
    options: ObtainOptions = {},
  ): Promise<Lock | null> {
    return this.#sought(key, ttl, options).then(orNull);
  }

  /** Not an async function, nor are the two above: each that waits for long keeps half a kilobyte more. */
  #sought(...[key, ttl, options]: Parameters<Seek>): ReturnType<Seek> {
    try {
      return this.#seek(key, ttl, options);
    } catch (error) {
      return rejected(error);
    }
  }

  async using<T>(
    key: string | readonly string[],
    ttl: number,
    optionsOrFn: ObtainOptions | ((lock: Lock) => T | PromiseLike<T>) = {},
    maybeFn?: (lock: Lock) => T | PromiseLike<T>,
  ): Promise<T> {
    const [options, fn] =
      typeof optionsOrFn === "function" ? [{}, optionsOrFn] : [optionsOrFn, maybeFn];
    if (typeof fn !== "function") throw new TypeError("fn must be a function that takes the lock");
    checkObject("options", options);
    if (Object.hasOwn(options, "renew") && options.renew === false) {
      throw new TypeError(
        "renew cannot be false in using: its lock is held for as long as fn runs",
      );
    }
    const lock = await this.obtain(key, ttl, { ...options, renew: true });
    try {
      const result = await fn(lock);
      if (!lock.held) throwIfEnded(lock);
      return result;
    } finally {
      await lock[Symbol.asyncDispose]();
    }
  }

  get held(): Iterable<Lock> {
    return { [Symbol.iterator]: () => this.#engine.held() };
  }

  async close(options: CloseOptions = {}): Promise<void> {
    const { grace } = givenOptions("options", options, CLOSE_OPTIONS);
    if (grace !== undefined) checkPatience("grace", grace);
    await this.#engine.close(grace);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function rejected(error: unknown): Promise<never> {
  throw error;
}

function orThrow(result: Lock | NotObtainedError): Lock {
  if (result instanceof NotObtainedError) throw result;
  return result;
}

function orNull(result: Lock | NotObtainedError): Lock | null {
  return result instanceof NotObtainedError ? null : result;
}
