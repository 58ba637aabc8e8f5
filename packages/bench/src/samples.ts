import type { ClientName, Contender } from "./session.js";

/** One number for each contender and round. */
export class Samples {
  readonly #rounds = new Map<Contender, number[]>();

  add(contender: Contender, value: number): void {
    this.of(contender).push(value);
  }

  of(contender: Contender): number[] {
    let rounds = this.#rounds.get(contender);
    if (!rounds) this.#rounds.set(contender, (rounds = []));
    return rounds;
  }

  /** What a contender has in each round over what its measure, of the same client, has in that round. */
  ratios(contender: Contender, measures: readonly Contender[]): number[] {
    const rounds = this.of(measureFor(contender.client, measures));
    return this.of(contender).map((value, round) => value / (rounds[round] ?? NaN));
  }
}

export function measureFor(client: ClientName, measures: readonly Contender[]): Contender {
  const measure = measures.find((one) => one.client === client);
  if (!measure) throw new Error(`Nothing to measure a contender over ${client} against`);
  return measure;
}
