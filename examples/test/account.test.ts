import { expect, test } from "@jest/globals";
import { Account } from "../src/shop/account.js";
import { summaryOf } from "../src/shop/summary.js";
import { paintFor } from "../src/shop/terminal.js";
import { tooWide } from "./too-wide.js";

test("nothing that can be asked for makes a line wider than 80 columns", () => {
  const lines: string[] = [];
  const paint = paintFor({ isTTY: true });
  const account = new Account((line) => lines.push(line), paint);
  const names = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
  const title = "lock, by node-redis, one killed";
  const story = "A long story that is told in a few words. ".repeat(5);
  const act = { title, story, adapter: "node-redis", lock: true, kill: true } as const;
  const outcome = { sold: 25_000, left: 1_000, oversold: 24_000, handOffs: 24_999 };
  const long = 26 * 1_000 * 60_000;

  account.says(`redis://${"r".repeat(200)}.example:6379`, paint.bad("word ".repeat(40)));
  account.opens(act);
  account.holds("A", long);
  account.waiting("A", names);
  account.sold("A", 1_000, 1_000);
  account.sold("A", 1_000, 1_000);
  account.waiting("A", names);
  account.killed("A", 600_000);
  account.holds("B", long);
  account.closes({ ...outcome, longestWait: long }, 1_000);
  account.opensPrices();
  account.read("A", { type: "read", adult: 26, child: 13, waited: long, beside: names });
  account.says(...summaryOf([{ ...act, ...outcome, longestWait: long }], paint));

  expect(tooWide(lines.join("\n"))).toEqual([]);
  // Whoever finds no room is counted.
  expect(lines.join("\n")).toMatch(/ A B C D( [A-Z])+ \+\d+\n/);
});
