/** As protocol.test.ts, of the scripts that a quorum has besides. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { textsOf } from "@redislock/test-kit";

import type { Reply } from "../src/index.js";
import { startRedis } from "./redis.js";
import {
  a,
  about,
  byHand,
  DAY,
  HOUR,
  type Keys,
  MEMORY,
  memories,
  standing,
  type Standing,
  ticketOf,
} from "./scripts-by-hand.js";

const redis = await startRedis();
const { command, inLine, listen, pretend, pttl, run, send, stopClock } = byHand(redis);

/** The time by the clock that the scripts read, in microseconds: a fencing token, unless it is raised. */
const NOW = 1_800_000_000_000_999;
const MINUTE = 60_000_000;

beforeEach(() => {
  pretend("INFO", undefined);
  pretend("PTTL", undefined);
  stopClock(NOW);
});

const text = (key: string): Promise<unknown> => command("GET", key);
/** What is left of the lock: its grant, where there is one. */
const grant = (): Promise<unknown> => text(a.grant);

interface Voting {
  readonly age?: number;
  readonly floor?: number;
  readonly value?: string;
  readonly length?: number;
  readonly call?: string;
  readonly ttl?: number;
  readonly memory?: number;
}

function voting(who: Voting): (string | number)[] {
  const { age = 0, floor = 0, value = "me", ttl = 30_000, call = "call.1", memory = MEMORY } = who;
  return [age, floor, value, ttl, who.length ?? value.length, call, memory];
}

const vote = (who: Voting = {}): Promise<Reply> => run("vote", [a], ...voting(who));

/** Votes as who waits. */
const lineUp = (id: string, who: Voting = {}, how: Standing = {}): Promise<Reply> =>
  run("vote", [a], ...voting({ value: `value-${id}`, ...who }), ...standing(id, how));

describe("a vote", () => {
  test("is an obtain", async () => {
    expect(await vote({ value: "me+metadata", length: 2 })).toBe(String(NOW));
    expect(await text(a.lock)).toBe("me+metadata");
    expect(await grant()).toBe(`${NOW} me call.1`);
    expect(await text(a.fence)).toBe(String(NOW));
    const left = [await pttl(a.lock), await pttl(a.grant), await pttl(a.fence)];
    expect(left).toEqual([about(30_000), about(30_000), about(MEMORY)]);
    expect(await vote({ value: "another" })).toEqual([about(30_000), String(NOW), "+metadata"]);
  });

  test("can be asked for by standing in line", async () => {
    await vote();
    const reply = await lineUp("w:1");
    expect(reply).toEqual([about(30_000), "1", expect.anything(), expect.anything()]);
    expect(await inLine(a)).toEqual(["w:1"]);
    await command("DEL", a.lock, a.grant);
    expect(await lineUp("w:1", {}, { ticket: ticketOf(reply) })).toBe(String(NOW + 1));
    expect(await inLine(a)).toEqual([]);
  });

  test("is given by a server that was up for as long as is asked, and by none that was not", async () => {
    pretend("INFO", "'uptime_in_seconds:10\\r\\n'");
    const young = "YOUNG the server has been up for 10 s, and votes from 11 s on";
    await expect(vote({ age: 11 })).rejects.toThrow(young);
    expect(await command("DBSIZE")).toBe(0);
    expect(await vote({ age: 10 })).toBe(String(NOW));
  });

  test("is given by the time that the server says", async () => {
    await expect(vote({ age: 1_000_000 })).rejects.toThrow(
      /^YOUNG the server has been up for \d+ s/,
    );
  });

  test("is given by no server that does not say for how long it was up", async () => {
    pretend("INFO", "''");
    const young = "YOUNG the server has been up for unknown s, and votes from 0 s on";
    await expect(vote({ age: 0 })).rejects.toThrow(young);
    expect(await command("DBSIZE")).toBe(0);
  });
});

