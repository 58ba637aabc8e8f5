import { describe, expect, test } from "@jest/globals";
import * as library from "@redislock/core";

import { bugs, bugsInTrouble } from "../src/bugs.js";
import { buggyLibrary } from "../src/library.js";
import { firstWrong, report, search } from "../src/schedules/search.js";
import { simulate } from "../src/schedules/simulate.js";
import { count } from "./counts.js";

const SCHEDULES = count(300, 2_000);
/** Within how many schedules a planted bug has to show. */
const UNTIL_FOUND = 400;
/** How many schedules have each of the troubles that the lock has to stand where it has them. */
const IN_TROUBLE = count(40, 400);
/** How many schedules show that fencing tokens keep out who lost its lock. */
const FENCED = count(30, 150);
/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 600_000;

test(
  "no schedule breaks a promise",
  async () => {
    const finding = await search(1, SCHEDULES, { library });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

test("a seed tells the same story each time", async () => {
  const first = await simulate({ seed: 7, library, written: true });
  const second = await simulate({ seed: 7, library, written: true });
  expect(first.history.length).toBeGreaterThan(100);
  expect(second.history).toEqual(first.history);
});

test("commands leave in batches", async () => {
  const batches = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const result = await simulate({ seed, library });
    for (const name of result.batches.keys()) batches.add(name);
  }
  expect([...batches]).toEqual(expect.arrayContaining(["obtainMany", "refreshMany"]));
});

test.each(["replica", "countZero", "countOne", "sharedToken"] as const)(
  "no schedule breaks a promise with %s",
  async (trouble) => {
    const finding = await search(1, IN_TROUBLE, { library, beyond: [trouble] });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

describe("finds", () => {
  test.each([...bugs, ...bugsInTrouble].map((bug) => [bug.name, bug] as const))(
    "%s",
    async (_, bug) => {
      const wrong = await firstWrong(1, UNTIL_FOUND, {
        library: bug.library ? await buggyLibrary(bug.library) : library,
        ...(bug.server && { serverBug: bug.server }),
        ...(bug.needs && { beyond: bug.needs }),
      });
      expect(bug.shows).toContain(wrong);
    },
    PATIENCE,
  );
});

test(
  "stands a server's clock that is set back",
  async () => {
    // The schedule that needs it all: a grant that is heard late, from before the jump.
    const finding = await search(count(701, 601), count(20, 200), {
      library,
      beyond: ["clockBack"],
    });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

describe("where an assumption is broken", () => {
  test.each(["restartEmpty", "clockForward"] as const)(
    "finds two holders after %s",
    async (trouble) => {
      const wrong = await firstWrong(1, UNTIL_FOUND, { library, beyond: [trouble] });
      expect(wrong).toBe("two holders at once");
    },
    PATIENCE,
  );

  test.each(["restartEmpty", "clockForward"] as const)(
    "fencing tokens still keep the loser out after %s",
    async (trouble) => {
      const finding = await search(1, FENCED, {
        library,
        beyond: [trouble],
        accepted: ["two holders at once", "a holder that is kept out by its fencing token"],
      });
      expect(finding && report(finding)).toBeUndefined();
    },
    PATIENCE,
  );
});
