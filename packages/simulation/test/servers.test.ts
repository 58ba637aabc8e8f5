/** A quorum of several servers, and a master with replicas: what they promise when these fail. */
import { describe, expect, test } from "@jest/globals";
import { amount, someOrAll } from "@redislock/test-kit";

import { type Bug, bugsOfQuorum, bugsOfReplicas } from "../src/bugs.js";
import { buggyLibrary, library } from "../src/library.js";
import { firstWrong, report, search } from "../src/schedules/search.js";
import { simulate } from "../src/schedules/simulate.js";
import type { Wrong } from "../src/violation.js";

const SCHEDULES = { quorum: amount(3, 100), replicas: amount(5, 200) } as const;
/** Within how many schedules a planted bug has to show. */
const UNTIL_FOUND = 300;
/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 1_200_000;

describe.each(["quorum", "replicas"] as const)("%s", (servers) => {
  test(
    "no schedule breaks a promise",
    async () => {
      const finding = await search(1, SCHEDULES[servers], { library, servers });
      expect(finding && report(finding)).toBeUndefined();
    },
    PATIENCE,
  );

  test("a seed tells the same story each time", async () => {
    const first = await simulate({ seed: 7, library, servers, written: true });
    const second = await simulate({ seed: 7, library, servers, written: true });
    expect(first.history.length).toBeGreaterThan(100);
    expect(unnamed(second.history)).toEqual(unnamed(first.history));
  });
});

/** Without the names of servers, which are others each time. */
function unnamed(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/memory\d+/g, "…"));
}

describe("finds", () => {
  async function found(bug: Bug): Promise<Wrong | undefined> {
    return firstWrong(bug.from ?? 1, UNTIL_FOUND, {
      library: bug.library ? await buggyLibrary(bug.library) : library,
      ...(bug.servers && { servers: bug.servers }),
      ...(bug.server && { serverBug: bug.server }),
      ...(bug.needs && { beyond: bug.needs }),
    });
  }

  test.each(someOrAll([...bugsOfQuorum, ...bugsOfReplicas]).map((bug) => [bug.name, bug] as const))(
    "%s",
    async (_, bug) => expect(bug.shows).toContain(await found(bug)),
    PATIENCE,
  );
});

test(
  "two holders after a failover to a replica that has not got what others confirmed",
  async () => {
    const beyond = ["badFailover"] as const;
    const wrong = await firstWrong(25, UNTIL_FOUND, { library, servers: "replicas", beyond });
    expect(wrong).toBe("two holders at once");
  },
  PATIENCE,
);
