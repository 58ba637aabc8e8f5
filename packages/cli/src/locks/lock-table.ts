/** Locks as lines for people. */
import type { Palette } from "../output/colour.js";
import { duration } from "../output/duration.js";
import { table } from "../output/table.js";
import { count, plain, withoutSecrets } from "../output/text.js";

import type { Listing } from "./listing.js";
import type { LockInfo } from "./lock-info.js";

const columns = [
  { title: "KEY" },
  { title: "KIND" },
  { title: "HELD FOR", right: true },
  { title: "LEFT", right: true },
  { title: "WAITING", right: true },
  { title: "HOLDER" },
];

export function lockTable(
  locks: readonly LockInfo[],
  width: number | undefined,
  palette: Palette,
): string[] {
  return table(columns, locks.map(cells), width, palette.bold);
}

/** "3 locks held, 2 waiters". */
export function summary({ locks, total, held, waiters }: Listing): string {
  const text = `${count(held, "lock")} held, ${count(waiters, "waiter")}`;
  return total > locks.length ? `${text}; ${total - locks.length} not shown, see --limit` : text;
}

/** What is not in the table, said beside it; "" if all is. */
export function missingShown({
  unread,
  why,
  unasked,
}: Pick<Listing, "unread" | "why" | "unasked">): string {
  const texts = [];
  if (unasked !== 0) texts.push(`${unaskedShown(unasked)}: use redis+cluster://`);
  if (unread > 0) {
    texts.push(`${unread} more could not be read; the last: ${plain(withoutSecrets(why))}`);
  }
  return texts.join("; ");
}

/** "this is one node of a cluster, and the locks of its 2 other masters are not shown". */
export function unaskedShown(unasked: number | null): string {
  if (unasked === null) return "this may be one node of a cluster, whose other locks are not shown";
  const others = unasked === 1 ? "its other master" : `its ${unasked} other masters`;
  return `this is one node of a cluster, and the locks of ${others} are not shown`;
}

function cells(lock: LockInfo): string[] {
  return [
    lock.key,
    kindShown(lock),
    lock.age === null ? "-" : duration(lock.age),
    leftShown(lock),
    lock.waiters === 0 ? "-" : String(lock.waiters),
    lock.metadata || "-",
  ];
}

type Shown = Pick<LockInfo, "kind" | "held" | "permits" | "limit">;

/** "exclusive", "shared by 3", "counted 3/4". */
export function kindShown({ kind, held, permits, limit }: Shown): string {
  if (kind === "shared") return `shared by ${held}`;
  if (kind === "counted") return `counted ${permits}/${limit ?? "?"}`;
  return kind;
}

function leftShown({ kind, remaining }: LockInfo): string {
  if (kind === "free") return "-";
  return remaining === null ? "no end" : duration(remaining);
}
