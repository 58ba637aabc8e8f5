/** What operators ask of a lock, and what they are told when there is no answer: without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import { Locker, type RedisClient, type Reply } from "../src/index.js";

/** Replies by name, one after the other; the last of them for ever. */
function clientThat(says: Readonly<Record<string, readonly Reply[]>>): {
  readonly client: RedisClient;
  readonly sent: string[];
} {
  const sent: string[] = [];
  const run = ({ name }: { readonly name: string }): Promise<Reply> => {
    const replies = says[name] ?? [];
    const turn = sent.filter((one) => one === name).length;
    sent.push(name);
    return Promise.resolve(replies[Math.min(turn, replies.length - 1)] ?? null);
  };
  return { client: { run }, sent };
}

const done: Reply = [null, null, null, "0", "0", "0"];
const more: Reply = [null, null, null, "0", "0", "1"];

describe("forceRelease", () => {
  test.each([
    ["says that somebody had it", "1", true],
    ["says that nobody had it", "0", false],
  ])("%s, and serves the line to its end", async (_, owned, expected) => {
    const { client, sent } = clientThat({ forceRelease: [[owned, "1"]], leave: [more, done] });
    expect(await new Locker(client).forceRelease("k")).toBe(expected);
    expect(sent).toEqual(["forceRelease", "leave", "leave"]);
  });

  test.each(["0", "1"])("that was sent twice may have found somebody: %j", async (owned) => {
    const { client, sent } = clientThat({ forceRelease: [[owned, "0"]] });
    const run: RedisClient["run"] = async (...command) => {
      const reply = await client.run(...command);
      if (sent.length === 1) throw new Error("the connection was lost");
      return reply;
    };
    expect(await new Locker({ run }).forceRelease("k")).toBe(true);
    expect(sent).toEqual(["forceRelease", "forceRelease"]);
  });

  test.each([
    ["itself", { forceRelease: ["what?"] }],
    ["what serves the line", { forceRelease: [["1", "1"]], leave: ["what?"] }],
  ])("names itself where %s was not understood", async (_, says) => {
    const error = await failure(new Locker(clientThat(says).client).forceRelease("k"));
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "forceRelease", key: "k" });
  });
});

test("inspect names itself where its reply was not understood", async () => {
  const error = await failure(new Locker(clientThat({ inspect: ["what?"] }).client).inspect("k"));
  expect(error).toMatchObject({ code: "UNKNOWN", operation: "inspect", key: "k" });
});
