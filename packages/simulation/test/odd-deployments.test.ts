/** Subscriptions that hang on a replica, counts that lie, tokens that two obtains share. */
import { describe, expect, test } from "@jest/globals";
import * as library from "@redislock/core";

import { bugsInTrouble } from "../src/bugs.js";
import { report, search } from "../src/schedules/search.js";
import { count } from "./counts.js";

/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 600_000;
const UNTIL_FOUND = 400;

test.each(["replica", "countZero", "countOne", "sharedToken"] as const)(
  "no schedule breaks a promise with %s",
  async (trouble) => {
    const finding = await search(2_001, count(60, 1_000), { library, beyond: [trouble] });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

describe("finds", () => {
  test.each(bugsInTrouble.map((bug) => [bug.name, bug] as const))(
    "%s",
    async (_, { server, needs = [], shows }) => {
      const finding = await search(1, UNTIL_FOUND, {
        library,
        beyond: needs,
        ...(server && { serverBug: server }),
      });
      expect(shows).toContain(finding?.wrong);
    },
    PATIENCE,
  );
});
