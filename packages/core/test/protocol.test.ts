/** What each script does and answers, asked by hand: its description in src/lua, word for word. */
import { describe, expect, test } from "@jest/globals";

import { scripts } from "../src/adapter.js";
import type { Reply } from "../src/index.js";
import { startRedis } from "./redis.js";
import {
  a,
  about,
  type Argument,
  b,
  byHand,
  c,
  DAY,
  FIVE,
  HOUR,
  type Keys,
  keysOf,
  MEMORY,
  memories,
  microsOf,
  standing,
  type Standing,
  takenBy,
  ticketOf,
} from "./scripts-by-hand.js";

const redis = await startRedis();
const { client } = redis;
const {
  command,
  send,
  run,
  runMany,
  hear,
  listen,
  overhear,
  pttl,
  inLine,
  records,
  bury,
  silence,
} = byHand(redis);

interface Asking {
  readonly value?: string;
  readonly ttl?: number;
  readonly length?: number;
  readonly call?: string;
  readonly memory?: number;
}

function asking({ value = "me", ttl = 30_000, length, call = "", memory }: Asking): Argument[] {
  return [value, ttl, length ?? value.length, call, memory ?? MEMORY];
}

const obtain = (locks: readonly Keys[], who: Asking = {}): Promise<Reply> =>
  run("obtain", locks, ...asking(who));

/** Obtains as a waiter does. */
const lineUp = (
  locks: readonly Keys[],
  id: string,
  who: Asking = {},
  how: Standing = {},
): Promise<Reply> =>
  run("obtain", locks, ...asking({ value: `value-${id}`, ...who }), ...standing(id, how));

describe("ttl", () => {
  test("tells the least of all, and of none that goes on for ever", async () => {
    await obtain([a], { ttl: 30_000 });
    await obtain([b], { ttl: 20_000 });
    await obtain([c], { ttl: 10_000 });
    await command("PERSIST", c.lock);
    expect(await run("ttl", [a, b, c], "me", "")).toEqual(about(20_000));
    expect(await run("ttl", [c, b, a], "me", "")).toEqual(about(20_000));
    expect(await run("ttl", [c], "me", "")).toBe("none");
  });

  test("tells of the first that is not ours whether it is another's", async () => {
    await obtain([a]);
    await obtain([c], { value: "another" });
    expect(await run("ttl", [a, b, c], "me", "")).toBe("deleted");
    expect(await run("ttl", [a, c, b], "me", "")).toBe("taken");
    await command("SET", b.lock, "");
    expect(await run("ttl", [b], "me", "")).toBe("taken");
    await command("DEL", b.lock);
    await command("RPUSH", b.lock, "me");
    expect(await run("ttl", [b], "me", "")).toBe("taken");
  });
});

describe.each([
  ["ttl", []],
  ["refresh", [30_000, MEMORY]],
  ["shorten", [30_000, MEMORY, 1]],
  ["release", []],
] as const)("whose a lock is to %s", (name, rest) => {
  const [ours, anothers] = name === "ttl" ? [about(30_000), "taken"] : ["1", "-1"];

  test.each([
    ["an earlier fencing token", 5, "4", anothers],
    ["the same", 5, "5", ours],
    ["a later one, of a grant that was lost and made anew", 5, "6", ours],
    ["one of more digits", 5, "10", ours],
    ["none", 5, "", ours],
    ["any, where the grant is lost", undefined, "4", ours],
  ])("%s", async (_, granted, told, verdict) => {
    await command("SET", a.lock, "me", "PX", "30000");
    if (granted) await command("SET", a.grant, `${granted} me`, "PX", "30000");
    expect(await run(name, [a], "me", told, ...rest)).toEqual(verdict);
  });

  test("any, where what is in the grant's place is nobody's grant", async () => {
    await command("SET", a.lock, "me", "PX", "30000");
    await command("SET", a.grant, "gibberish", "PX", "30000");
    expect(await run(name, [a], "me", "4", ...rest)).toEqual(ours);
  });
});

describe.each([
  ["refresh", [30_000, MEMORY]],
  ["shorten", [30_000, MEMORY, 1]],
  ["release", []],
] as const)("the verdict of %s", (name, rest) => {
  test.each([
    ["all ours", "mine mine", "1"],
    ["gone", "gone", "0"],
    ["another's", "others", "-1"],
    ["ours and gone", "mine gone", "0"],
    ["gone and ours", "gone mine", "0"],
    ["ours and another's", "mine others", "-1"],
    ["gone and another's", "gone others", "-1"],
    ["another's and gone", "others gone", "-1"],
    ["another's and ours", "others mine", "-1"],
    ["ours, gone, another's", "mine gone others", "-1"],
    ["gone twice", "gone gone mine", "0"],
  ])("%s", async (_, what, verdict) => {
    const locks = [a, b, c].slice(0, what.split(" ").length);
    const states = what.split(" ");
    for (const [n, { lock, grant }] of locks.entries()) {
      if (states[n] === "gone") continue;
      const value = states[n] === "mine" ? "me" : "another";
      await command("SET", lock, value, "PX", "9000");
      await command("SET", grant, `5 ${value}`, "PX", "9000");
    }
    expect(await run(name, locks, "me", "", ...rest)).toBe(verdict);
    for (const [n, { lock, grant }] of locks.entries()) {
      const left = [await pttl(lock), await pttl(grant)];
      const gone = states[n] === "gone" || (states[n] === "mine" && name === "release");
      const each = gone ? -2 : states[n] === "mine" ? about(30_000) : about(9_000);
      expect(left).toEqual([each, each]);
    }
  });

  test("what holds no text is not ours, and stays", async () => {
    await command("RPUSH", a.lock, "me");
    expect(await run(name, [a], "me", "", ...rest)).toBe("-1");
    expect(await command("LLEN", a.lock)).toBe(1);
  });
});

describe.each([
  ["ttl", []],
  ["refresh", [30_000, MEMORY]],
  ["shorten", [30_000, MEMORY, 1]],
  ["release", []],
] as const)("where Redis does not say what is held, %s", (name, rest) => {
  test("has no verdict", async () => {
    await obtain([a]);
    await command("ACL", "SETUSER", "blind", "reset", "on", ">secret", "~*", "+@all", "-getrange");
    const blind = client(["AUTH", "blind", "secret"]);
    const keys = takenBy(name).map((key) => a[key]);
    const asked = blind.run(scripts[name], keys, ["me", "", ...rest.map(String)]);
    await expect(asked).rejects.toThrow(/permission|can't run/i);
    expect(await pttl(a.lock)).toEqual(about(30_000));
  });
});

describe("refresh", () => {
  test("never cuts a lease, as a late copy of a renewal would", async () => {
    await obtain([a, b], { ttl: 30_000 });
    await command("PEXPIRE", b.lock, "5000");
    expect(await run("refresh", [a, b], "me", "", 20_000, MEMORY)).toBe("1");
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(30_000), about(30_000)]);
    expect([await pttl(b.lock), await pttl(b.grant)]).toEqual([about(20_000), about(20_000)]);
  });

  test("for many at once, each by itself", async () => {
    await obtain([a], { ttl: 5_000 });
    await obtain([c], { ttl: 5_000, value: "another" });
    const keys = [a, b, c].flatMap(({ lock, grant, fence }) => [lock, grant, fence]);
    const args = ["me", "", 20_000, MEMORY];
    expect(await send("refreshMany", keys, [3, 4, ...args, ...args, ...args])).toEqual([
      ...["1", "0", "-1"],
    ]);
    expect([await pttl(a.lock), await pttl(c.lock)]).toEqual([about(20_000), about(5_000)]);
  });
});

