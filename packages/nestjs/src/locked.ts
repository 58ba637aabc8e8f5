import { Inject } from "@nestjs/common";
import { Locker, NotObtainedError, type ObtainOptions } from "@redislock/core";
import { checkOptionNames } from "@redislock/core/adapter";
import "reflect-metadata";

import { checkPatience, checkWhole } from "./check.js";
import { runUnder } from "./current-lock.js";
import { getLockerToken } from "./tokens.js";

/** How a call of the method asks for its lock and holds it. */
export interface LockedOptions extends Omit<ObtainOptions, "renew" | "token" | "signal"> {
  /** The name of the locker, as the module was given it. Default: the one without a name. */
  readonly locker?: string | undefined;

  /**
   * What a call comes to that does not get the lock: `"reject"` with the `NotObtainedError`, or `"skip"`,
   * which resolves with undefined and is for jobs that another machine is already doing. Trouble with
   * Redis rejects either way. Default: `"reject"`.
   */
  readonly ifNotObtained?: "reject" | "skip" | undefined;
}

/** The key of a call, or several keys that are obtained at once. */
export type LockedKey = string | readonly string[];

/** A key, or what makes it of the arguments of the call. */
export type LockedKeyMaker = LockedKey | ((...args: never[]) => LockedKey);

/** What `@Locked` says of a method that it does not fit. */
export interface LockedMisfit<Why extends string> {
  readonly "@Locked does not fit this method": Why;
}

/** Stands on methods that return a promise and have the parameters that the key is made of. */
export type LockedDecorator<Key extends LockedKeyMaker, Skips extends boolean> = <
  Method extends (...args: never[]) => Promise<unknown>,
>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> &
    ([Key] extends [LockedKey | ((...args: Parameters<Method>) => LockedKey)]
      ? unknown
      : LockedMisfit<"the key takes other parameters than the method has">) &
    ([Skips, undefined] extends [false, undefined] | [true, Awaited<ReturnType<Method>>]
      ? unknown
      : LockedMisfit<"a call that is skipped resolves with undefined, which the method cannot">),
) => void;

const SHORTEST_TTL = 10;

const whole = (least: number) => (name: string, value: unknown) => checkWhole(name, value, least);
const oneOf =
  (...values: string[]) =>
  (name: string, value: unknown): void => {
    if (values.some((known) => known === value)) return;
    throw new TypeError(
      `${name} must be ${values.map((known) => JSON.stringify(known)).join(" or ")}`,
    );
  };
const anything = (): void => {};

const CHECKS: Readonly<Record<keyof LockedOptions, (name: string, value: unknown) => void>> = {
  mode: oneOf("exclusive", "shared"),
  limit: whole(1),
  permits: whole(1),
  retry: anything,
  wait: checkPatience,
  metadata: anything,
  holdAtLeast: whole(SHORTEST_TTL),
  locker: anything, // Its token is made at once, which checks it.
  ifNotObtained: oneOf("reject", "skip"),
};

/**
 * Runs a method of a provider or controller while holding a lock, as `locker.using` does: renewed for as
 * long as the method runs, and released whatever happens. A call resolves and rejects as the method does,
 * and rejects with a `LockLostError` if the lock was lost meanwhile. {@link currentLock} has the lock.
 *
 * Stands above or below other decorators, of which it keeps the metadata. Locks are not re-entrant: a
 * method that holds a key must not call another that takes the same.
 *
 * @param key - The key, several, or a function that makes them of the call's arguments.
 * @param ttl - Milliseconds after which Redis frees the lock if we do not: 10 to 2^31 - 1. Lower: it is
 *   free sooner after a crash. Higher: longer pauses and outages are survived.
 * @param options - Those of an obtain, and what the decorator has of its own. Default: one try, rejected.
 * @example
 * \@Locked((order: Order) => `order:${order.id}`, 10_000, { wait: 5_000 })
 * async pay(order: Order): Promise<void> {}
 * @throws TypeError, RangeError for bad arguments, as the class is defined. A call rejects with what
 *   `obtain` throws, what the method throws, LockLostError; with an Error if Nest did not make the object.
 */
