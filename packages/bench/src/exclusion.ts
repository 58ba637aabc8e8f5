import type { Section } from "./jobs.js";
import type { Kind } from "./session.js";

/**
 * Looks at when each had the lock, by a clock that all share, and says what is wrong with it: two who
 * may not have it at once, or a fencing token that did not rise. Costs what is measured nothing: it
 * comes after.
 */
export function violations(sections: readonly Section[]): string[] {
  const found: string[] = [];
  let holders: Section[] = [];
  let last: Section | undefined;
  for (const section of [...sections].sort((a, b) => a.granted - b.granted)) {
    const { granted, released, fence, kind } = section;
    holders = holders.filter((holder) => holder.released > granted);
    const alone = holders.find((holder) => !kind || !holder.kind);
    if (alone) {
      const overlap = Math.min(alone.released, released) - granted;
      found.push(`two had the lock at once, for ${overlap.toFixed(3)} ms`);
    }
    holders.push(section);
    if (kind && holders.length > limitOf(kind)) {
      found.push(`${holders.length} had one of ${limitOf(kind)} permits`);
    }
    if (fence === undefined) continue;
    // Those who share it have one in common.
    const least = (last?.fence ?? 0) + (kind && last?.kind ? 0 : 1);
    if (fence < least) found.push(`fencing token ${fence} came after ${last?.fence}`);
    last = section;
  }
  return found;
}

/** Which part of the grants have a fencing token above all before. */
export function risingFences(sections: readonly Section[]): number {
  let highest = 0;
  const rising = [...sections]
    .sort((a, b) => a.granted - b.granted)
    .filter(({ fence = 0 }) => {
      const rises = fence > highest;
      highest = Math.max(highest, fence);
      return rises;
    });
  return sections.length === 0 ? 0 : rising.length / sections.length;
}

function limitOf(kind: Kind): number {
  return kind === "shared" ? Infinity : kind.limit;
}
