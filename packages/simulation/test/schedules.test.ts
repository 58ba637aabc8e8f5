import { describe, expect, test } from "@jest/globals";
import { amount, someOrAll } from "@redislock/test-kit";
import { library } from "../src/library.js";

import {
  type Bug,
  bugs,
  bugsAfterMishaps,
  bugsInTrouble,
  bugsOfSharing,
  bugsWithForeign,
} from "../src/bugs.js";
import { buggyLibrary } from "../src/library.js";
import { firstWrong, report, search } from "../src/schedules/search.js";
import { MISHAPS } from "../src/schedules/one-server.js";
import { simulate } from "../src/schedules/simulate.js";
import type { Trouble } from "../src/schedules/world.js";
import type { Wrong } from "../src/violation.js";

const SCHEDULES = amount(12, 1_500);
/** Within how many schedules a planted bug has to show. */
const UNTIL_FOUND = 400;
/** How many schedules have each of the troubles that the lock has to stand where it has them. */
const IN_TROUBLE = amount(4, 300);
/** How many schedules show that fencing tokens keep out who lost its lock. */
const FENCED = amount(3, 150);
/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 1_200_000;

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
  const kinds = ["obtainMany", "refreshMany", "releaseMany", "shortenMany"];
  // The first schedule that has them all, and those after it.
  for (let seed = 13; seed <= 40 && !kinds.every((kind) => batches.has(kind)); seed++) {
    const result = await simulate({ seed, library });
    for (const name of result.batches.keys()) batches.add(name);
  }
  expect([...batches]).toEqual(expect.arrayContaining(kinds));
});

const inTrouble: readonly (readonly [name: string, ...beyond: Trouble[]])[] = [
  ["replica", "replica"],
  ["countZero", "countZero"],
  ["countOne", "countOne"],
  ["sharedToken", "sharedToken"],
  ["sharing", "sharing"],
  ["sharing and sharedToken", "sharing", "sharedToken"],
  ["foreign", "foreign"],
  ["sharing and foreign", "sharing", "foreign"],
];
test.each(inTrouble)(
  "no schedule breaks a promise with %s",
  async (_, ...beyond) => {
    const finding = await search(1, IN_TROUBLE, { library, beyond });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

describe("finds", () => {
  async function found(bug: Bug, spared: readonly Trouble[]): Promise<Wrong | undefined> {
    return firstWrong(bug.from ?? 1, UNTIL_FOUND, {
      library: bug.library ? await buggyLibrary(bug.library) : library,
      ...(bug.server && { serverBug: bug.server }),
      ...(bug.needs && { beyond: bug.needs }),
      spared,
    });
  }

  const calmServer = [...bugs, ...bugsInTrouble, ...bugsWithForeign];
  test.each(someOrAll(calmServer).map((bug) => [bug.name, bug] as const))(
    "%s",
    async (_, bug) => expect(bug.shows).toContain(await found(bug, MISHAPS)),
    PATIENCE,
  );

  test.each(
    someOrAll([...bugsAfterMishaps, ...bugsOfSharing]).map((bug) => [bug.name, bug] as const),
  )("%s", async (_, bug) => expect(bug.shows).toContain(await found(bug, [])), PATIENCE);
});

test(
  "stands a server's clock that is set back",
  async () => {
    // The schedule that needs it all: a grant that is heard late, from before the jump.
    const finding = await search(amount(701, 601), amount(5, 200), {
      library,
      beyond: ["clockBack"],
    });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

describe("where an assumption is broken", () => {
  test.each(["restartEmpty", "clockForward", "evictLock"] as const)(
    "finds two holders after %s",
    async (trouble) => {
      const wrong = await firstWrong(1, UNTIL_FOUND, { library, beyond: [trouble] });
      expect(wrong).toBe("two holders at once");
    },
    PATIENCE,
  );

  const broken: readonly (readonly [name: string, ...beyond: Trouble[]])[] = [
    ["restartEmpty", "restartEmpty"],
    ["clockForward", "clockForward"],
    ["evictLock, with the clock set back and forward", "evictLock", "clockForward", "clockBack"],
  ];
  test.each(broken)(
    "fencing tokens still keep the loser out after %s",
    async (_, ...beyond) => {
      const finding = await search(1, FENCED, {
        library,
        beyond,
        accepted: [
          "two holders at once",
          "a holder that is kept out by its fencing token",
          "a holder that is turned away",
        ],
      });
      expect(finding && report(finding)).toBeUndefined();
    },
    PATIENCE,
  );
});
