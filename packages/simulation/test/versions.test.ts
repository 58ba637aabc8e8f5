/** Processes of two versions use one server while a new version is rolled out. */
import { createHash } from "node:crypto";

import { expect, test } from "@jest/globals";
import { amount } from "@redislock/test-kit";
import { library } from "../src/library.js";

import { bugs } from "../src/bugs.js";
import { frozenFile, rewritten, sha1Of, thaw } from "../src/frozen.js";
import { firstWrong, report, search } from "../src/schedules/search.js";

/** The sha256 of each frozen file. */
const FROZEN = ["2693ac64d095943a17e3c28f791916d7041bc03946a2bd8fd9a17c2903a32b0f"];
const SCHEDULES = amount(8, 600);
/** Within how many schedules a planted bug has to show. */
const UNTIL_FOUND = 400;
/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 1_200_000;

const versions = FROZEN.map((sha256, i) => ({ number: i + 1, sha256 }));

test.each(versions)("what was frozen as $number stays so", async ({ number, sha256 }) => {
  const text = await frozenFile(number);
  // A version that runs somewhere cannot be changed any more: later ones get files of their own.
  expect(createHash("sha256").update(text).digest("hex")).toBe(sha256);
  for (const { source, sha1 } of thaw(text).values()) expect(sha1).toBe(sha1Of(source));
});

test.each(versions)(
  "no schedule breaks a promise in which some run the scripts of $number",
  async ({ number }) => {
    const frozen = thaw(await frozenFile(number));
    const finding = await search(1, SCHEDULES, { library, frozen });
    expect(finding && report(finding)).toBeUndefined();
  },
  PATIENCE,
);

test(
  "finds a bug that only some of the processes have",
  async () => {
    const name = "a release that does not look whose lock it is";
    const bug = bugs.find((one) => one.name === name);
    const change = bug?.server?.source;
    if (!change) throw new Error(`no change of scripts is called "${name}"`);
    const frozen = rewritten(thaw(await frozenFile(1)), change);
    const wrong = await firstWrong(1, UNTIL_FOUND, { library, frozen });
    expect(bug.shows).toContain(wrong);
  },
  PATIENCE,
);
