import type { Section } from "./jobs.js";

/**
 * Looks at when each had the lock, by a clock that all share, and says what is wrong with it: two who
 * had it at once, or a fencing token that did not rise. Costs what is measured nothing: it comes after.
 */
export function violations(sections: readonly Section[]): string[] {
  const found: string[] = [];
  let takenUntil = -Infinity;
  let lastFence = 0;
  for (const { granted, released, fence } of [...sections].sort((a, b) => a.granted - b.granted)) {
    if (granted < takenUntil) {
      const overlap = Math.min(takenUntil, released) - granted;
      found.push(`two had the lock at once, for ${overlap.toFixed(3)} ms`);
    }
    takenUntil = Math.max(takenUntil, released);
    if (fence === undefined) continue;
    if (fence <= lastFence) found.push(`fencing token ${fence} came after ${lastFence}`);
    lastFence = fence;
  }
  return found;
}
