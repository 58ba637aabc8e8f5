export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Between which two of the values the median of all that could have been measured lies, as sure as told:
 * by how likely so many of them fall on one side of it (the binomial distribution), whatever theirs is.
 */
export function medianInterval(values: readonly number[], sure: number): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const count = sorted.length;
  let likely = 0.5 ** count; // That all lie on one side.
  let beyond = likely;
  let out = 0;
  while (out + 1 < count / 2) {
    likely *= (count - out) / (out + 1);
    if (1 - 2 * (beyond + likely) < sure) break;
    beyond += likely;
    out++;
  }
  return [sorted[out] ?? NaN, sorted[count - 1 - out] ?? NaN];
}

/** The value below which a part of all values lies, interpolated. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place - Math.floor(place));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Jain's index of fairness: 1 when all got the same, 1/n when one of n got everything. */
export function fairness(shares: readonly number[]): number {
  const squares = sum(shares.map((share) => share ** 2));
  return squares === 0 ? 1 : sum(shares) ** 2 / (shares.length * squares);
}

/** The order of the next round: whoever came first comes last. So nobody always follows the same one. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const start = items.length === 0 ? 0 : round % items.length;
  const turned = [...items.slice(start), ...items.slice(0, start)];
  return round % 2 === 0 ? turned : turned.reverse();
}