describe("the fencing token of a vote", () => {
  test.each([
    ["by the clock, without a floor", 0, undefined, NOW],
    ["by the clock, if the floor is below that", NOW - 5, undefined, NOW],
    ["by the clock, if that is the floor", NOW, undefined, NOW],
    ["the floor", NOW + 1, undefined, NOW + 1],
    ["the floor, if that is a minute ahead of the clock", NOW + MINUTE, undefined, NOW + MINUTE],
    ["no more than a minute ahead of the clock", NOW + 9 * MINUTE, undefined, NOW + MINUTE],
    ["the floor, if the one before was lower", NOW + 100, NOW + 99, NOW + 100],
    ["above the one before, if that was the floor", NOW + 100, NOW + 100, NOW + 101],
    ["above the one before, if that was higher", NOW + 50, NOW + 100, NOW + 101],
    ["above the one before, without a floor", 0, NOW + 100, NOW + 101],
    ["above the one before, however far ahead", NOW, NOW + 2 * MINUTE, NOW + 2 * MINUTE + 1],
  ])("is %s", async (_, floor, before, token) => {
    if (before !== undefined) await command("SET", a.fence, String(before));
    expect(await vote({ floor })).toBe(String(token));
    expect(await text(a.fence)).toBe(String(token));
    expect(await grant()).toBe(`${token} me call.1`);
  });

  test.each([
    ["by the clock", 0, NOW],
    ["the floor", NOW + 100, NOW + 100],
    ["no more than a minute ahead", NOW + 9 * MINUTE, NOW + MINUTE],
  ])("that is granted in line is %s", async (_, floor, token) => {
    await listen("w");
    await command("SET", a.lock, "another", "PX", "30000");
    const ticket = ticketOf(await lineUp("w:1"));
    await lineUp("w:2");
    await command("DEL", a.lock);
    // Whoever asks is not the first: so the first is granted it meanwhile.
    await lineUp("w:2", { floor });
    expect(await text(a.lock)).toBe("value-w:1");
    expect(await lineUp("w:1", {}, { ticket })).toBe(String(token));
  });
});

describe("a vote that is asked for again", () => {
  /** As if it had been granted by these words, for longer than it is asked for now. */
  async function granted(words: string): Promise<void> {
    await command("SET", a.lock, "me", "PX", "60000");
    await command("SET", a.grant, words, "PX", "50000");
  }

  test.each([
    ["of the time before becomes its own", "7 me call.1", "call.2", "7 me call.2"],
    ["of any time before becomes its own", "7 me call.9", "call.10", "7 me call.10"],
    ["says still how often the lease was cut", "7 me call.1 3", "call.2", "7 me call.2 3"],
    ["of the same time stays so", "7 me call.2", "call.2", "7 me call.2"],
    ["of a later time is both's", "7 me call.3", "call.2", "7 me  "],
    ["of a later time is both's, also for the first", "7 me call.2", "call.1", "7 me  "],
    ["of another call is both's", "7 me other.1", "call.2", "7 me  "],
    ["of a call without times is both's", "7 me call", "call.2", "7 me  "],
    ["of no call is anybody's", "7 me", "call.2", "7 me"],
    ["by a call without times stays so", "7 me call", "call", "7 me call"],
    ["by a call without times is both's", "7 me call.1", "call", "7 me  "],
    ["by no call is anybody's", "7 me call.1", "", "7 me  "],
  ])("%s", async (_, before, call, after) => {
    await granted(before);
    expect(await vote({ call })).toBe("7");
    expect(await grant()).toBe(after);
    expect(await pttl(a.grant)).toEqual(about(after.endsWith(" ") ? 60_000 : 50_000));
    expect(await pttl(a.lock)).toEqual(about(60_000));
  });

  test("leaves what is another's", async () => {
    await granted("7 another call.1");
    expect(await vote({ value: "mine", length: 4, call: "call.2" })).toEqual([
      about(60_000),
      null,
      null,
    ]);
    expect(await grant()).toBe("7 another call.1");
  });

  test("by a token with metadata becomes its own", async () => {
    await vote({ value: "me+metadata", length: 2 });
    await vote({ value: "me+metadata", length: 2, call: "call.2" });
    expect(await grant()).toBe(`${NOW} me call.2`);
  });

  test("in line becomes its own", async () => {
    await granted("7 me call.1");
    expect(await lineUp("w:1", { value: "me", call: "call.2" })).toBe("7");
    expect(await grant()).toBe("7 me call.2");
  });

  test.each([
    ["does not end", -1],
    ["ends just now", 0],
  ])("is both's whose grant %s", async (_, left) => {
    await granted("7 me call.1");
    pretend("PTTL", `select(2, ...) == '${a.grant}' and ${left} or redis.call(...)`);
    expect(await vote({ call: "call.2" })).toBe("7");
    expect(await grant()).toBe("7 me  ");
  });
});