describe.each([
  ["refresh", []],
  ["shorten", [1]],
] as const)("the fence after %s", (name, rest) => {
  test.each(memories)("is remembered %s", async (_, before, ttl, memory, after) => {
    await obtain([a]);
    await command("PEXPIRE", a.fence, String(before));
    expect(await run(name, [a], "me", "", ttl, memory, ...rest)).toBe("1");
    expect(await pttl(a.fence)).toEqual(about(after));
  });
});

describe("the fence after an obtain", () => {
  test.each(memories)("is remembered %s", async (_, before, ttl, memory, after) => {
    await command("SET", a.fence, "5", "PX", String(before));
    const fence = await obtain([a], { ttl, memory });
    expect(await command("GET", a.fence)).toBe(fence);
    expect(await pttl(a.fence)).toEqual(about(after));
  });

  test.each([
    ["one behind the clock", "1234567890123456", undefined],
    ["one ahead of the clock", "8000000000000000", "8000000000000001"],
    ["what is too long for one", "12345678901234567", undefined],
    ["one that could not be raised", "9007199254740000", undefined],
    ["the last that can be", "9007199254739999", "9007199254740000"],
    ["a number in other words", "8e15", undefined],
    ["a number and more", "8000000000000 x", undefined],
    ["more and a number", "x 8000000000000", undefined],
  ])("is above %s", async (_, before, after) => {
    await command("SET", a.fence, before);
    const began = Date.now();
    const fence = String(await obtain([a]));
    if (after === undefined) {
      expect(Number(fence) / 1_000).toBeGreaterThan(began - 2_000);
      expect(Number(fence) / 1_000).toBeLessThan(began + 60_000);
      expect(fence).toMatch(/^\d{16}$/);
    } else {
      expect(fence).toBe(after);
    }
    expect(await command("GET", a.fence)).toBe(fence);
    expect(await command("GET", a.grant)).toBe(`${fence} me`);
  });

  test("is just above a fence that is ahead of the clock, also when a lock is handed on", async () => {
    await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1", { value: "theirs" });
    await command("SET", a.fence, "8000000000000000");
    expect(await run("release", [a], "me", "")).toBe("1");
    expect(await command("GET", a.grant)).toBe("8000000000000001 theirs");
    expect(await command("GET", a.fence)).toBe("8000000000000001");
  });

  test("is the clock's where there was none, also when a lock is handed on", async () => {
    await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1", { value: "theirs" });
    await command("DEL", a.fence);
    const time = microsOf(await command("TIME"));
    expect(await run("release", [a], "me", "")).toBe("1");
    expect(Number(await command("GET", a.fence))).toBeGreaterThanOrEqual(time);
  });

  test("takes the place of what holds no text", async () => {
    await command("RPUSH", a.fence, "x");
    const fence = await obtain([a]);
    expect(await command("GET", a.fence)).toBe(fence);
    expect(await pttl(a.fence)).toEqual(about(MEMORY));
  });

  test("is one for all locks of a slot, and above each fence of others", async () => {
    const other = { ...keysOf("o"), fence: "fence of another slot" };
    await command("SET", other.fence, "8000000000000000");
    expect(await obtain([a, b, other])).toBe("8000000000000001");
    expect(await command("GET", a.fence)).toBe("8000000000000001");
    expect(await command("GET", other.fence)).toBe("8000000000000001");
    for (const { grant } of [a, b, other]) {
      expect(await command("GET", grant)).toBe("8000000000000001 me");
    }
  });

  test("rises within one command for many", async () => {
    const parts = [a, b, c].map((lock) => ({ lock, args: asking({}) }));
    const fences = await runMany("obtainMany", parts);
    const tokens = Array.isArray(fences) ? fences.map(Number) : [];
    expect(new Set(tokens).size).toBe(3);
    expect([...tokens].sort((one, other) => one - other)).toEqual(tokens);
  });
});

describe("a refresh where the fence was lost", () => {
  /** How much was written so far, all of which goes to replicas. */
  const written = async (): Promise<number> => {
    const info = String(await command("INFO", "persistence"));
    return Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1]);
  };

  test("writes all the same, as whoever waits for replicas waits for what it wrote", async () => {
    await obtain([a], { ttl: 30_000 });
    await command("DEL", a.fence);
    const before = await written();
    expect(await run("refresh", [a], "me", "", 10_000, MEMORY)).toBe("1");
    expect(await written()).toBe(before + 1);
    expect(await pttl(a.lock)).toEqual(about(30_000));
  });

  test("lets a lock be whose ttl somebody took away", async () => {
    await obtain([a], { ttl: 30_000 });
    await run("shorten", [a], "me", "", 20_000, MEMORY, 2);
    await command("DEL", a.fence);
    await command("PERSIST", a.lock);
    expect(await run("shorten", [a], "me", "", 10_000, MEMORY, 1)).toBe("1");
    expect(await pttl(a.lock)).toBe(-1);
  });
});

describe("shorten", () => {
  test("cuts a lease, and notes how often that was done", async () => {
    const fence = String(await obtain([a], { call: "call" }));
    expect(await run("shorten", [a], "me", fence, 20_000, MEMORY, 2)).toBe("1");
    expect(await command("GET", a.grant)).toBe(`${fence} me call 2`);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(20_000), about(20_000)]);
    for (const late of [1, 2]) {
      expect(await run("shorten", [a], "me", fence, 10_000, MEMORY, late)).toBe("1");
      expect(await pttl(a.lock)).toEqual(about(20_000));
    }
    expect(await run("shorten", [a], "me", fence, 10_000, MEMORY, 10)).toBe("1");
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(10_000), about(10_000)]);
    expect(await run("shorten", [a], "me", fence, 30_000, MEMORY, 11)).toBe("1");
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(30_000), about(30_000)]);
  });

  test("that is sent again makes the lease last as long as it says, and one before it nothing", async () => {
    await obtain([a]);
    await run("shorten", [a], "me", "", 20_000, MEMORY, 2);
    await command("PEXPIRE", a.lock, "5000");
    await command("PEXPIRE", a.grant, "5000");
    await run("shorten", [a], "me", "", 20_000, MEMORY, 1);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(5_000), about(5_000)]);
    await run("shorten", [a], "me", "", 20_000, MEMORY, 2);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(20_000), about(20_000)]);
  });

  test("leaves the place of the call empty where the token is one call's alone", async () => {
    const fence = String(await obtain([a]));
    await run("shorten", [a], "me", fence, 20_000, MEMORY, 1);
    expect(await command("GET", a.grant)).toBe(`${fence} me  1`);
    expect(await obtain([a])).toBe(fence);
  });

  test("only makes longer what has no grant", async () => {
    await command("SET", a.lock, "me", "PX", "20000");
    expect(await run("shorten", [a], "me", "", 10_000, MEMORY, 1)).toBe("1");
    expect(await pttl(a.lock)).toEqual(about(20_000));
    expect(await run("shorten", [a], "me", "", 30_000, MEMORY, 2)).toBe("1");
    expect(await pttl(a.lock)).toEqual(about(30_000));
    expect(await command("EXISTS", a.grant)).toBe(0);
  });

  test("of several, each", async () => {
    await obtain([a, b]);
    expect(await run("shorten", [a, b], "me", "", 10_000, MEMORY, 1)).toBe("1");
    expect([await pttl(a.lock), await pttl(b.lock)]).toEqual([about(10_000), about(10_000)]);
  });
});

