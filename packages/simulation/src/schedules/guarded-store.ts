/**
 * What the locks protect: a number that is read, and written back one higher, by holders who may have
 * slept in between. Refuses whoever comes with a lower fencing token than one that it has seen.
 */
export class GuardedStore {
  readonly #highest = new Map<string, number>();
  readonly #numbers = new Map<string, number>();

  /** The number, or undefined for who is too late. */
  read(key: string, fencingToken: number): number | undefined {
    return this.#admits(key, fencingToken) ? this.#at(key) : undefined;
  }

  /** What stood there before, or undefined for who is too late. */
  write(key: string, fencingToken: number, number: number): number | undefined {
    if (!this.#admits(key, fencingToken)) return undefined;
    const before = this.#at(key);
    this.#numbers.set(key, number);
    return before;
  }

  #admits(key: string, fencingToken: number): boolean {
    if (fencingToken < (this.#highest.get(key) ?? 0)) return false;
    this.#highest.set(key, fencingToken);
    return true;
  }

  #at(key: string): number {
    return this.#numbers.get(key) ?? 0;
  }
}
