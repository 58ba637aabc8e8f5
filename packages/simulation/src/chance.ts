/**
 * All that is left to chance, from one seed. What is drawn depends on the seed, on what it is about and
 * on how often that was asked, and on nothing else: leaving out one mishap changes no other.
 */
export class Chance {
  readonly seed: number;
  /** The mishaps that happened, by name. */
  readonly happened: string[] = [];
  readonly #prevented: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();

  /** @param prevented - Mishaps that must not happen, to find out which of them matter. */
  constructor(seed: number, prevented: ReadonlySet<string> = new Set()) {
    this.seed = seed;
    this.#prevented = prevented;
  }

  /** From 0 up to 1. */
  draw(about: string): number {
    return hash(`${this.seed} ${about} ${this.#count(about)}`);
  }

  between(about: string, low: number, high: number): number {
    return low + (high - low) * this.draw(about);
  }

  pick<T>(about: string, list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.draw(about) * list.length)] ?? list[0];
  }

  /** Whether a mishap happens. */
  strikes(about: string, probability: number): boolean {
    const name = `${about} ${this.#count(about)}`;
    if (hash(`${this.seed} ${name}`) >= probability || this.#prevented.has(name)) return false;
    this.happened.push(name);
    return true;
  }

  #count(about: string): number {
    const count = (this.#counts.get(about) ?? 0) + 1;
    this.#counts.set(about, count);
    return count;
  }
}

/** FNV-1a, and then the last steps of MurmurHash3, which spread it. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