describe("a lease that ends soon", () => {
  /** What the first of a line hears when the lease is cut to so many milliseconds. */
  async function cut(ttl: number): Promise<void> {
    expect(await run("shorten", [a], "me", "", ttl, MEMORY, 1)).toBe("1");
  }

  test("is told to the first in line alone", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "w:1");
    await lineUp([a], "w:2");
    await cut(9_000);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
  });

  test("is told to nobody who would ask by then", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "w:1", { ttl: 18_000 }, { lease: 18_000 });
    await cut(9_000);
    expect(await heard()).toEqual([]);
    await run("shorten", [a], "me", "", 8_999, MEMORY, 2);
    expect(await heard()).toEqual(["come 1"]);
  });

  test.each([
    [14_999, ["come 1"]],
    [15_000, []],
  ])("of %i ms: %j, as waiters check in", async (ttl, messages) => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "w:1", { ttl: 60_000 }, { lease: 60_000 });
    await cut(ttl);
    expect(await heard()).toEqual(messages);
  });

  test("passes over who asks often, and drops who does not hear", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "asks:1", {}, { reach: 0 });
    await lineUp([a], "deaf:1");
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["asks:1", "w:1"]);
    expect(await records(a)).toEqual(["asks:1", "w:1"]);
  });

  test("is told once where listeners are not counted", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "elsewhere:1", {}, { reach: 2 });
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await heard()).toEqual([]);
    expect(await inLine(a)).toEqual(["elsewhere:1", "w:1"]);
  });

  test("drops who has no inbox", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "nobody");
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1"]);
  });

  test("drops who has no inbox, also if it would ask by then", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "nobody", { ttl: 18_000 }, { lease: 18_000 });
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1"]);
  });

  test("tells those whom it drops, should they listen yet", async () => {
    const [heard, stale] = [await listen("w"), await listen("stale")];
    const uncounted = await overhear("redislock:inbox:there");
    await obtain([a], { ttl: 60_000 });
    await lineUp([a], "stale:1", {}, { reach: 2 });
    await silence(a, "stale:1");
    await lineUp([a], "there:7", { ttl: 18_000 }, { lease: 18_000 });
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await stale()).toEqual(["come 1"]);
    expect(await uncounted()).toEqual(["unseen 7"]);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1"]);
  });

  test.each([
    [9, ["come 1"]],
    [10, []],
  ])("behind %i who are passed over: %j", async (count, messages) => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    await bury(a, count, { reach: 0 });
    await lineUp([a], "w:1");
    await cut(9_000);
    expect(await heard()).toEqual(messages);
  });

  test.each([
    ["do not hear", {}],
    ["do not hear, and would ask by then", { ttl: 100 }],
    ["went stale, whom no message reaches", { reach: 0, at: 0 }],
    ["went stale, and are not counted", { reach: 2, at: 0 }],
  ] as const)("is told at a hand-off behind any number of dead who %s", async (_, how) => {
    const heard = await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1", {}, { lease: 9_000, ticket: 0 });
    await bury(a, 300, how);
    await lineUp([a], "w:2");
    expect(await run("release", [a], "me", "")).toBe("1");
    const fence = String(await command("GET", a.fence));
    expect(await heard()).toEqual([`grant 1 ${fence} proof`, "come 2"]);
    expect(await inLine(a)).toEqual(["w:2"]);
    expect(await records(a)).toEqual(["w:2"]);
  });

  test.each([
    [999, ["come 2"]],
    [1_000, []],
  ])(
    "is told at a hand-off behind %i dead, of whom a thousand are dropped: %j",
    async (count, told) => {
      const heard = await listen("w");
      await obtain([a]);
      await lineUp([a], "w:1", {}, { lease: 9_000, ticket: 0 });
      await bury(a, count, { reach: 0, at: 0 });
      await lineUp([a], "w:2");
      expect(await run("release", [a], "me", "")).toBe("1");
      expect((await heard()).slice(1)).toEqual(told);
      expect(await inLine(a)).toEqual(["w:2"]);
    },
  );

  test("is told when a free lock was taken, by who came when others stood in line", async () => {
    const heard = await listen("w");
    await obtain([a], { ttl: 60_000 });
    const ticket = ticketOf(await lineUp([a], "other:1"));
    await lineUp([a], "w:1");
    await lineUp([a], "w:2");
    await command("DEL", a.lock);
    // Who is first in line takes it by asking.
    expect(await lineUp([a], "other:1", { ttl: 9_000 }, { ticket })).toMatch(/^\d+$/);
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
  });
});

