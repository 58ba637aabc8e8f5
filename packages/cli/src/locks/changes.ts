/** What happened between one listing and the next. */
import type { LockInfo } from "./lock-info.js";

export interface Change {
  readonly change: "held" | "passed on" | "freed" | "waiters";
  readonly lock: LockInfo;
  /** What it was before; undefined if it was not listed. */
  readonly before: LockInfo | undefined;
}

/** How many locks that are listed no more are asked about at a time. */
const AT_A_TIME = 64;

export class Changes {
  #before = new Map<string, LockInfo>();

  /** @param look - Tells of one lock: what a filter or a limit leaves out by now is not free. */
  async since(
    locks: readonly LockInfo[],
    look: (key: string) => Promise<LockInfo | undefined>,
  ): Promise<Change[]> {
    const before = this.#before;
    const now = new Map(locks.map((lock) => [lock.key, lock]));
    this.#before = now;
    const changes = locks.flatMap((lock) => changeOf(before.get(lock.key), lock));
    const missing = [...before.values()].filter(({ key }) => !now.has(key));
    for (let i = 0; i < missing.length; i += AT_A_TIME) {
      const some = missing.slice(i, i + AT_A_TIME);
      const found = await Promise.allSettled(some.map(({ key }) => look(key)));
      for (const [n, lock] of some.entries()) {
        const answer = found[n];
        // What cannot be read may be held as before.
        if (answer?.status !== "fulfilled") continue;
        if (answer.value) changes.push(...changeOf(lock, answer.value));
        else changes.push({ change: "freed", lock: { ...lock, waiters: 0 }, before: lock });
      }
    }
    return changes;
  }
}

function changeOf(before: LockInfo | undefined, lock: LockInfo): Change[] {
  const change = whatChanged(before, lock);
  return change ? [{ change, lock, before }] : [];
}

function whatChanged(before: LockInfo | undefined, now: LockInfo): Change["change"] | undefined {
  if (now.kind === "free" && before?.kind !== "free") return before ? "freed" : "waiters";
  if (!before || before.kind === "free") return now.kind === "free" ? undefined : "held";
  if (before.fencingToken !== now.fencingToken || before.kind !== now.kind) return "passed on";
  if (before.waiters !== now.waiters || before.held !== now.held) return "waiters";
  return undefined;
}
