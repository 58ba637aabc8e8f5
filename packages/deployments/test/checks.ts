/** What must be true of a trial, wherever it took place. */
import type { Ended, Failed, Granted, Line } from "./record.js";

/** A time in which a server may have lost what it had said, or there were two of them. */
export interface Loss {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** What was had of one key, from when it was known to be granted until it was last seen to be held. */
interface Section {
  readonly key: string;
  readonly id: string;
  readonly fence: number;
  readonly ttl: number;
  readonly asked: number;
  readonly from: number;
  readonly to: number;
}

/** Milliseconds in which what a process is about to hear of was known elsewhere already. */
const SAME_MOMENT = 0.5;

/**
 * At no moment are there two holders, and fencing tokens rise. Where a server loses what it has granted,
 * the docs promise less, and this is what is asked then: two at once are of two servers' histories, one
 * granted before the loss was over and the other after it began; the earlier holds no longer than its
 * lease; and the later one has the higher fencing token, by which a resource keeps the other out.
 */
export function faultsOfExclusion(lines: readonly Line[], losses: readonly Loss[]): string[] {
  const sections = sectionsOf(lines);
  const faults: string[] = [];
  for (const key of new Set(sections.map((section) => section.key))) {
    const ofKey = sections.filter((section) => section.key === key);
    ofKey.sort((a, b) => a.fence - b.fence);
    for (const [index, one] of ofKey.entries()) {
      for (const next of ofKey.slice(index + 1)) {
        const fault = faultBetween(one, next, losses);
        if (fault !== undefined) faults.push(`${fault}: ${inspect(one)} and ${inspect(next)}`);
      }
    }
  }
  return faults;
}

function faultBetween(low: Section, high: Section, losses: readonly Loss[]): string | undefined {
  if (low.fence === high.fence) return "one fencing token twice";
  if (low.asked > high.from) return "fencing tokens that fall";
  const [first, second] = low.from <= high.from ? [low, high] : [high, low];
  if (first.to <= second.from + SAME_MOMENT) return undefined;
  const end = Math.min(first.to, second.to);
  const excused = losses.some(
    (loss) => first.from <= loss.to && second.from >= loss.from && end <= loss.to + first.ttl,
  );
  if (!excused) return "two holders";
  return undefined;
}

function sectionsOf(lines: readonly Line[]): Section[] {
  const ends = new Map<string, Ended>();
  for (const line of lines) if (line.type === "ended") ends.set(line.id, line);
  return grantsOf(lines).flatMap(({ keys, id, fence, ttl, asked, at }) =>
    keys.map((key) => {
      // A process that was killed cannot say when it last held it.
      const to = ends.get(id)?.to ?? at;
      return { key, id, fence, ttl, asked, from: at, to };
    }),
  );
}

export function grantsOf(lines: readonly Line[]): Granted[] {
  return lines.filter((line) => line.type === "granted");
}

/** What ended without an answer, or with a wrong one. */
export function failuresOf(lines: readonly Line[]): Failed[] {
  return lines.filter((line) => line.type === "failed");
}

/** Whoever waited, and was not served within the bound. */
export function unservedOf(lines: readonly Line[]): Failed[] {
  const patient = new Set(["wait", "renew", "several"]);
  return failuresOf(lines).filter(({ how }) => patient.has(how));
}

/** Milliseconds of the longest wait that had an end. */
export function longestWait(lines: readonly Line[]): number {
  return Math.max(0, ...grantsOf(lines).map(({ asked, at }) => at - asked));
}

function inspect({ id, key, fence, from, to }: Section): string {
  return `${id} on ${key} with ${fence} from ${from.toFixed(1)} to ${to.toFixed(1)}`;
}
