import { Inject } from "@nestjs/common";

/**
 * The injection token of a locker: to override it in tests, or for `inject` of a factory.
 *
 * @param name - As the module was given it. Default: the locker without a name.
 * @example
 * Test.createTestingModule({ imports: [ShopModule] })
 *   .overrideProvider(getLockerToken())
 *   .useValue(new Locker(memoryClient()));
 * @throws TypeError for a name that is none.
 */
export function getLockerToken(name?: string): string {
  if (name === undefined) return "redislock.Locker";
  if (typeof name !== "string") throw new TypeError(`name must be a string, got ${typeof name}`);
  if (name === "") throw new TypeError("name must not be empty: leave it out for no name");
  return `redislock.Locker:${name}`;
}

/**
 * Injects a locker.
 *
 * @param name - As the module was given it. Default: the locker without a name.
 * @example
 * constructor(@InjectLocker() private readonly locker: Locker) {}
 * @throws TypeError for a name that is none.
 */
export function InjectLocker(name?: string): PropertyDecorator & ParameterDecorator {
  return Inject(getLockerToken(name));
}