describe("lift", () => {
  const lift = (value: string, fence: number, memory: number = MEMORY): Promise<Reply> =>
    run("lift", [a], value, fence, memory);

  async function there(has: Partial<Record<keyof Keys, string>>, ms = 30_000): Promise<void> {
    for (const key of ["lock", "grant", "fence"] as const) {
      const is = has[key];
      if (is !== undefined) await command("SET", a[key], is, "PX", String(ms));
    }
  }

  const all = (): Promise<unknown[]> => Promise.all([a.lock, a.grant, a.fence].map(text));

  test("raises the fence and the grant to the token", async () => {
    await there({ lock: "me", grant: "70 me call.1 3", fence: "80" });
    expect(await lift("me", 90)).toBe("1");
    expect(await all()).toEqual(["me", "90 me call.1 3", "90"]);
    const left = [await pttl(a.lock), await pttl(a.grant), await pttl(a.fence)];
    expect(left).toEqual([about(30_000), about(30_000), about(MEMORY)]);
  });

  test("has what was forgotten remembered", async () => {
    await there({ lock: "me" });
    expect(await lift("me", 90)).toBe("1");
    expect(await all()).toEqual(["me", null, "90"]);
  });

  test.each([
    ["another's", "you"],
    ["another's, that ends the same", "ome"],
    ["another's, that begins the same", "me+metadata"],
    ["of nobody", undefined],
  ])("leaves what is %s", async (_, lock) => {
    await there({ ...(lock !== undefined && { lock }), grant: "70 you", fence: "80" });
    expect(await lift("me", 90)).toBe("0");
    expect(await all()).toEqual([lock ?? null, "70 you", "80"]);
    expect(await pttl(a.fence)).toEqual(about(30_000));
  });

  test.each([
    ["a higher fence", "70 me", "1800000000000999", "90 me", "1800000000000999"],
    ["a fence that is as high", "70 me", "90", "90 me", "90"],
    ["a higher grant", "180 me", "80", "180 me", "90"],
    ["a grant that is as high", "90 me", "80", "90 me", "90"],
    ["what is no grant", "gibberish", "80", "gibberish", "90"],
    ["what is no grant, but a number", "70", "80", "70", "90"],
    ["what is no fence", "70 me", "gibberish", "90 me", "90"],
  ])("leaves %s", async (_, grant, fence, ...after) => {
    await there({ lock: "me", grant, fence });
    expect(await lift("me", 90)).toBe("1");
    expect(await all()).toEqual(["me", ...after]);
  });

  test.each(
    memories.flatMap(([how, ...of]) => [
      [how, ...of, "80"] as const,
      [`${how}, where a higher one is`, ...of, "100"] as const,
    ]),
  )("has the fence remembered %s", async (_, before, ttl, memory, after, fence) => {
    await there({ lock: "me", grant: "70 me" }, ttl);
    await command("SET", a.fence, fence, "PX", String(before));
    expect(await lift("me", 90, memory)).toBe("1");
    expect(await pttl(a.fence)).toEqual(about(after));
  });

  test("lets a lock that does not end be remembered for as long as is asked", async () => {
    await there({ lock: "me", grant: "70 me" });
    await command("PERSIST", a.lock);
    expect(await lift("me", 90, 2 * DAY)).toBe("1");
    expect(await all()).toEqual(["me", "70 me", "90"]);
    expect(await pttl(a.fence)).toEqual(about(2 * DAY));
  });

  test("leaves the grant of a lock that ends just now", async () => {
    await there({ lock: "me", grant: "70 me" });
    pretend("PTTL", "0");
    expect(await lift("me", 90, DAY)).toBe("1");
    expect(await all()).toEqual(["me", "70 me", "90"]);
  });
});

describe("member", () => {
  const secrets = ["s1", "s2", "s3"];
  const member = (number: number, keys: string[] = secrets): Promise<Reply> =>
    send("member", keys, [number, HOUR]);

  test("says who the server is, and which secrets it has", async () => {
    const [, runId] = /run_id:(\w+)/.exec(String(await command("INFO", "server"))) ?? [];
    const who = [runId, "standalone", "master"];
    expect(await member(0, [])).toEqual([...who, ""]);
    expect(await member(0)).toEqual([...who, "000"]);
    expect(await command("DBSIZE")).toBe(0);
    expect(await member(2)).toEqual([...who, "010"]);
    expect(textsOf(await command("KEYS", "*"))).toEqual(["s2"]);
    expect([await text("s2"), await pttl("s2")]).toEqual(["1", about(HOUR)]);
    expect(await member(3)).toEqual([...who, "011"]);
    expect(await member(1)).toEqual([...who, "111"]);
    expect(await member(0, ["s4", "s3"])).toEqual([...who, "01"]);
  });

  test("says nothing of what the server does not say", async () => {
    pretend("INFO", "''");
    expect(await member(0)).toEqual(["", "", "", "000"]);
  });
});