describe("a release", () => {
  test("gives the lock to the first who hears, and says so", async () => {
    const heard = await listen("w");
    const before = String(await obtain([a]));
    await lineUp([a], "stale:1");
    await silence(a, "stale:1");
    await lineUp([a], "deaf:1");
    await lineUp([a], "w:1", { value: "token+metadata", length: 5, call: "call" });
    await lineUp([a], "w:2");
    const time = microsOf(await command("TIME"));
    expect(await run("release", [a], "me", before)).toBe("1");
    expect(await command("GET", a.lock)).toBe("token+metadata");
    const fence = String(await command("GET", a.fence));
    expect(Number(fence)).toBeGreaterThanOrEqual(time);
    expect(await command("GET", a.grant)).toBe(`${fence} token call`);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(20_000), about(20_000)]);
    expect(await heard()).toEqual([`grant 1 ${fence} proof`]);
    expect(await inLine(a)).toEqual(["w:2"]);
    expect(await records(a)).toEqual(["w:2"]);
  });

  test.each([0, 1, 2] as const)(
    "passes over who has no inbox, and says reach %i",
    async (reach) => {
      const heard = await listen("w");
      await obtain([a]);
      await lineUp([a], "nobody", {}, { reach });
      await lineUp([a], "w:1");
      expect(await run("release", [a], "me", "")).toBe("1");
      expect(await heard()).toEqual([expect.stringMatching(/^grant 1 \d+ proof$/)]);
      expect(await inLine(a)).toEqual([]);
    },
  );

  test("tells the next of a short lease that was handed on", async () => {
    const heard = await listen("w");
    const other = await listen("other");
    await obtain([a]);
    await lineUp([a], "other:1", { ttl: 9_000 }, { lease: 9_000 });
    await lineUp([a], "w:1");
    await lineUp([a], "w:2");
    expect(await run("release", [a], "me", "")).toBe("1");
    expect(await other()).toEqual([expect.stringMatching(/^grant 1 \d+ proof$/)]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test.each([
    ["without a channel", {}, { reach: 0 }, []],
    ["for several locks", {}, {}, ["come 1"]],
  ] as const)("keeps the lock for a waiter %s", async (what, who, how, messages) => {
    const heard = await listen("w");
    const behind = await listen("behind");
    await obtain([a]);
    await obtain([b], { value: "another" });
    await lineUp(what === "for several locks" ? [a, b] : [a], "w:1", who, { ...how });
    await lineUp([a], "behind:1");
    const ticket = await command("ZSCORE", a.line, "w:1");
    expect(await run("release", [a], "me", "")).toBe("1");
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    expect(await heard()).toEqual(messages);
    // Who is behind comes, too, as the first may never ask.
    expect(await behind()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1", "behind:1"]);
    expect(await command("ZSCORE", a.line, "w:1")).toBe(ticket);
    expect(await pttl(a.line)).toEqual(about(60_000));
    // Nobody else can have it meanwhile.
    expect(await obtain([a], { value: "third" })).toEqual([null, null, null]);
  });

  test("grants without a count where listeners are not counted", async () => {
    await obtain([a]);
    await lineUp([a], "elsewhere:1", { value: "theirs" }, { reach: 2 });
    expect(await run("release", [a], "me", "")).toBe("1");
    expect(await command("GET", a.lock)).toBe("theirs");
  });

  test("keeps the lock for who wants several, also where listeners are not counted", async () => {
    await obtain([a]);
    await obtain([b], { value: "another" });
    await lineUp([a, b], "elsewhere:1", {}, { reach: 2 });
    expect(await run("release", [a], "me", "")).toBe("1");
    expect([await inLine(a), await records(a)]).toEqual([["elsewhere:1"], ["elsewhere:1"]]);
  });

  test("keeps the lock for a waiter who is alone in line, as long as it may be silent", async () => {
    await obtain([a]);
    await lineUp([a], "asks:1", {}, { reach: 0 });
    expect(await run("release", [a], "me", "")).toBe("1");
    expect([await pttl(a.line), await pttl(a.waiters)]).toEqual([about(60_000), about(60_000)]);
  });

  test.each([
    [20, 20, 20],
    [300, 80, 150],
  ])("calls of %i whose line was lost about a hundred", async (count, least, most) => {
    const heard = await listen("w");
    await obtain([a]);
    // So long that Redis does not keep them in one piece, which it would look at as a whole.
    await bury(a, count, { inbox: "w", value: "long".repeat(50) });
    await command("DEL", a.line);
    expect(await run("release", [a], "me", "")).toBe("1");
    const called = (await heard()).length;
    expect(called).toBeGreaterThanOrEqual(least);
    expect(called).toBeLessThanOrEqual(most);
    expect(await command("EXISTS", a.waiters)).toBe(0);
  });

  test("calls those whose line was lost", async () => {
    const heard = await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1");
    await lineUp([a], "w:2");
    await command("DEL", a.line);
    expect(await run("release", [a], "me", "")).toBe("1");
    expect((await heard()).sort()).toEqual(["come 1", "come 2"]);
    expect(await command("EXISTS", a.lock, a.grant, a.line, a.waiters)).toBe(0);
  });

  test.each([
    [999, "1", 0],
    [1_000, "more", 0],
    [1_001, "more", 1],
  ])("of a lock for which %i dead ones wait", async (count, verdict, left) => {
    await obtain([a]);
    await bury(a, count);
    expect(await run("release", [a], "me", "")).toBe(verdict);
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    expect(await command("ZCARD", a.line)).toBe(left);
    expect(await command("HLEN", a.waiters)).toBe(left);
  });

  test("that was not of all says so, however long a line is", async () => {
    for (const locks of [
      [a, b],
      [b, a],
    ]) {
      await obtain([a]);
      await bury(a, 1_001);
      expect(await run("release", locks, "me", "")).toBe("0");
      await command("DEL", a.line, a.waiters);
    }
    await obtain([a, b]);
    await bury(a, 1_001);
    expect(await run("release", [a, b], "me", "")).toBe("more");
    await obtain([a, b]);
    await bury(b, 1_001);
    expect(await run("release", [a, b], "me", "")).toBe("more");
    expect(await command("EXISTS", a.lock, b.lock)).toBe(0);
  });

  test("for many at once: each its own, and its own line", async () => {
    const heard = await listen("w");
    await obtain([a]);
    await obtain([b], { value: "another" });
    await obtain([c]);
    await lineUp([a], "w:1", { value: "first" });
    await lineUp([c], "w:2", { value: "second" });
    await command("DEL", c.line);
    const args = ["me", ""];
    const parts = [a, b, c].map((lock) => ({ lock, args }));
    expect(await runMany("releaseMany", parts)).toEqual(["1", "-1", "1"]);
    expect(await command("MGET", a.lock, b.lock, c.lock)).toEqual(["first", "another", null]);
    expect((await heard()).sort()).toEqual([
      "come 2",
      expect.stringMatching(/^grant 1 \d+ proof$/),
    ]);
  });

  test("for many at once: what Redis refuses is to be asked alone", async () => {
    await obtain([a]);
    await obtain([b]);
    await command("RPUSH", b.line, "x");
    const parts = [b, a].map((lock) => ({ lock, args: ["me", ""] }));
    expect(await runMany("releaseMany", parts)).toEqual(["alone", "1"]);
    expect(await command("EXISTS", a.lock, b.lock)).toBe(1);
  });

  test("works with memory full, also when it hands on", async () => {
    await obtain([a]);
    await obtain([b]);
    const heard = await listen("w");
    await lineUp([b], "w:1", { value: "theirs" });
    await command("CONFIG", "SET", "maxmemory", "1");
    try {
      expect(await run("release", [a], "me", "")).toBe("1");
      expect(await run("release", [b], "me", "")).toBe("1");
    } finally {
      await command("CONFIG", "SET", "maxmemory", "0");
    }
    expect(await command("MGET", a.lock, b.lock)).toEqual([null, "theirs"]);
    expect(await heard()).toHaveLength(1);
  });
});

describe("where nothing may be published", () => {
  test("a lock stays free for the first in line, and is nobody's", async () => {
    await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1");
    // No key of a script is a channel: the default user may publish to none.
    await command("ACL", "SETUSER", "mute", "reset", "on", ">secret", "~*", "+@all");
    await client(["AUTH", "mute", "secret"]).run(
      scripts.release,
      FIVE.map((key) => a[key]),
      [...["me", ""]],
    );
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    expect(await inLine(a)).toEqual(["w:1"]);
    expect(await records(a)).toEqual(["w:1"]);
  });

  test("also who asks for it meanwhile leaves it free", async () => {
    await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1");
    await command("DEL", a.lock, a.grant);
    await command("ACL", "SETUSER", "mute", "reset", "on", ">secret", "~*", "+@all");
    const mute = client(["AUTH", "mute", "secret"]);
    const keys = FIVE.map((key) => a[key]);
    const args = asking({ value: "another" }).map(String);
    expect(await mute.run(scripts.obtain, keys, args)).toEqual([null, null, null]);
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    expect(await inLine(a)).toEqual(["w:1"]);
  });

  test("an echo that was not published is not told of as one", async () => {
    await command("ACL", "SETUSER", "mute", "reset", "on", ">secret", "~*", "+@all");
    const mute = client(["AUTH", "mute", "secret"]);
    const keys = FIVE.map((key) => a[key]);
    const args = [...asking({}), ...standing("w:1", { ticket: 5, echo: "1" })].map(String);
    // Taken, had already, and waited for.
    expect(await mute.run(scripts.obtain, keys, args)).toEqual([expect.any(String), "0"]);
    expect(await mute.run(scripts.obtain, keys, args)).toEqual([expect.any(String), "0"]);
    await command("SET", a.lock, "another", "PX", "9000");
    expect(await mute.run(scripts.obtain, keys, args)).toEqual([about(9_000), "1", "5", "0"]);
  });
});

describe("a free lock", () => {
  test("is taken with all that is known of its holder", async () => {
    const fence = await obtain([a], { value: "token+metadata", length: 5, call: "call" });
    expect(await command("GET", a.lock)).toBe("token+metadata");
    expect(await command("GET", a.grant)).toBe(`${String(fence)} token call`);
    expect(await command("GET", a.fence)).toBe(fence);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(30_000), about(30_000)]);
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
  });

  test("is taken with all of them or none", async () => {
    await obtain([b], { value: "another" });
    expect(await obtain([a, b, c])).toEqual([about(30_000), expect.any(String), ""]);
    expect(await command("EXISTS", a.lock, c.lock, a.grant, c.grant)).toBe(0);
    await command("DEL", b.lock);
    const fence = String(await obtain([a, b, c]));
    for (const { lock, grant } of [a, b, c]) {
      expect(await command("MGET", lock, grant)).toEqual(["me", `${fence} me`]);
      expect([await pttl(lock), await pttl(grant)]).toEqual([about(30_000), about(30_000)]);
    }
  });

  test("costs five commands, also who would wait for it", async () => {
    for (const take of [() => obtain([a]), () => lineUp([b], "w:1")]) {
      await command("CONFIG", "RESETSTAT");
      expect(await take()).toMatch(/^\d+$/);
      const stats = String(await command("INFO", "commandstats"));
      const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)].map(([, name, n]) => [
        name,
        n,
      ]);
      expect(Object.fromEntries(calls)).toMatchObject({ exists: "1", time: "1", set: "3" });
      expect(
        calls.filter(([name]) => !/^(exists|time|set|eval|config|info)/.test(name ?? "")),
      ).toEqual([]);
    }
  });

  test("in whose line somebody stands without a record is taken, and the line empty", async () => {
    const heard = await listen("w");
    await command("ZADD", a.line, "5", "w:1");
    expect(await obtain([a])).toMatch(/^\d+$/);
    expect(await inLine(a)).toEqual([]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("is asked for by many at once, of whom nobody waits", async () => {
    const fence = await obtain([b], { value: "another" });
    const parts = [a, b, c].map((lock) => ({ lock, args: asking({}) }));
    expect(await runMany("obtainMany", parts)).toEqual([
      expect.stringMatching(/^\d+$/),
      [about(30_000), fence, ""],
      expect.stringMatching(/^\d+$/),
    ]);
    for (const lock of [a, b, c]) expect(await command("EXISTS", lock.line, lock.waiters)).toBe(0);
  });

  test("for which only the dead wait is taken in their place", async () => {
    await bury(a, 3);
    expect(await obtain([a])).toMatch(/^\d+$/);
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
    await command("DEL", a.lock);
    await bury(a, 1_001);
    expect(await obtain([a])).toBe("again");
    expect(await command("EXISTS", a.lock)).toBe(0);
  });

  test("is its call's alone, also where somebody had waited for it", async () => {
    await bury(a, 1);
    const fence = String(await obtain([a], { call: "call" }));
    expect(await command("GET", a.grant)).toBe(`${fence} me call`);
  });

  test("whose line was lost is taken, and who waited for it called", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1");
    await command("DEL", a.line, a.lock);
    expect(await obtain([a])).toMatch(/^\d+$/);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("goes to who waits for it, not to who comes", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1", { value: "theirs" });
    await command("DEL", a.lock);
    expect(await obtain([a])).toEqual([about(20_000), expect.any(String), ""]);
    expect(await command("GET", a.lock)).toBe("theirs");
    expect(await heard()).toHaveLength(1);
  });

  test("is taken by a newcomer who would wait, if nobody else does", async () => {
    expect(await lineUp([a], "w:1")).toMatch(/^\d+$/);
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
    expect(await lineUp([b], "w:2", {}, { echo: "1" })).toMatch(/^\d+$/);
    // No waiter is known before it was told to wait.
    expect(await lineUp([b], "w:3", { value: "another" }, { echo: "1" })).toMatchObject({ 3: "0" });
  });
});

describe("what is told of a lock that another has", () => {
  test("how long it lasts, its fencing token and metadata", async () => {
    const fence = await obtain([a], { value: "token+metadata", length: 5 });
    expect(await obtain([a])).toEqual([about(30_000), fence, "+metadata"]);
  });

  test("no more of a text than the longest value and a byte", async () => {
    await command("SET", a.lock, `token${"x".repeat(9_000)}`, "PX", "20000");
    await command("SET", a.grant, "5 token", "PX", "20000");
    expect(await obtain([a])).toEqual([about(20_000), "5", "x".repeat(4_353 - 5)]);
  });

  test("-1 for one without an end, nothing of one that is none of ours", async () => {
    await command("SET", a.lock, "foreign");
    expect(await obtain([a])).toEqual(["-1", null, null]);
    await command("SET", a.lock, "");
    expect(await obtain([a])).toEqual(["-1", null, null]);
    await obtain([b], { value: "token+metadata", length: 5 });
    await command("SET", b.lock, "toke", "PX", "20000");
    expect(await obtain([b])).toEqual([about(20_000), null, null]);
  });

  test.each([
    ["10000 30000 20000", 30_000],
    ["30000 10000 20000", 30_000],
    ["10000 20000 30000", 30_000],
    ["10000 never 20000", "-1"],
    ["never 10000 20000", "-1"],
    ["10000 20000 never", "-1"],
  ])("of several the one that lasts longest: %s", async (leases, left) => {
    for (const [n, lease] of leases.split(" ").entries()) {
      const lock = [a, b, c][n] ?? a;
      await obtain([lock], {
        value: `another-${n}`,
        ttl: lease === "never" ? 5_000 : Number(lease),
      });
      if (lease === "never") await command("PERSIST", lock.lock);
    }
    const expected = typeof left === "number" ? about(left) : left;
    const fence = await command(
      "GET",
      [a, b, c][leases.split(" ").findIndex(isLongest)]?.grant ?? "",
    );
    expect(await obtain([a, b, c])).toEqual([expected, String(fence).split(" ")[0], ""]);
    expect(await lineUp([a, b, c], "w:1")).toEqual([expected, "1", expect.any(String), "0"]);

    function isLongest(lease: string): boolean {
      return lease === "never" || (lease === "30000" && !leases.includes("never"));
    }
  });
});

describe("a lock that is ours already", () => {
  test("is ours with the longest value, and not with a byte more", async () => {
    const value = `${"t".repeat(256)}${"x".repeat(4_096)}`;
    const fence = await obtain([a], { value, length: 256 });
    expect(await obtain([a], { value, length: 256 })).toBe(fence);
    await command("APPEND", a.lock, "x");
    expect(await obtain([a], { value, length: 256 })).toMatchObject({ 1: fence });
  });

  test("is told again, and its lease only grows", async () => {
    const fence = await obtain([a, b], { ttl: 20_000 });
    expect(await obtain([a, b], { ttl: 10_000 })).toBe(fence);
    expect([await pttl(a.lock), await pttl(b.grant)]).toEqual([about(20_000), about(20_000)]);
    expect(await obtain([a, b], { ttl: 30_000 })).toBe(fence);
    for (const { lock, grant } of [a, b]) {
      expect([await pttl(lock), await pttl(grant)]).toEqual([about(30_000), about(30_000)]);
    }
  });

  test("of several, the highest fencing token is theirs", async () => {
    const first = await obtain([a]);
    const second = await obtain([b]);
    expect(Number(second)).toBeGreaterThan(Number(first));
    expect(await obtain([a, b])).toBe(second);
    expect(await obtain([b, a])).toBe(second);
  });

  test("in part only is taken anew with the rest", async () => {
    const first = await obtain([a], { ttl: 20_000 });
    const fence = await obtain([a, b]);
    expect(Number(fence)).toBeGreaterThan(Number(first));
    expect(await command("MGET", a.grant, b.grant)).toEqual([
      `${String(fence)} me`,
      `${String(fence)} me`,
    ]);
  });

  test("in part only outlasts the rest no more: none of them is cut", async () => {
    await obtain([a], { ttl: 3 * DAY });
    await obtain([a, b], { ttl: 20_000 });
    for (const { lock, grant } of [a, b]) {
      expect([await pttl(lock), await pttl(grant)]).toEqual([about(3 * DAY), about(3 * DAY)]);
    }
    expect(await pttl(a.fence)).toBeGreaterThan(6 * DAY - 10_000);
    expect(await pttl(a.fence)).toBeLessThanOrEqual(6 * DAY);
    await command("DEL", a.lock, b.lock);
    await obtain([a], { ttl: 20_000, memory: 9 * DAY });
    await obtain([a, b], { ttl: 20_000, memory: 9 * DAY });
    expect(await pttl(a.fence)).toEqual(about(9 * DAY));
  });

  test("without a grant is taken anew", async () => {
    const first = await obtain([a], { ttl: 20_000 });
    await command("DEL", a.grant);
    expect(Number(await obtain([a]))).toBeGreaterThan(Number(first));
    expect(await pttl(a.lock)).toEqual(about(30_000));
  });

  test("is not ours where the same bytes are another's", async () => {
    for (const [theirs, ours] of [
      [2, 4],
      [4, 2],
    ] as const) {
      const fence = await obtain([a], { value: "toka", length: theirs });
      expect(await obtain([a], { value: "toka", length: ours })).toEqual([
        about(30_000),
        fence,
        "toka".slice(theirs),
      ]);
      await command("DEL", a.lock, a.grant);
    }
  });

  test("is two calls' from then on, so that neither frees it by giving up", async () => {
    const fence = String(await obtain([a], { call: "one", ttl: 20_000 }));
    await run("shorten", [a], "me", "", 20_000, MEMORY, 3);
    expect(await obtain([a], { call: "two" })).toBe(fence);
    expect(await command("GET", a.grant)).toBe(`${fence} me  3`);
    expect([await pttl(a.lock), await pttl(a.grant)]).toEqual([about(30_000), about(30_000)]);
    expect(await run("leave", [a], "me", "", "one")).toEqual([
      ...[about(30_000), fence, ""],
      ...["0", "0", "0"],
    ]);
    expect(await run("leave", [a], "me", "", "two")).toMatchObject({ 4: "0" });
    expect(await command("EXISTS", a.lock)).toBe(1);
  });

  test("is told to a call that names itself, and known to be two calls' before", async () => {
    const fence = String(await obtain([a]));
    expect(await obtain([a], { call: "two" })).toBe(fence);
    expect(await command("GET", a.grant)).toBe(`${fence} me`);
  });

  test("is the same call's when it asks again", async () => {
    const fence = String(await obtain([a], { call: "one" }));
    expect(await obtain([a], { call: "one" })).toBe(fence);
    expect(await command("GET", a.grant)).toBe(`${fence} me one`);
    expect(await run("leave", [a], "me", "", "one")).toEqual([null, null, null, "0", "1", "0"]);
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
  });

  test("of another call in part is nobody's to free when it is taken with the rest", async () => {
    await obtain([a], { call: "one" });
    const fence = String(await obtain([a, b], { call: "two" }));
    expect(await command("MGET", a.grant, b.grant)).toEqual([`${fence} me`, `${fence} me`]);
  });

  test("takes its waiter out of line, who may have been granted it meanwhile", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    const ticket = ticketOf(await lineUp([a], "w:1", { value: "me" }));
    await command("SET", a.lock, "me", "PX", "20000");
    await command("SET", a.grant, "5 me", "PX", "20000");
    expect(await lineUp([a], "w:1", { value: "me" }, { ticket })).toBe("5");
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
    expect(await lineUp([a], "w:1", { value: "me" }, { ticket, echo: "1" })).toEqual(["5", "1"]);
    expect(await lineUp([a], "deaf:1", { value: "me" }, { ticket, echo: "1" })).toEqual(["5", "1"]);
    expect(await heard()).toEqual(["come 1"]);
  });
});

