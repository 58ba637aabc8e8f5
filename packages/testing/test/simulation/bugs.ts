import type { Script } from "@redislock/core";

import type { ServerBug } from "./server.js";
import type { Wrong } from "./watch.js";

/** Some text, and what is put in its place. */
export type Change = readonly [from: string, to: string];

/** A mistake that somebody could make, and what may come of it. */
export interface Bug {
  readonly name: string;
  readonly shows: readonly Wrong[];
  /** What is changed in a file of the compiled library. */
  readonly library?: { readonly file: string; readonly change: Change };
  readonly server?: ServerBug;
}

/** Planted one at a time, to see that the simulation finds them. */
export const bugs: readonly Bug[] = [
  {
    name: "a lease that counts from the reply, not from the question",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    library: {
      file: "calls.js",
      change: [
        'kind: "reply", reply, sentAt, once',
        'kind: "reply", reply, sentAt: this.alarm.now(), once',
      ],
    },
  },
  {
    name: "a release that does not look whose lock it is",
    shows: ["two holders at once"],
    server: {
      source: changed(["release"], ["if held == value and", "if held or held == value and"]),
    },
  },
  {
    name: "a wake-up that is lost between being told to wait and standing in line",
    shows: ["a free lock with somebody in line"],
    server: {
      lateEnqueue: {
        delay: 20,
        source: changed(
          ["obtain"],
          ["local untouched = true", "local untouched = false"],
          [
            "local owned, free, fence, longest = 0, true,",
            "local owned, free, fence, longest = 0, false,",
          ],
        ),
      },
    },
  },
  {
    name: "a grant that is kept after giving up",
    shows: ["something left behind"],
    library: {
      file: "claim.js",
      change: ["async giveBack() {", "async giveBack() { return undefined;"],
    },
  },
  {
    name: "a refresh that brings back a lock that is gone",
    shows: ["a lock that is held again without a new fencing token"],
    server: {
      source: changed(
        ["refresh"],
        [
          "if held == value and",
          "if not held then\n" +
            "    redis.call('SET', key, value, 'PX', ttl)\n" +
            "    held = value\n" +
            "  end\n" +
            "  if held == value and",
        ],
      ),
    },
  },
  {
    name: "a fencing token that is not raised above the last one",
    shows: [
      "a fencing token that does not rise",
      "a lock that is held again without a new fencing token",
    ],
    server: {
      source: changed(
        ["obtain", "release", "leave"],
        ["if last and last >= micros then", "if last then"],
        ["fence = string.format('%.0f', last + 1)", "fence = string.format('%.0f', last)"],
      ),
    },
  },
];

/** A change that does not apply any more would prove nothing. */
export function replaced(text: string, [from, to]: Change): string {
  if (text.includes(from)) return text.replace(from, to);
  throw new Error(`cannot plant the bug: there is no "${from}"`);
}

function changed(names: readonly string[], ...changes: Change[]): (script: Script) => string {
  return ({ name, source }) =>
    names.includes(name.replace(/Many$/, ""))
      ? changes.reduce((text, change) => replaced(text, change), source)
      : source;
}
