import { expect, it } from "@jest/globals";

import { afterMessage, nothing } from "../src/page/browser/model.js";
import type { Look, Start } from "../src/page/messages.js";

const start: Start = { type: "start", where: "Redis", prefix: "", namespace: "", readOnly: true };
const summary = { total: 1, held: 1, waiters: 0, unread: 0, why: "", unasked: 0, failure: null };

it("a page that is connected again has seen nothing until there is a look", () => {
  const look: Look = { type: "look", now: 0, summary };
  const away: Look = { ...look, summary: { ...summary, total: 0, held: 0, failure: "away" } };
  const seen = [start, look].reduce((state, message) => afterMessage(state, message, 1), nothing);
  expect(seen.lookedAt).toBe(1);
  const again = [start, away].reduce((state, message) => afterMessage(state, message, 2), seen);
  expect(again.lookedAt).toBe(0);
  expect(afterMessage(again, look, 3).lookedAt).toBe(3);
});