describe("a line", () => {
  test("is joined behind all others, also when the clock was set back", async () => {
    await obtain([a], { value: "another" });
    const future = 9_000_000_000_000_000;
    await command("ZADD", a.line, String(future), "ahead:1");
    await command("HSET", a.waiters, "ahead:1", `${Date.now()} ${HOUR} 1 1 1000 1000 4 p  them`);
    expect(await lineUp([a], "w:1")).toEqual([about(30_000), "2", String(future + 1), "0"]);
    expect(await lineUp([a], "w:2")).toEqual([about(30_000), "3", String(future + 2), "0"]);
    expect(await inLine(a)).toEqual(["ahead:1", "w:1", "w:2"]);
  });

  test("has tickets of the server's clock, in microseconds", async () => {
    await obtain([a], { value: "another" });
    const before = microsOf(await command("TIME"));
    const ticket = Number(ticketOf(await lineUp([a], "w:1")));
    expect(ticket).toBeGreaterThanOrEqual(before);
    expect(ticket).toBeLessThanOrEqual(microsOf(await command("TIME")));
    expect(await command("ZSCORE", a.line, "w:1")).toBe(String(ticket));
  });

  test("holds what is asked for, and as long as a waiter may be silent", async () => {
    await obtain([a], { value: "another" });
    await lineUp(
      [a, b],
      "w:1",
      { value: "token+metadata", length: 5, call: "call", ttl: 9_000, memory: 4 * HOUR },
      { patience: 7_000, reach: 2, lease: 8_000, proof: "proved" },
    );
    for (const { line, waiters } of [a, b]) {
      const record = String(await command("HGET", waiters, "w:1"));
      const [at, ...rest] = record.split(" ");
      expect(Number(at)).toBeGreaterThan(Date.now() - 5_000);
      expect(Number(at)).toBeLessThan(Date.now() + 5_000);
      expect(rest.join(" ")).toBe(`7000 2 2 8000 ${4 * HOUR} 5 proved call token+metadata`);
      expect([await pttl(line), await pttl(waiters)]).toEqual([about(60_000), about(60_000)]);
    }
  });

  test("remembers a fencing token for twice the lease, if that is longer", async () => {
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1", { ttl: 3 * HOUR, memory: HOUR });
    expect(String(await command("HGET", a.waiters, "w:1")).split(" ")[5]).toBe(String(6 * HOUR));
  });

  test("keeps a place when its waiter asks again, by ticket or without", async () => {
    await obtain([a], { value: "another" });
    const ticket = ticketOf(await lineUp([a], "w:1"));
    await lineUp([a], "w:2");
    const place = [about(30_000), "1", ticket, "0"];
    expect(await lineUp([a], "w:1", {}, { ticket })).toEqual(place);
    expect(await lineUp([a], "w:1")).toEqual(place);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
  });

  test("has the same ticket everywhere, behind the last of all", async () => {
    await obtain([a, b], { value: "another" });
    const future = 9_000_000_000_000_000;
    await command("ZADD", b.line, String(future), "ahead:1");
    await command("HSET", b.waiters, "ahead:1", `${Date.now()} ${HOUR} 1 1 1000 1000 4 p  them`);
    expect(await lineUp([a, b], "w:1")).toEqual([about(30_000), "2", String(future + 1), "0"]);
    expect(await command("ZSCORE", a.line, "w:1")).toBe(String(future + 1));
  });

  test("tells one echo to a waiter whose place was gone, and sweeps the dead before it", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    await bury(a, 3);
    const reply = await lineUp([a], "w:1");
    expect(reply).toMatchObject({ 1: "4", 3: "0" });
    const ticket = ticketOf(reply);
    const again = { ticket, echo: "1" } as const;
    expect(await lineUp([a], "w:1", {}, again)).toMatchObject({ 1: "1", 3: "0" });
    expect(await inLine(a)).toEqual(["w:1"]);
    expect(await records(a)).toEqual(["w:1"]);
    expect(await heard()).toEqual([]);
    await command("ZREM", a.line, "w:1");
    await command("HDEL", a.waiters, "w:1");
    expect(await lineUp([a], "w:1", {}, { ticket })).toMatchObject({ 1: "1", 3: "0" });
    expect(await heard()).toEqual([]);
    await command("ZREM", a.line, "w:1");
    expect(await lineUp([a], "w:1", {}, again)).toMatchObject({ 1: "1", 2: ticket, 3: "1" });
    expect(await heard()).toEqual(["come 1"]);
  });

  test("has nobody swept out of the way who may still be silent", async () => {
    await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1");
    const ticket = ticketOf(await lineUp([a], "w:2"));
    const echo = await lineUp([a], "w:2", {}, { ticket, echo: "1" });
    expect(echo).toMatchObject({ 1: "2", 3: "0" });
  });

  test("has a newcomer who brings a ticket at that place", async () => {
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1");
    expect(await lineUp([a], "w:2", {}, { ticket: 7 })).toMatchObject({ 1: "1", 2: "7" });
    // What it says counts, not what stands there.
    expect(await lineUp([a], "w:2", {}, { ticket: 8 })).toMatchObject({ 1: "1", 2: "8" });
    expect(await command("ZSCORE", a.line, "w:2")).toBe("8");
  });

  test("has at most a thousand swept out of the way at once", async () => {
    await obtain([a], { value: "another" });
    await bury(a, 1_001);
    const ticket = ticketOf(await lineUp([a], "w:1"));
    expect(await lineUp([a], "w:1", {}, { ticket, echo: "1" })).toMatchObject({ 1: "2" });
  });

  test("keeps its place in one line while it is first there and not in others", async () => {
    const heard = await listen("w");
    await obtain([a, b], { value: "another" });
    const ticket = ticketOf(await lineUp([a, b], "w:1"));
    await command("DEL", a.lock);
    const reply = await lineUp([a, b], "w:1", {}, { ticket, echo: "1" });
    expect(reply).toEqual([about(30_000), "1", ticket, "0"]);
    expect(await heard()).toEqual([]);
    expect([await inLine(a), await inLine(b)]).toEqual([["w:1"], ["w:1"]]);
  });

  test("tells an echo to who takes the lock by asking", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    const ticket = ticketOf(await lineUp([a], "w:1"));
    await command("DEL", a.lock);
    const reply = await lineUp([a], "w:1", {}, { ticket, echo: "1" });
    expect(reply).toEqual([expect.stringMatching(/^\d+$/), "1"]);
    expect(await heard()).toEqual(["come 1"]);
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
    expect(await command("GET", a.lock)).toBe("value-w:1");
    // Also when nothing of its place is left.
    await command("DEL", a.lock, a.grant);
    const again = await lineUp([a], "w:1", {}, { ticket, echo: "1" });
    expect(again).toEqual([expect.stringMatching(/^\d+$/), "1"]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("has a waiter back in its place before anybody is served", async () => {
    await listen("late");
    await obtain([a], { value: "another" });
    const ticket = ticketOf(await lineUp([a], "w:1"));
    await lineUp([a], "late:1");
    await command("ZREM", a.line, "w:1");
    await command("HDEL", a.waiters, "w:1");
    await command("DEL", a.lock);
    expect(await lineUp([a], "w:1", {}, { ticket })).toMatch(/^\d+$/);
    expect(await inLine(a)).toEqual(["late:1"]);
  });

  test("keeps a free lock for its first, and has others wait behind", async () => {
    await obtain([a], { value: "another" });
    await lineUp([a], "asks:1", {}, { reach: 0 });
    await command("DEL", a.lock);
    expect(await lineUp([a], "w:1")).toEqual([null, "2", expect.any(String), "0"]);
    expect(await command("EXISTS", a.lock)).toBe(0);
  });

  test("is the place of a waiter for several that is worst", async () => {
    await obtain([a, b], { value: "another" });
    await lineUp([b], "w:1");
    expect(await lineUp([a, b], "w:2")).toMatchObject({ 1: "2" });
    expect(await lineUp([b, a], "w:2")).toMatchObject({ 1: "2" });
  });
});

describe("leave", () => {
  test("takes a waiter out of its lines, and says where it stood", async () => {
    const fence = await obtain([a, b], { value: "token+metadata", length: 5 });
    await bury(b, 2);
    await lineUp([a, b], "w:1");
    await lineUp([a], "w:2");
    expect(await run("leave", [a, b], "value-w:1", "w:1", "")).toEqual([
      ...[about(30_000), fence, "+metadata"],
      ...["1", "0", "0"],
    ]);
    expect([await inLine(a), await records(a)]).toEqual([["w:2"], ["w:2"]]);
    expect([await inLine(b), await records(b)]).toEqual([[], []]);
  });

  test("does not count who went stale, of the hundred in front", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1", {}, { ticket: 1 });
    await lineUp([a], "stale:1", {}, { ticket: 2 });
    await silence(a, "stale:1");
    await lineUp([a], "w:2", {}, { ticket: 3 });
    await command("ZADD", a.line, "4", "lost:1");
    await lineUp([a], "w:3", {}, { ticket: 5 });
    expect(await run("leave", [a], "value-w:3", "w:3", "")).toMatchObject({ 3: "3" });
    expect(await heard()).toEqual([]);
    expect(await inLine(a)).toEqual(["w:1", "stale:1", "w:2", "lost:1"]);
  });

  test("looks at no more than a hundred, those just in front", async () => {
    await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1", {}, { ticket: 1 });
    for (let n = 2; n <= 103; n++) await command("ZADD", a.line, String(n), `lost:${n}`);
    await lineUp([a], "w:2", {}, { ticket: 200 });
    for (let n = 300; n <= 310; n++) await command("ZADD", a.line, String(n), `lost:${n}`);
    expect(await run("leave", [a], "value-w:2", "w:2", "")).toMatchObject({ 3: "4" });
  });

  test("does not count who went stale and was too many to be dropped", async () => {
    await obtain([a], { value: "another" });
    await bury(a, 1_050, { at: 1_000 });
    await lineUp([a], "w:1");
    expect(await run("leave", [a], "value-w:1", "w:1", "")).toMatchObject({ 3: "1" });
    expect(await inLine(a)).toHaveLength(50);
  });

  test("does not count who is behind", async () => {
    await obtain([a], { value: "another" });
    await lineUp([a], "w:1");
    await command("ZADD", a.line, "9000000000000000", "lost:1");
    expect(await run("leave", [a], "value-w:1", "w:1", "")).toMatchObject({ 3: "1" });
    await listen("w");
    await lineUp([a], "w:1", {}, { ticket: 1 });
    await lineUp([a], "w:2", {}, { ticket: 2 });
    await lineUp([a], "w:3", {}, { ticket: 3 });
    expect(await run("leave", [a], "value-w:3", "w:3", "")).toMatchObject({ 3: "3" });
  });

  test("gives back a lock of the token's one call, also where the grant was lost", async () => {
    await command("SET", a.lock, "me", "PX", "20000");
    expect(await run("leave", [a], "me", "", "")).toEqual([null, null, null, "0", "1", "0"]);
    expect(await command("EXISTS", a.lock)).toBe(0);
    await obtain([a], { call: "another" });
    expect(await run("leave", [a], "me", "", "")).toMatchObject({ 4: "1" });
  });

  test("gives a lock back that was granted meanwhile, to the next in line", async () => {
    const heard = await listen("w");
    await obtain([a], { call: "mine" });
    await lineUp([a], "w:1", { value: "theirs" });
    const reply = await run("leave", [a], "me", "gone:1", "mine");
    const fence = String(await command("GET", a.fence));
    expect(reply).toEqual([about(20_000), fence, "", "0", "1", "0"]);
    expect(await command("GET", a.lock)).toBe("theirs");
    expect(await heard()).toEqual([`grant 1 ${fence} proof`]);
  });

  test("gives back what nobody waits for", async () => {
    await obtain([a, b]);
    expect(await run("leave", [a, b], "me", "", "")).toEqual([null, null, null, "0", "1", "0"]);
    expect(await command("EXISTS", a.lock, a.grant, b.lock, b.grant)).toBe(0);
  });

  test("serves a free lock that was kept for it", async () => {
    const heard = await listen("w");
    await obtain([a], { value: "another" });
    await lineUp([a], "asks:1", {}, { reach: 0 });
    await lineUp([a], "w:1", { value: "theirs" });
    await command("DEL", a.lock);
    const reply = await run("leave", [a], "value-asks:1", "asks:1", "");
    expect(reply).toEqual([about(20_000), expect.any(String), "", "1", "0", "0"]);
    expect(await command("GET", a.lock)).toBe("theirs");
    expect(await heard()).toHaveLength(1);
  });

  test("touches nothing of another's", async () => {
    const fence = await obtain([a], { value: "another" });
    const heard = await listen("w");
    await lineUp([a], "w:1");
    const told = [about(30_000), fence, ""];
    expect(await run("leave", [a], "me", "", "")).toEqual([...told, "0", "0", "0"]);
    expect(await run("leave", [a], "me", "gone:1", "call")).toEqual([...told, "0", "0", "0"]);
    expect(await inLine(a)).toEqual(["w:1"]);
    expect(await heard()).toEqual([]);
  });

  test("says when a line has yet to be served", async () => {
    await obtain([a, b]);
    await bury(a, 1_001);
    expect(await run("leave", [a, b], "me", "", "")).toEqual([null, null, null, "0", "1", "1"]);
    expect(await command("EXISTS", a.lock, b.lock)).toBe(0);
    expect(await run("leave", [a, b], "me", "", "")).toEqual([null, null, null, "0", "0", "0"]);
    expect(await command("EXISTS", a.line, a.waiters)).toBe(0);
  });

  test("of several, tells of the one that lasts longest", async () => {
    await obtain([a], { value: "another", ttl: 10_000 });
    await obtain([b], { value: "another", ttl: 30_000 });
    expect(await run("leave", [a, b, c], "me", "", "")).toMatchObject({ 0: about(30_000) });
  });
});

