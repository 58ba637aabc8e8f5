/**
 * How much is tested: with REDISLOCK_TESTS=all everything that can be relied on then, which takes several
 * times as long as what shows a mistake soon.
 */
export const everything: boolean = process.env["REDISLOCK_TESTS"] === "all";

/** How many, or how much. */
export function amount(soon: number, all: number): number {
  return everything ? all : soon;
}

/** The last of several, or all of them. */
export function lastOrAll<T>(all: readonly T[]): readonly T[] {
  return everything ? all : all.slice(-1);
}

/** One in eight, or all of them. */
export function someOrAll<T>(all: readonly T[]): readonly T[] {
  return everything ? all : all.filter((_, index) => index % 8 === 0);
}
