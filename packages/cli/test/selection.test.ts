import { describe, expect, it } from "@jest/globals";

import { shownOf, type Selection } from "../src/page/browser/selection.js";
import type { Row } from "../src/page/messages.js";

const free: Omit<Row, "key"> = {
  kind: "exclusive",
  metadata: null,
  fencingToken: null,
  since: null,
  ends: null,
  held: 1,
  permits: 0,
  limit: null,
  waiters: 0,
  waitingSince: null,
};

function keysOf(rows: readonly (Partial<Row> & { key: string })[], by: Partial<Selection>): string {
  const all = new Map(rows.map((row) => [row.key, { ...free, ...row }]));
  const selection: Selection = { filter: "", waitingOnly: false, order: "key", ...by };
  return shownOf(all, selection)
    .map(({ key }) => key)
    .join(" ");
}

describe("the list of the page", () => {
  it.each(["ORDER", "order", "Order"])("is narrowed by %s, whatever the case", (filter) => {
    const rows = [
      { key: "My-Order:1" },
      { key: "ORDER:2" },
      { key: "other", metadata: "The Order Desk" },
      { key: "none", metadata: "nobody" },
    ];
    expect(keysOf(rows, { filter })).toBe("My-Order:1 ORDER:2 other");
  });

  it("has those held longest first by their grants, not by when each was read", () => {
    const rows = [
      { key: "third", fencingToken: 3_000, since: 1 },
      { key: "unknown", since: 0 },
      { key: "first", fencingToken: 1_000, since: 3 },
      { key: "second", fencingToken: 2_000, since: 2 },
    ];
    expect(keysOf(rows, { order: "age" })).toBe("first second third unknown");
  });
});
