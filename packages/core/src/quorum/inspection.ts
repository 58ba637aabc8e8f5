import type { Holder } from "../errors.js";
import { inspectCommand, type Inspection } from "../primitives/inspection.js";
import type { Command } from "../redis/command.js";
import { atAll, gather, majorityOf, said } from "./gather.js";
import type { Member } from "./member.js";
import type { Quorum } from "./quorum.js";

/** Who has the lock by what a majority says, and who waits for it. */
export function inspectAtAll(key: string, { members, roll }: Quorum): Command<Inspection> {
  return atAll(async (options) => {
    await roll.call(options.until);
    return gather<Inspection, Member>(members, {
      ask: (member) => roll.wordOf(member, inspectCommand(key, member.space), options),
      yes: (votes, all) => {
        // The line is at one server only: a majority may know nothing of it.
        if (members.some((member) => !all[member.index] && !member.silent)) return undefined;
        const inspections = votes.map(({ reply }) => reply);
        return said(votes, members.length, foundByMajority(inspections, members.length));
      },
    });
  });
}

/** What a majority of inspections has in common: whom so many say to have the lock has it. */
function foundByMajority(inspections: readonly Inspection[], members: number): Inspection {
  const need = majorityOf(members);
  const groups = [...groupsOf(inspections, ({ holder }) => holder?.fencingToken)];
  // Servers that were not asked in the same moment may have given different tokens to one holder.
  const alike = [...groupsOf(inspections, ({ holder }) => holder?.metadata)];
  const found = groups.find((group) => group.length >= need);
  const group = found ?? alike.find((one) => one.length >= need && one[0]?.holder);
  const [most = NONE] = [...inspections].sort((a, b) => b.waiters - a.waiters);
  const holding = group?.sort((a, b) => left(b) - left(a))[need - 1] ?? NONE;
  return { ...holding, waiters: most.waiters, line: most.line };
}

/** Who has the lock, by what servers say of their own: the one whom most of them name. */
export function holderOf(told: readonly (Holder | undefined)[]): Holder | undefined {
  const holders = told.flatMap((holder) => holder ?? []);
  let found: Holder | undefined;
  let most = 0;
  for (const holder of holders) {
    const same = holders.filter(({ metadata }) => metadata === holder.metadata);
    if (same.length <= most) continue;
    most = same.length;
    found = same.reduce((a, b) => (b.remaining > a.remaining ? b : a));
  }
  return found;
}

const NONE: Inspection = {
  holder: undefined,
  holders: [],
  held: 0,
  permits: 0,
  waiters: 0,
  line: [],
};

function left({ holder }: Inspection): number {
  return holder?.remaining ?? 0;
}

function groupsOf(
  inspections: readonly Inspection[],
  key: (inspection: Inspection) => unknown,
): Iterable<Inspection[]> {
  const groups = new Map<unknown, Inspection[]>();
  for (const inspection of inspections) {
    const group = groups.get(key(inspection));
    if (group) group.push(inspection);
    else groups.set(key(inspection), [inspection]);
  }
  return groups.values();
}