export function Locked<Key extends LockedKeyMaker>(
  key: Key,
  ttl: number,
  options: LockedOptions & { readonly ifNotObtained: "skip" },
): LockedDecorator<Key, true>;
export function Locked<Key extends LockedKeyMaker>(
  key: Key,
  ttl: number,
  options?: LockedOptions & { readonly ifNotObtained?: "reject" | undefined },
): LockedDecorator<Key, false>;
export function Locked(
  key: LockedKey | ((...args: unknown[]) => LockedKey),
  ttl: number,
  options: LockedOptions = {},
): MethodDecorator {
  check(key, ttl, options);
  const { locker: name, ifNotObtained = "reject", ...manner } = options;
  const token = getLockerToken(name);
  // The locker comes as a property that Nest injects. So each application has its own, one that is
  // missing is told of as the application starts, and subclasses, request-scoped providers and overrides
  // in tests work as they do for any dependency. A global registry would have none of this.
  const property = Symbol.for(token);

  return (target, method, descriptor) => {
    const original: unknown = descriptor.value;
    if (typeof target === "function" || typeof original !== "function") {
      throw new TypeError(`@Locked is for methods of instances, which ${String(method)} is not`);
    }
    Inject(token)(target, property);
    const place = `${target.constructor.name}.${String(method)}`;

    const locked = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const locker = lockerOf(this, property, place, name);
      const keys = typeof key === "function" ? key.apply(this, args) : key;
      let entered = false;
      try {
        return await locker.using(keys, ttl, manner, (lock) => {
          entered = true;
          return runUnder(lock, (): unknown => original.apply(this, args));
        });
      } catch (error) {
        // One that the method itself threw, of another lock, is the caller's.
        if (ifNotObtained === "skip" && !entered && error instanceof NotObtainedError) return;
        throw error;
      }
    };
    become(locked, original);
    Object.assign(descriptor, { value: locked });
  };
}

/** Other decorators find on the new function what they left on the old one. */
function become(locked: object, original: object): void {
  for (const property of ["name", "length"]) {
    const descriptor = Object.getOwnPropertyDescriptor(original, property);
    if (descriptor) Object.defineProperty(locked, property, descriptor);
  }
  for (const key of Reflect.getMetadataKeys(original)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), locked);
  }
}

function lockerOf(object: unknown, property: symbol, place: string, name?: string): Locker {
  const locker: unknown =
    typeof object === "object" && object !== null ? Reflect.get(object, property) : undefined;
  if (locker instanceof Locker) return locker;
  const which = name === undefined ? "its locker" : `the locker ${JSON.stringify(name)}`;
  throw new Error(
    `${place} is @Locked, but the object that it was called on lacks ${which}, which Nest injects ` +
      "into providers and controllers that it creates itself: not into those of useFactory or " +
      "useValue, and not into what `new` makes",
  );
}

function check(key: unknown, ttl: number, options: LockedOptions): void {
  const keys: unknown[] = Array.isArray(key) ? key : [key];
  const isKey = keys.length > 0 && keys.every((one) => typeof one === "string" && one !== "");
  if (typeof key !== "function" && !isKey) {
    throw new TypeError("key must be a text, an array of them, or a function that returns one");
  }
  checkWhole("ttl", ttl, SHORTEST_TTL);
  checkOptionNames("options", options, Object.keys(CHECKS));
  for (const [name, test] of Object.entries(CHECKS)) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) test(name, value);
  }
  const { mode, limit, permits, retry, wait } = options;
  if (retry !== undefined && wait !== undefined)
    throw new TypeError("retry and wait exclude each other");
  if (mode !== undefined && limit !== undefined)
    throw new TypeError("mode and limit exclude each other");
  if (permits !== undefined && limit === undefined) throw new TypeError("permits need a limit");
  if (permits !== undefined && limit !== undefined && permits > limit) {
    throw new RangeError(`permits must be at most the limit, ${limit}, got ${permits}`);
  }
}
