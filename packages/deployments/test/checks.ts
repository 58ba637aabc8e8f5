/** What must be true of a trial, wherever it took place. */
import { LIMIT, type Ended, type Failed, type Granted, type Line, type Share } from "./record.js";

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
  readonly share: Share;
  readonly fence: number;
  readonly ttl: number;
  readonly asked: number;
  readonly from: number;
  readonly to: number;
}

/** Milliseconds in which what a process is about to hear of was known elsewhere already. */
const SAME_MOMENT = 0.5;

/**
 * At no moment are there two holders but of a lock that they share, with one fencing token together, and
 * of one that is counted no more than may be; and fencing tokens rise. Where a server loses what it has granted,
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
        const fault = faultBetween(one, next, ofKey, losses);
        if (fault !== undefined) faults.push(`${fault}: ${inspect(one)} and ${inspect(next)}`);
      }
    }
    for (const many of crowdsOf(ofKey)) {
      if (!many.some((one) => many.some((other) => isExcused(one, other, losses)))) {
        faults.push(`too many holders: ${many.map(inspect).join(" and ")}`);
      }
    }
  }
  return faults;
}

function faultBetween(
  low: Section,
  high: Section,
  ofKey: readonly Section[],
  losses: readonly Loss[],
): string | undefined {
  if (low.fence === high.fence) {
    return low.share === "alone" || high.share === "alone" ? "one fencing token twice" : undefined;
  }
  if (low.asked > high.from) {
    // Whoever joins those who share a lock has the token of the first of them. That one and the other, who
    // had it alone, may be of two servers' histories.
    const first = ofKey.find(({ fence, asked }) => fence === low.fence && asked <= high.from);
    return first && isExcused(first, high, losses) ? undefined : "fencing tokens that fall";
  }
  const [first, second] = low.from <= high.from ? [low, high] : [high, low];
  if (first.to <= second.from + SAME_MOMENT) return undefined;
  return isExcused(low, high, losses) ? undefined : "two holders";
}

function isExcused(one: Section, other: Section, losses: readonly Loss[]): boolean {
  const [first, second] = one.from <= other.from ? [one, other] : [other, one];
  const end = Math.min(first.to, second.to);
  return losses.some(
    (loss) => first.from <= loss.to && second.from >= loss.from && end <= loss.to + first.ttl,
  );
}

/** Of a counted lock, those who had it at a moment when there were too many. */
function crowdsOf(sections: readonly Section[]): Section[][] {
  const counted = sections.filter(({ share }) => share === "counted");
  return counted
    .map(({ from }) => counted.filter((one) => one.from <= from && one.to > from + SAME_MOMENT))
    .filter((many) => many.length > LIMIT);
}

function sectionsOf(lines: readonly Line[]): Section[] {
  const ends = new Map<string, Ended>();
  for (const line of lines) if (line.type === "ended") ends.set(line.id, line);
  return grantsOf(lines).flatMap(({ keys, id, share, fence, ttl, asked, at }) =>
    keys.map((key) => {
      // A process that was killed cannot say when it last held it.
      const to = ends.get(id)?.to ?? at;
      return { key, id, share, fence, ttl, asked, from: at, to };
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

function inspect({ id, share, key, fence, from, to }: Section): string {
  return `${id} (${share}) on ${key} with ${fence} from ${from.toFixed(1)} to ${to.toFixed(1)}`;
}