describe("inspect", () => {
  test("tells of the holder and of each who waits", async () => {
    const fence = await obtain([a], { value: "token+metadata", length: 5 });
    await lineUp([a], "stale:1");
    await silence(a, "stale:1");
    await lineUp([a], "w:1", { value: "token1+one", length: 6 });
    await lineUp([a], "w:2", { value: "token2+two", length: 6 });
    await command("ZADD", a.line, "9000000000000000", "lost:1");
    const told = [about(30_000), fence, "+metadata", "2"];
    expect(await run("inspect", [a], 9)).toEqual([
      ...told,
      ...["+one", about(2_000), "+two", about(2_000)],
    ]);
    expect(await run("inspect", [a], 1)).toEqual([...told, "+one", about(2_000)]);
    expect(await run("inspect", [a], 0)).toEqual(told);
  });

  test("tells for how long they have waited", async () => {
    await lineUpLongAgo("w:1", 60_000);
    await lineUpLongAgo("w:2", -60_000);
    expect(await run("inspect", [a], 9)).toEqual([
      ...[null, null, null, "2"],
      ...["+one", expect.any(String), "+one", "0"],
    ]);
    const reply = await run("inspect", [a], 9);
    const waited = Array.isArray(reply) ? Number(reply[5]) : 0;
    expect(waited).toBeGreaterThanOrEqual(60_000);
    expect(waited).toBeLessThan(65_000);
  });

  test("looks at no more than a thousand", async () => {
    await bury(a, 1_001);
    await command("DEL", a.waiters);
    expect(await run("inspect", [a], 9)).toMatchObject({ 3: "1" });
  });

  async function lineUpLongAgo(id: string, ms: number): Promise<void> {
    await command("ZADD", a.line, String((Date.now() - ms) * 1_000), id);
    await command("HSET", a.waiters, id, `${Date.now() - 1} ${HOUR} 1 1 1000 1000 5 p  token+one`);
  }
});

