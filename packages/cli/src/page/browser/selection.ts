/** Which rows are shown, and in which order. */
import type { Row } from "../messages.js";

export type Order = "key" | "age" | "left" | "waiters" | "waited";

export const orders: readonly { readonly name: Order; readonly text: string }[] = [
  { name: "key", text: "key" },
  { name: "age", text: "held longest" },
  { name: "left", text: "ends first" },
  { name: "waiters", text: "most waiters" },
  { name: "waited", text: "longest wait" },
];

export interface Selection {
  readonly filter: string;
  readonly waitingOnly: boolean;
  readonly order: Order;
}

export function shownOf(
  rows: ReadonlyMap<string, Row>,
  { filter, waitingOnly, order }: Selection,
): readonly Row[] {
  const text = filter.toLowerCase();
  const compare = compares[order];
  return [...rows.values()]
    .filter(
      ({ key, metadata, waiters }) =>
        (!waitingOnly || waiters > 0) &&
        (key.toLowerCase().includes(text) || (metadata ?? "").toLowerCase().includes(text)),
    )
    .sort((a, b) => compare(a, b) || byKey(a, b));
}

type Compare = (a: Row, b: Row) => number;

const byKey: Compare = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

/** The earliest moment first, what has none last. */
function byMoment(of: (row: Row) => number | null): Compare {
  return (a, b) => (of(a) ?? Number.MAX_VALUE) - (of(b) ?? Number.MAX_VALUE);
}

const compares: Readonly<Record<Order, Compare>> = {
  key: byKey,
  // By when it was granted: how long ago that is, was read for each at another moment.
  age: byMoment(({ fencingToken }) => fencingToken),
  left: byMoment(({ ends }) => ends),
  waiters: (a, b) => b.waiters - a.waiters,
  waited: byMoment(({ waitingSince }) => waitingSince),
};