describe("announce", () => {
  test("tells the lock's followers to look, and how many heard it", async () => {
    const heard = await hear("redislock:leader:a");
    expect(await run("announce", [a])).toBe("1");
    expect(await heard()).toEqual(["look"]);
    expect(await run("announce", [b])).toBe("0");
  });
});

describe("forceRelease", () => {
  test("tells followers to look, whatever came of it", async () => {
    const heard = await hear("redislock:leader:a");
    await run("forceRelease", [a]);
    expect(await heard()).toEqual(["look"]);
  });

  test("is done also where nothing may be published", async () => {
    await obtain([a]);
    await command("ACL", "SETUSER", "mute", "reset", "on", ">secret", "~*", "+@all");
    const mute = client(["AUTH", "mute", "secret"]);
    const keys = FIVE.map((key) => a[key]);
    expect(await mute.run(scripts.forceRelease, keys, [])).toEqual(["1", "0"]);
    expect(await command("EXISTS", a.lock)).toBe(0);
  });

  test("frees a lock, whosever it is", async () => {
    expect(await run("forceRelease", [a])).toEqual(["0", "0"]);
    await obtain([a]);
    expect(await run("forceRelease", [a])).toEqual(["1", "0"]);
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    await command("SET", a.lock, "");
    expect(await run("forceRelease", [a])).toEqual(["1", "0"]);
  });

  test("gives it to the next in line", async () => {
    await listen("w");
    await obtain([a]);
    await lineUp([a], "w:1", { value: "theirs" });
    expect(await run("forceRelease", [a])).toEqual(["1", "0"]);
    expect(await command("GET", a.lock)).toBe("theirs");
    expect(await command("EXISTS", a.grant)).toBe(1);
  });

  test("says when the line has yet to be served", async () => {
    await obtain([a]);
    await bury(a, 1_001);
    expect(await run("forceRelease", [a])).toEqual(["1", "1"]);
    expect(await command("EXISTS", a.lock, a.grant)).toBe(0);
    expect(await run("forceRelease", [a])).toEqual(["0", "0"]);
  });
});

describe("an error of a command", () => {
  test.each([
    ["lock", "HSET a x y", "a holds a hash"],
    ["line", "SADD a:redislock:line x", "a:redislock:line holds a set"],
    ["waiters", "SADD a:redislock:waiters x", "a:redislock:waiters holds a set"],
    ["grant", "SADD a:redislock:grant x", "a:redislock:grant holds a set"],
  ])("says what is at the %s", async (what, put, message) => {
    await command("SET", a.fence, "5");
    await command(...put.split(" "));
    if (what !== "lock") await command("SET", a.lock, "another");
    const error: unknown = await lineUp([a], "w:1").catch((reason: unknown) => reason);
    if (what === "grant") {
      const refused: unknown = await obtain([a]).catch((reason: unknown) => reason);
      expect(String(refused)).toContain(`WRONGTYPE ${message}`);
    } else {
      expect(String(error)).toContain(`WRONGTYPE ${message}`);
    }
  });

  test("is otherwise the server's own", async () => {
    // What is wrong with others is not what this error is of.
    await command("SADD", a.waiters, "x");
    const error: unknown = await obtain([a], { ttl: 0 }).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/ERR invalid expire time in '?set'? command/i);
  });
});
