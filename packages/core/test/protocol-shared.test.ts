/** As protocol.test.ts, of the scripts of shared and counted locks. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { failure, textsOf } from "@redislock/test-kit";

import { type ScriptName, toReply } from "../src/adapter.js";
import type { Reply } from "../src/index.js";
import { startRedis } from "./redis.js";
import {
  a,
  about,
  type Argument,
  b,
  byHand,
  c,
  HOUR,
  type Keys,
  MEMORY,
  memories,
  SEVEN,
  standing,
  type Standing,
  takenBy,
  ticketOf,
} from "./scripts-by-hand.js";

const redis = await startRedis();
const { client } = redis;
const {
  bury,
  command,
  run,
  runMany,
  scriptOf,
  listen,
  pttl,
  inLine,
  letClockRun,
  overhear,
  records,
  stopClock,
} = byHand(redis);

/** When the clock that the scripts read begins in each test, in milliseconds. */
const START = 1_800_000_000_000;
/** What is left of a millisecond then, in microseconds: cut off wherever milliseconds count. */
const REST = 999;
/** The fencing token of whoever is granted a lock at the start. */
const PHASE = String(START * 1_000 + REST);
/** The milliseconds since the start. */
let now = 0;

beforeEach(() => {
  now = 0;
  stopClock(Number(PHASE));
});

function pass(ms: number): void {
  now += ms;
  stopClock(Number(PHASE) + now * 1_000);
}

interface Sharing {
  readonly token?: string;
  readonly metadata?: string;
  readonly permits?: number;
  readonly limit?: number;
  readonly ttl?: number;
  readonly call?: string;
  readonly memory?: number;
}

function claimOf({ token = "me", metadata = "", permits = 1, limit = 0 }: Sharing): string {
  return `${permits}/${limit}/${token.length} ${token}${metadata}`;
}

function asking(who: Sharing): Argument[] {
  const { token = "me", ttl = 30_000, call = "", memory = MEMORY } = who;
  return [claimOf(who), ttl, token.length, call, memory];
}

const share = (who: Sharing = {}, lock: Keys = a): Promise<Reply> =>
  run("obtainShared", [lock], ...asking(who));

/** Asks to share the lock as a waiter does. */
const lineUp = (
  id: string,
  who: Sharing = {},
  how: Standing = {},
  lock: Keys = a,
): Promise<Reply> =>
  run("obtainShared", [lock], ...asking({ token: id, ...who }), ...standing(id, how));

/** Takes the lock alone, or stands in line for that. */
const take = (value: string, ttl = 30_000, lock: Keys = a): Promise<Reply> =>
  run("obtain", [lock], value, ttl, value.length, "", MEMORY);
const lineUpAlone = (
  id: string,
  how: Standing = {},
  locks: readonly Keys[] = [a],
): Promise<Reply> => run("obtain", locks, id, 30_000, id.length, "", MEMORY, ...standing(id, how));

const release = (who: Sharing = {}, grant = ""): Promise<Reply> =>
  run("releaseShared", [a], claimOf(who), grant);
const leave = (who: Sharing = {}, id = "", call = ""): Promise<Reply> =>
  run("leaveShared", [a], claimOf(who), id, call);
const refresh = (
  who: Sharing = {},
  { grant = "", order = 0 }: { readonly grant?: string; readonly order?: number } = {},
): Promise<Reply> => {
  const { ttl = 30_000, memory = MEMORY } = who;
  return run("refreshShared", [a], claimOf(who), grant, ttl, memory, order);
};
const left = (who: Sharing = {}, grant = ""): Promise<Reply> =>
  run("ttlShared", [a], claimOf(who), grant);

const marker = async (): Promise<unknown> => command("GET", a.lock);
/** Each claim that shares the lock, and the milliseconds from the start to the end of its lease. */
async function sharing(): Promise<Record<string, number>> {
  const texts = textsOf(await command("ZRANGE", a.holders, "0", "-1", "WITHSCORES"));
  const pairs = texts.flatMap((text, n) =>
    n % 2 === 0 ? [[text, Number(texts[n + 1]) - START] as const] : [],
  );
  return Object.fromEntries(pairs);
}
const written = async (who: Sharing = {}): Promise<unknown> =>
  command("HGET", a.shares, claimOf(who));
const there = async (): Promise<string[]> => {
  const found = await Promise.all(SEVEN.map(async (key) => [key, await pttl(a[key])] as const));
  return found.flatMap(([key, ttl]) => (ttl === -2 || key === "fence" ? [] : [key]));
};

/** Puts claims of one permit among the holders, whose leases end so many milliseconds from the start. */
async function crowd(count: number, end: number, { limit = 0 } = {}): Promise<void> {
  await command(
    "EVAL",
    `for n = 1, ARGV[1] do
      redis.call('ZADD', KEYS[1], ARGV[2], '1/' .. ARGV[3] .. '/4 crow' .. n)
    end`,
    "1",
    a.holders,
    ...[count, START + end, limit].map(String),
  );
}

/** Puts waiters in line who would share the lock, and hear at the inbox `w`. */
async function queue(count: number): Promise<void> {
  await command(
    "EVAL",
    `for n = 1, ARGV[1] do
      redis.call('ZADD', KEYS[1], n, 'w:' .. n)
      redis.call('HSET', KEYS[2], 'w:' .. n, ARGV[2] .. '1/0/' .. #('w:' .. n) .. ' w:' .. n)
    end`,
    "2",
    a.line,
    a.waiters,
    String(count),
    `${START} ${HOUR} 1 0 30000 ${MEMORY} 4 proof  `,
  );
}

/** The commands that a script gives meanwhile, and how often. */
async function costOf(ask: () => Promise<unknown>): Promise<Record<string, string>> {
  await command("CONFIG", "RESETSTAT");
  await ask();
  const stats = String(await command("INFO", "commandstats"));
  const calls = [...stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g)];
  const ours = calls.filter(([, name = ""]) => !/^(eval|config|info)/.test(name));
  return Object.fromEntries(ours.map(([, name = "", count = ""]) => [name, count]));
}

/** Asks as a user who may not do all that scripts do. */
function asUser(
  ...rights: readonly string[]
): (name: ScriptName, ...args: Argument[]) => Promise<Reply> {
  return async (name, ...args: Argument[]): Promise<Reply> => {
    await command("ACL", "SETUSER", "other", "reset", "on", ">secret", "~*", ...rights);
    const keys = SEVEN.map((key) => a[key]);
    return client(["AUTH", "other", "secret"]).run(scriptOf(name), keys, args.map(String));
  };
}

describe("a free lock", () => {
  test("is shared with all that is known of its holder", async () => {
    const who = { token: "token", metadata: "+metadata" };
    expect(await share(who)).toEqual([PHASE, "1"]);
    expect(await marker()).toBe(`shared ${PHASE} 1 1`);
    expect(await sharing()).toEqual({ "1/0/5 token+metadata": 30_001 });
    expect(await there()).toEqual(["lock", "holders"]);
    expect([await pttl(a.lock), await pttl(a.holders)]).toEqual([about(30_001), about(30_001)]);
    expect(await command("GET", a.fence)).toBe(PHASE);
  });

  test("is shared with what tells its call, where the token may be another's", async () => {
    expect(await share({ call: "call", permits: 3, limit: 5 })).toEqual([PHASE, "1"]);
    expect(await marker()).toBe(`shared ${PHASE} 3 1`);
    expect(await written({ permits: 3, limit: 5 })).toBe("1 0 call");
    expect(await pttl(a.shares)).toEqual(about(30_001));
  });

  test("costs six commands, and two more for who would wait for it", async () => {
    // And TIME, of the stopped clock.
    const six = { exists: "1", zadd: "1", pexpire: "1", set: "2" };
    expect(await costOf(share)).toEqual(six);
    await command("DEL", a.fence);
    expect(await costOf(() => lineUp("w:1", {}, {}, b))).toEqual({ ...six, zrem: "1", hdel: "1" });
  });

  test("that is shared costs no look at a line where there is none", async () => {
    await share();
    expect(await costOf(() => share({ token: "two" }))).not.toHaveProperty("zpopmin");
    expect(await costOf(release)).not.toHaveProperty("zpopmin");
  });

  test("takes its time from the server", async () => {
    letClockRun();
    const seconds = async (): Promise<number> => Number(textsOf(await command("TIME"))[0]);
    const before = await seconds();
    const reply = await share();
    const phase = Array.isArray(reply) ? Number(reply[0]) : 0;
    expect(Math.floor(phase / 1_000_000)).toBeGreaterThanOrEqual(before);
    expect(Math.floor(phase / 1_000_000)).toBeLessThanOrEqual(await seconds());
  });

  test.each([
    ["holders", (): Promise<unknown> => crowd(3, 60_000)],
    ["shares", (): Promise<unknown> => command("HSET", a.shares, claimOf({}), "7 9 other")],
  ])("has no %s of an earlier phase", async (_, lose) => {
    await lose();
    expect(await share()).toEqual([PHASE, "1"]);
    expect(await sharing()).toEqual({ [claimOf({})]: 30_001 });
    expect(await there()).toEqual(["lock", "holders"]);
    expect(await marker()).toBe(`shared ${PHASE} 1 1`);
  });

  test("whose line was lost is shared, and who waited for it called", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1");
    await command("DEL", a.line, a.lock);
    expect(await share()).toEqual([String(Number(PHASE) + 1), "1"]);
    expect(await heard()).toEqual(["come 1"]);
    expect(await there()).toEqual(["lock", "grant", "holders"]);
  });

  test("in whose line somebody stands without a record is shared, and the line empty", async () => {
    const heard = await listen("w");
    await command("ZADD", a.line, "5", "w:1");
    expect(await share()).toEqual([PHASE, "1"]);
    expect(await there()).toEqual(["lock", "holders"]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("has a fencing token above the last, and above the time", async () => {
    const far = 9_000_000_000_000_000;
    await command("SET", a.fence, String(far));
    expect(await share()).toEqual([String(far + 1), "1"]);
    expect(await command("GET", a.fence)).toBe(String(far + 1));
    await release();
    expect(await share()).toEqual([String(far + 2), "1"]);
  });

  test("is not shared beyond the caller's own limit", async () => {
    expect(await share({ permits: 3, limit: 2 })).toEqual([null, null, null]);
    expect(await there()).toEqual([]);
    expect(await share({ permits: 2, limit: 2 })).toEqual([PHASE, "1"]);
  });

  test("is not had with what is no claim", async () => {
    expect(await run("obtainShared", [a], "gibberish", 9_000, 4, "", MEMORY)).toEqual([
      ...[null, null, null],
    ]);
    expect(await there()).toEqual([]);
  });
});

describe("the fence", () => {
  test.each(memories)("of a new phase is remembered %s", async (_, before, ttl, memory, after) => {
    await command("SET", a.fence, "5", "PX", String(before));
    await share({ ttl, memory });
    expect(await pttl(a.fence)).toEqual(about(after));
  });

  test.each(memories)(
    "of a running phase is remembered %s",
    async (_, before, ttl, memory, after) => {
      await share({ token: "another" });
      await command("PEXPIRE", a.fence, String(before));
      await share({ ttl, memory });
      expect(await pttl(a.fence)).toEqual(about(after));
    },
  );

  test.each(memories)(
    "of who asks again is remembered %s",
    async (_, before, ttl, memory, after) => {
      await share();
      await command("PEXPIRE", a.fence, String(before));
      await share({ ttl, memory });
      expect(await pttl(a.fence)).toEqual(about(after));
    },
  );

  test.each(memories)("of a refresh is remembered %s", async (_, before, ttl, memory, after) => {
    await share();
    await command("PEXPIRE", a.fence, String(before));
    expect(await refresh({ ttl, memory })).toBe("1");
    expect(await pttl(a.fence)).toEqual(about(after));
  });
});

describe("a lock that others share", () => {
  test("is shared in the next seat, with the same fencing token", async () => {
    await share({ token: "one" });
    pass(5);
    expect(await share({ token: "two", permits: 4, limit: 9 })).toEqual([PHASE, "2"]);
    expect(await marker()).toBe(`shared ${PHASE} 5 2`);
    expect(await command("GET", a.fence)).toBe(PHASE);
    expect(await sharing()).toEqual({ "1/0/3 one": 30_001, "4/9/3 two": 30_006 });
    // Seats are not given twice.
    await release({ token: "one" });
    expect(await share({ token: "three" })).toEqual([PHASE, "3"]);
    expect(await marker()).toBe(`shared ${PHASE} 5 3`);
  });

  test("lasts as long as the last lease", async () => {
    const lasts = async (): Promise<number[]> =>
      Promise.all([a.lock, a.holders, a.shares].map(pttl));
    await share({ token: "one", call: "x" });
    await share({ token: "two", call: "x", ttl: 10_000 });
    expect(await lasts()).toEqual([about(30_001), about(30_001), about(30_001)]);
    await share({ token: "three", call: "x", ttl: 60_000 });
    expect(await lasts()).toEqual([about(60_001), about(60_001), about(60_001)]);
    await share({ token: "four", ttl: 90_000 });
    expect(await lasts()).toEqual([about(90_001), about(90_001), about(60_001)]);
    await release({ token: "four" });
    expect(await lasts()).toEqual([about(60_001), about(60_001), about(60_001)]);
  });

  test.each([
    [1, 3, true],
    [1, 2, false],
    [2, 4, true],
    [2, 3, false],
    [9, 0, true],
    [1, 1, false],
    [1, 10, true],
  ])("with two permits out is shared by %i of %i: %s", async (permits, limit, fits) => {
    await share({ token: "other", permits: 2, limit: 5 });
    const reply = await share({ permits, limit });
    expect(reply).toEqual(fits ? [PHASE, "2"] : ["30001", PHASE, ""]);
    expect(await marker()).toBe(`shared ${PHASE} ${fits ? 2 + permits : 2} ${fits ? 2 : 1}`);
  });

  test("is told of by the lease that ends first", async () => {
    await share({ token: "token", metadata: "+first", ttl: 10_000 });
    await share({ token: "token", metadata: "+last", ttl: 30_000 });
    pass(4);
    expect(await share({ limit: 2 })).toEqual(["9997", PHASE, "+first"]);
    const place = await lineUp("w:1", { limit: 2 });
    expect(place).toEqual(["9997", "1", String(Number(PHASE) + 4_000), "0"]);
  });

  test("of whom nothing is told that is no claim", async () => {
    await command("SET", a.lock, "shared 5 1 1", "PX", "20000");
    await command("ZADD", a.holders, String(START + 20_000), "gibberish");
    expect(await share({ limit: 1 })).toEqual(["20000", "5", null]);
  });

  test.each([
    ["another's who has it alone", "value", "1 value", [about(20_000), "1", ""]],
    ["none of ours", "shared", null, [about(20_000), null, null]],
    ["not quite a marker", "shared 5 1 1 ", null, [about(20_000), null, null]],
    ["hardly a marker", " shared 5 1 1", null, [about(20_000), null, null]],
  ])("is not, where what is there is %s", async (_, value, grant, told) => {
    await command("SET", a.lock, value, "PX", "20000");
    if (grant !== null) await command("SET", a.grant, grant, "PX", "20000");
    await crowd(1, 20_000);
    expect(await share()).toEqual(told);
    expect(await command("GET", a.lock)).toBe(value);
    await command("PERSIST", a.lock);
    expect(await share()).toMatchObject({ 0: "-1" });
  });

  test("of an empty value is another's, too", async () => {
    await command("SET", a.lock, "");
    expect(await share()).toEqual(["-1", null, null]);
  });
});

describe("a lease that is over", () => {
  test("counts to its end and no longer, and the next phase begins", async () => {
    await share({ token: "one", limit: 1, ttl: 1_000 });
    pass(1_000);
    expect(await share({ limit: 1 })).toEqual(["1", PHASE, ""]);
    expect(await left({ token: "one", limit: 1 })).toBe("1");
    pass(1);
    expect(await left({ token: "one", limit: 1 })).toBe("deleted");
    expect(await share({ limit: 1 })).toEqual([String(Number(PHASE) + 1_001_000), "1"]);
    expect(await sharing()).toEqual({ [claimOf({ limit: 1 })]: 31_002 });
  });

  test("keeps its line for whoever was silent for its patience, and not for longer", async () => {
    await share({ token: "one", limit: 1, ttl: 3_000 });
    await lineUp("w:1", { limit: 1 }, { patience: 400 });
    const waiting = async (): Promise<unknown> => {
      const reply = await run("inspect", [a], 10);
      return Array.isArray(reply) ? reply[3] : reply;
    };
    pass(399);
    expect(await waiting()).toBe("1");
    pass(1);
    expect(await waiting()).toBe("0");
  });

  test("gives its permits back within the phase", async () => {
    await share({ token: "dead", permits: 3, limit: 5, ttl: 1_000, call: "x" });
    await share({ token: "one", call: "y" });
    pass(1_001);
    expect(await share({ permits: 4, limit: 5 })).toEqual([PHASE, "3"]);
    expect(await marker()).toBe(`shared ${PHASE} 5 3`);
    expect(await command("HKEYS", a.shares)).toEqual(["1/0/3 one"]);
    expect(Object.keys(await sharing())).toEqual(["1/0/3 one", "4/5/2 me"]);
  });

  test("of what is no claim has no permits to give back", async () => {
    await command("SET", a.lock, "shared 5 1 1", "PX", "30000");
    await crowd(1, 20_000);
    await command("ZADD", a.holders, String(START), "gibberish");
    expect(await share({ limit: 2 })).toEqual(["5", "2"]);
    expect(await marker()).toBe("shared 5 2 2");
    expect(Object.keys(await sharing())).toEqual(["1/0/4 crow1", "1/2/2 me"]);
  });

  test("is written down also by who is told to wait", async () => {
    await share({ token: "dead", ttl: 1_000 });
    await share({ token: "one", limit: 2 });
    pass(1_001);
    expect(await share({ permits: 2, limit: 2 })).toEqual(["29000", PHASE, ""]);
    expect(await marker()).toBe(`shared ${PHASE} 1 2`);
    expect(Object.keys(await sharing())).toEqual(["1/2/3 one"]);
  });

  test("makes its holder a new one", async () => {
    await share({ ttl: 1_000, call: "x" });
    await share({ token: "one" });
    pass(1_001);
    expect(await share({ call: "y" })).toEqual([PHASE, "3"]);
    expect(await written()).toBe("3 0 y");
    expect(await marker()).toBe(`shared ${PHASE} 2 3`);
  });

  test.each([
    [999, [PHASE, "2"], 3],
    [1_000, [PHASE, "2"], 3],
    [1_001, "again", 3],
  ])("of %i: a thousand are taken off by one command", async (count, reply, holders) => {
    await share({ token: "one" });
    await share({ token: "two" });
    await command("SET", a.lock, `shared ${PHASE} ${count + 2} 1`, "PX", "30000");
    await crowd(count, 0);
    expect(await share()).toEqual(reply);
    expect(await command("ZCARD", a.holders)).toBe(holders);
    expect(await marker()).toBe(`shared ${PHASE} ${holders} ${reply === "again" ? 1 : 2}`);
    expect(await share()).toMatchObject({ 0: PHASE });
    expect(await marker()).toMatch(new RegExp(`^shared ${PHASE} 3 \\d$`));
  });

  test("of the last thousand ends the phase", async () => {
    await command("SET", a.lock, `shared 5 1000 1000`, "PX", "30000");
    await crowd(1_000, 0);
    expect(await share()).toEqual([PHASE, "1"]);
    expect(await sharing()).toEqual({ [claimOf({})]: 30_001 });
  });
});

describe("a lock whose holders were lost", () => {
  test("is left to its ttl, and nobody let in", async () => {
    await share({ permits: 3 });
    await command("DEL", a.holders);
    expect(await share({ token: "two" })).toEqual([about(30_001), null, null]);
    expect(await lineUp("w:1")).toEqual([about(30_001), "1", PHASE, "0"]);
    expect(await marker()).toBe(`shared ${PHASE} 3 1`);
    expect(await pttl(a.lock)).toEqual(about(30_001));
    for (const gone of [release({ permits: 3 }), refresh({ permits: 3 })]) {
      expect(await gone).toBe("0");
    }
    expect(await left({ permits: 3 })).toBe("deleted");
  });

  test("in part, whose last lease is over, too", async () => {
    await share({ permits: 3, ttl: 1_000 });
    await command("SET", a.lock, `shared ${PHASE} 5 2`, "PX", "30000");
    pass(2_000);
    expect(await share({ token: "two" })).toEqual([about(30_000), null, null]);
    expect(await marker()).toBe(`shared ${PHASE} 5 2`);
    expect(await pttl(a.lock)).toEqual(about(30_000));
    expect(await there()).toEqual(["lock"]);
  });

  test("in part is shared by others, and its permits come back at its end", async () => {
    await share({ token: "lost", permits: 3 });
    await share({ token: "one" });
    await command("ZREM", a.holders, claimOf({ token: "lost", permits: 3 }));
    expect(await share({ limit: 4 })).toEqual(["30001", PHASE, ""]);
    expect(await release({ token: "one" })).toBe("1");
    // Nobody is left there: the rest is left to its ttl.
    expect(await there()).toEqual(["lock"]);
    expect(await share()).toEqual([about(30_001), null, null]);
  });
});

describe("who shares the lock already", () => {
  test("is told again, its permits are counted once, its lease only grows", async () => {
    await share({ permits: 2, limit: 2, ttl: 20_000 });
    expect(await share({ permits: 2, limit: 2, ttl: 10_000 })).toEqual([PHASE, "0"]);
    expect(await sharing()).toEqual({ "2/2/2 me": 20_001 });
    expect(await share({ permits: 2, limit: 2, ttl: 30_000 })).toEqual([PHASE, "0"]);
    expect(await sharing()).toEqual({ "2/2/2 me": 30_001 });
    expect(await marker()).toBe(`shared ${PHASE} 2 1`);
    expect([await pttl(a.lock), await pttl(a.holders)]).toEqual([about(30_001), about(30_001)]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("is told its seat, where that is written down", async () => {
    await share({ token: "other" });
    await share({ call: "call", ttl: 20_000 });
    expect(await share({ call: "call" })).toEqual([PHASE, "2"]);
    expect(await written()).toBe("2 0 call");
    expect(await pttl(a.shares)).toEqual(about(30_001));
    expect(await marker()).toBe(`shared ${PHASE} 2 2`);
  });

  test("is two calls' from then on, so that neither frees it by giving up", async () => {
    await share({ call: "one" });
    await refresh({}, { grant: `${PHASE} 1`, order: 3 });
    expect(await share({ call: "two" })).toEqual([PHASE, "1"]);
    expect(await written()).toBe("1 3 ");
    for (const call of ["one", "two"]) {
      expect(await leave({}, "", call)).toEqual(["30001", PHASE, "", "0", "0", "0"]);
    }
    expect(await marker()).toBe(`shared ${PHASE} 1 1`);
  });

  test("is known to be two calls', where it was of one that did not name itself", async () => {
    await share();
    expect(await share({ call: "two" })).toEqual([PHASE, "0"]);
    expect(await leave({}, "", "two")).toMatchObject({ 4: "0" });
    expect(await share()).toEqual([PHASE, "0"]);
    expect(await written()).toBe("0 0 ");
  });

  test("stays who it is, when it does not name itself", async () => {
    await share({ call: "one" });
    expect(await share({})).toEqual([PHASE, "1"]);
    expect(await written()).toBe("1 0 one");
    expect(await leave({}, "", "one")).toMatchObject({ 4: "1" });
  });

  test("leaves the line", async () => {
    const heard = await listen("w");
    await take("another");
    const ticket = ticketOf(await lineUp("w:1"));
    await command("DEL", a.lock);
    await share({ token: "other" });
    // Let in by that.
    expect(await heard()).toEqual([expect.stringMatching(/^grant 1 /)]);
    await command("ZADD", a.line, "7", "w:1");
    await command("HSET", a.waiters, "w:1", "x");
    expect(await lineUp("w:1", {}, { ticket })).toEqual([expect.any(String), "0"]);
    expect(await there()).toEqual(["lock", "grant", "holders"]);
    expect(await heard()).toEqual([]);
    const echo = await lineUp("w:1", {}, { ticket, echo: "1" });
    expect(echo).toEqual([expect.any(String), "0", "1"]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("leaves others in line", async () => {
    await share();
    await lineUp("w:1", { limit: 1 });
    expect(await share()).toEqual([PHASE, "0"]);
    expect([await inLine(a), await records(a)]).toEqual([["w:1"], ["w:1"]]);
  });
});

describe("a line", () => {
  test("holds what is asked for, and as long as a waiter may be silent", async () => {
    await take("another");
    await lineUp(
      "w:1",
      { token: "token", metadata: "+one", call: "call", memory: 4 * HOUR, permits: 2, limit: 3 },
      { patience: 7_000, reach: 2, lease: 8_000, proof: "proved" },
    );
    const record = `${START} 7000 2 0 8000 ${4 * HOUR} 5 proved call 2/3/5 token+one`;
    expect(await command("HGETALL", a.waiters)).toEqual(["w:1", record]);
    expect(await command("ZRANGE", a.line, "0", "-1", "WITHSCORES")).toEqual(["w:1", PHASE]);
    expect([await pttl(a.line), await pttl(a.waiters)]).toEqual([about(60_000), about(60_000)]);
  });

  test("keeps a place by ticket or without, behind all others", async () => {
    await take("another");
    await command("ZADD", a.line, "9000000000000000", "ahead:1");
    const ticket = "9000000000000001";
    const place = [about(30_000), "2", ticket, "0"];
    expect(await lineUp("w:1")).toEqual(place);
    expect(await lineUp("w:2")).toMatchObject({ 1: "3", 2: "9000000000000002" });
    expect(await lineUp("w:1", {}, { ticket })).toEqual(place);
    expect(await lineUp("w:1")).toEqual(place);
    expect(await inLine(a)).toEqual(["ahead:1", "w:1", "w:2"]);
    expect(await lineUp("w:3", {}, { ticket: 7 })).toMatchObject({ 1: "1", 2: "7" });
  });

  test("tells one echo to a waiter whose place was gone", async () => {
    const heard = await listen("w");
    await share({ limit: 1 });
    const who = { limit: 1 };
    const ticket = ticketOf(await lineUp("w:1", who));
    const again = { ticket, echo: "1" } as const;
    expect(await lineUp("w:1", who, again)).toEqual(["30001", "1", ticket, "0"]);
    await command("DEL", a.line, a.waiters);
    // Back in its place, it is first, and asks: that is seen before the echo is.
    expect(await lineUp("w:1", who, { ticket })).toEqual(["30001", "1", ticket, "0"]);
    expect(await heard()).toEqual([]);
    await command("DEL", a.line, a.waiters);
    expect(await lineUp("w:1", who, again)).toEqual(["30001", "1", ticket, "1"]);
    expect(await heard()).toEqual(["come 1"]);
  });

  test("tells an echo with a grant", async () => {
    const heard = await listen("w");
    await take("another");
    const ticket = ticketOf(await lineUp("w:1"));
    await command("DEL", a.lock, a.grant);
    const reply = await lineUp("w:1", {}, { ticket, echo: "1" });
    expect(reply).toEqual([String(Number(PHASE) + 1), "1", "1"]);
    expect(await heard()).toEqual(["come 1"]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("has nobody who comes later pass by who waits, though there were room", async () => {
    await listen("w");
    await share({ limit: 2 });
    expect(await lineUp("w:1", { permits: 2, limit: 2 })).toMatchObject({ 1: "1" });
    expect(await share({ token: "two", limit: 2 })).toEqual(["30001", PHASE, ""]);
    expect(await lineUp("w:2", { limit: 2 })).toMatchObject({ 1: "2" });
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await marker()).toBe(`shared ${PHASE} 1 1`);
  });

  test("of those who wait alone has those who would share it wait behind", async () => {
    await listen("w");
    await share();
    await lineUpAlone("w:1");
    expect(await share({ token: "two" })).toEqual(["30001", PHASE, ""]);
    expect(await lineUp("w:2")).toEqual(["30001", "2", String(Number(PHASE) + 1), "0"]);
    // Who has it already asks again all the same.
    expect(await share()).toEqual([PHASE, "0"]);
  });

  test("lets in who asks and is first, and all who fit behind it", async () => {
    const heard = await listen("w");
    await take("another");
    const ticket = ticketOf(await lineUp("asks:1", {}, { reach: 0 }));
    await lineUp("w:1", { limit: 2 });
    await lineUp("w:2", { limit: 2 });
    await lineUp("w:3");
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await lineUp("asks:1", {}, { ticket, reach: 0 })).toEqual([phase, "1"]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 2`]);
    expect(await inLine(a)).toEqual(["w:2", "w:3"]);
    expect(await records(a)).toEqual(["w:2", "w:3"]);
    expect(await marker()).toBe(`shared ${phase} 2 2`);
  });

  test("has who asks wait, if it is first and does not fit", async () => {
    const heard = await listen("w");
    await share({ permits: 2 });
    const ticket = ticketOf(await lineUp("w:1", { limit: 2 }));
    await lineUp("w:2");
    expect(await lineUp("w:1", { limit: 2 }, { ticket })).toEqual(["30001", "1", ticket, "0"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await heard()).toEqual([]);
  });

  test("has a waiter back in its place before anybody is served", async () => {
    await listen("late");
    await listen("w");
    await share({ limit: 1 });
    const ticket = ticketOf(await lineUp("w:1", { limit: 1 }));
    await lineUp("late:1", { limit: 1 });
    await command("ZREM", a.line, "w:1");
    await command("HDEL", a.waiters, "w:1");
    await command("DEL", a.lock);
    const phase = String(Number(PHASE) + 1);
    expect(await lineUp("w:1", { limit: 1 }, { ticket })).toEqual([phase, "1"]);
    expect(await inLine(a)).toEqual(["late:1"]);
  });

  test("goes before who comes", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUpAlone("w:1");
    await command("DEL", a.lock, a.grant);
    const fence = String(Number(PHASE) + 1);
    expect(await share()).toEqual([about(20_000), fence, ""]);
    expect(await heard()).toEqual([`grant 1 ${fence} proof`]);
    expect(await command("MGET", a.lock, a.grant)).toEqual(["w:1", `${fence} w:1`]);
  });

  test("is kept for its first, who has to ask", async () => {
    await take("another");
    await lineUp("asks:1", {}, { reach: 0 });
    await command("DEL", a.lock, a.grant);
    expect(await share()).toEqual([null, null, null]);
    expect(await lineUp("w:1")).toEqual([null, "2", expect.any(String), "0"]);
    expect(await inLine(a)).toEqual(["asks:1", "w:1"]);
    expect(await there()).toEqual(["line", "waiters"]);
  });
});

describe("two calls with one token, in line", () => {
  test.each([
    [
      "before it asks",
      [
        ["t:1", "one"],
        ["w:1", "two"],
      ],
    ],
    [
      "where it is behind others",
      [
        ["t:1", "one"],
        ["x:1", "three", "x"],
        ["w:1", "two"],
      ],
    ],
  ] as const)("are let in as one, who finds that it has it when it asks: %s", async (_, all) => {
    const [heard, other] = [await listen("t"), await listen("w")];
    await listen("x");
    await take("another");
    const tickets: Record<string, string> = {};
    for (const [id, call, token = "me"] of all) {
      tickets[id] = ticketOf(await lineUp(id, { token, call }));
    }
    await lineUp("w:9", { token: "behind" });
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    const asked = { token: "me", call: "two" };
    expect(await lineUp("w:1", asked, { ticket: tickets["w:1"] ?? "" })).toBe("again");
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`]);
    expect(await other()).toEqual([`grant 9 ${phase} proof ${all.length}`]);
    expect(await there()).toEqual(["lock", "holders", "shares"]);
    expect(await marker()).toBe(`shared ${phase} ${all.length} ${all.length}`);
    expect(await lineUp("w:1", asked, { ticket: tickets["w:1"] ?? "" })).toEqual([phase, "1"]);
    expect(await written()).toBe("1 0 ");
  });

  test("are let in as one, of whom one does not wait", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1", { token: "me", call: "one" });
    await lineUpAlone("w:2");
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await share({ call: "two" })).toBe("again");
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`]);
    expect(await share({ call: "two" })).toEqual([phase, "1"]);
    expect(await inLine(a)).toEqual(["w:2"]);
  });

  test("have places of their own until one is let in", async () => {
    await listen("w");
    await share({ limit: 1, token: "other" });
    expect(await lineUp("w:1", { token: "me", limit: 1, call: "one" })).toMatchObject({ 1: "1" });
    expect(await lineUp("w:2", { token: "me", limit: 1, call: "two" })).toMatchObject({ 1: "2" });
    expect(await share({ limit: 1, call: "three" })).toEqual(["30001", PHASE, ""]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
  });

  test("are let in as one, of whom the other is told to come", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1", { token: "me", call: "one" });
    await lineUp("w:2", { token: "me", call: "two" });
    await lineUp("w:3");
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await share({ token: "other" })).toEqual([phase, "3"]);
    expect(await heard()).toEqual([
      "come 2",
      ...[`grant 1 ${phase} proof 1`, `grant 3 ${phase} proof 2`],
    ]);
    expect(await there()).toEqual(["lock", "holders", "shares"]);
  });
});

describe("offering a lock that is shared", () => {
  /** Puts two permits out, one of which is given back later. */
  async function begin(): Promise<void> {
    await share({ token: "stays" });
    await share();
  }

  test("lets in all who fit, each in its seat, and then tells them", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2, call: "call", metadata: "+one" }, { lease: 9_000 });
    await lineUp("w:2", {}, { lease: 40_000, proof: "other" });
    pass(7);
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`, `grant 2 ${PHASE} other 4`]);
    const one = { token: "w:1", metadata: "+one", limit: 2 };
    const [, ...claims] = [claimOf({}), claimOf({ token: "stays" }), claimOf(one)];
    expect(await sharing()).toEqual({
      [claims[0] ?? ""]: 30_001,
      [claims[1] ?? ""]: 9_008,
      [claimOf({ token: "w:2" })]: 40_008,
    });
    expect(await written(one)).toBe("3 0 call");
    expect(await there()).toEqual(["lock", "holders", "shares"]);
    expect(await marker()).toBe(`shared ${PHASE} 3 4`);
    expect(await pttl(a.lock)).toEqual(about(40_001));
  });

  test("writes the lock down before it tells anybody, and once", async () => {
    await listen("w");
    await begin();
    await lineUp("w:1", { limit: 3, permits: 2 });
    await command("CONFIG", "SET", "notify-keyspace-events", "K$");
    const heard = await overhear("redislock:inbox:w", "__keyspace@0__:a");
    expect(await costOf(release)).toMatchObject({ set: "1", publish: "1" });
    await command("CONFIG", "SET", "notify-keyspace-events", "");
    expect(await heard()).toEqual(["set", `grant 1 ${PHASE} proof 3`]);
  });

  test("remembers the fencing token as long as each asked for", async () => {
    await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2, memory: 3 * MEMORY });
    await release();
    expect(await pttl(a.fence)).toEqual(about(3 * MEMORY));
    await lineUp("w:2", { limit: 1, memory: 4 * MEMORY });
    await command("DEL", a.lock);
    await leave({ token: "nobody" });
    expect(await pttl(a.fence)).toEqual(about(4 * MEMORY));
  });

  test("drops who went stale, has no record, or is not heard", async () => {
    const [heard, stale] = [await listen("w"), await listen("stale")];
    await take("another");
    await lineUpAlone("stale:1");
    await command("HSET", a.waiters, "stale:1", `1 2 1 1 9 9 7 p  stale:1`);
    await command("ZADD", a.line, String(Number(PHASE) + 1), "stale:2");
    await command("ZADD", a.line, String(Number(PHASE) + 2), "nobody");
    await lineUpAlone("deaf:1");
    await lineUp("deaf:2");
    await lineUp("w:1");
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await leave()).toEqual(["20001", phase, "", "0", "0", "0"]);
    expect(await stale()).toEqual(["come 1", "come 2"]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("tells who is not counted here", async () => {
    await begin();
    const heard = await overhear("redislock:inbox:there");
    await lineUp("there:7", { limit: 2 });
    expect(await release()).toBe("1");
    expect(await heard()).toEqual(["unseen 7"]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("gives the lock to who wants it alone, when nobody shares it any more", async () => {
    const heard = await listen("w");
    await begin();
    await lineUpAlone("w:1");
    await lineUp("w:2");
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await release({ token: "stays" })).toBe("1");
    const fence = String(Number(PHASE) + 1);
    expect(await heard()).toEqual([`grant 1 ${fence} proof`]);
    expect(await command("MGET", a.lock, a.grant)).toEqual(["w:1", `${fence} w:1`]);
    expect(await there()).toEqual(["lock", "grant", "line", "waiters"]);
    expect(await inLine(a)).toEqual(["w:2"]);
  });

  test("ends at the first who does not fit, whoever is behind", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { permits: 2, limit: 2 });
    const ticket = await command("ZSCORE", a.line, "w:1");
    await lineUp("w:2");
    expect(await release()).toBe("1");
    // The first learns that it is its turn sooner than it knows of.
    expect(await heard()).toEqual([]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await command("ZSCORE", a.line, "w:1")).toBe(ticket);
    expect(await pttl(a.line)).toEqual(about(60_000));
    expect(await marker()).toBe(`shared ${PHASE} 1 2`);
  });

  test("ends at the first who fits and has to ask, and tells who is behind", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("asks:1", { limit: 2 }, { reach: 0 });
    await lineUp("w:1");
    expect(await release()).toBe("1");
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["asks:1", "w:1"]);
    expect(await marker()).toBe(`shared ${PHASE} 1 2`);
  });

  test("tells nobody behind who has to ask and would not fit", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("asks:1", { limit: 1 }, { reach: 0 });
    await lineUp("w:1");
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([]);
  });

  test("by who asks tells nobody behind, who would ask for nothing", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("asks:1", {}, { reach: 0 });
    await lineUp("w:1");
    await command("DEL", a.lock, a.grant);
    expect(await share()).toEqual([null, null, null]);
    expect(await heard()).toEqual([]);
  });

  test("by who asks tells who is behind of a short lease, all the same", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1", {}, { lease: 9_000 });
    await lineUp("asks:1", {}, { reach: 0 });
    await lineUp("w:2");
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await share()).toEqual(["9001", phase, ""]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`, "come 2"]);
  });

  test("lets in whom messages reach, who are not counted", async () => {
    await begin();
    await lineUp("elsewhere:1", { limit: 2 }, { reach: 2 });
    expect(await release()).toBe("1");
    expect(await there()).toEqual(["lock", "holders"]);
    expect(Object.keys(await sharing())).toContain("1/2/11 elsewhere:1");
  });

  test.each([
    [200, []],
    [201, ["come 201"]],
    [202, ["come 201", "come 202"]],
    [203, ["come 201", "come 202"]],
  ])("of %i in line, lets in two hundred, and tells the next to come", async (count, rest) => {
    const heard = await listen("w");
    await take("another");
    await queue(count);
    await command("DEL", a.lock, a.grant);
    expect(await leave({ token: "nobody" })).toEqual([
      ...["30001", String(Number(PHASE) + 1), ""],
      ...["0", "0", "0"],
    ]);
    const messages = await heard();
    expect(messages.filter((text) => text.startsWith("come"))).toEqual(rest);
    const grants = messages.filter((text) => text.startsWith("grant"));
    expect(grants).toHaveLength(200);
    expect(grants.at(-1)).toBe(`grant 200 ${String(Number(PHASE) + 1)} proof 200`);
    expect(await command("ZCARD", a.holders)).toBe(200);
    expect(await command("ZCARD", a.line)).toBe(count - 200);
    expect(await command("HLEN", a.waiters)).toBe(count - 200);
  });

  test("of more in line than it lets in, by who asks behind them", async () => {
    const heard = await listen("w");
    await take("another");
    await queue(202);
    await command("DEL", a.lock, a.grant);
    expect(await share()).toEqual(["30001", String(Number(PHASE) + 1), ""]);
    expect((await heard()).filter((text) => text.startsWith("come"))).toEqual(["come 201"]);
    expect(await command("ZCARD", a.line)).toBe(2);
  });

  test.each([
    [999, "1", 0],
    [1_000, "more", 0],
    [1_001, "more", 1],
  ])("to a line of %i dead ones", async (count, verdict, rest) => {
    await begin();
    await bury(a, count);
    expect(await release()).toBe(verdict);
    expect(await command("ZCARD", a.line)).toBe(rest);
    expect(await command("HLEN", a.waiters)).toBe(rest);
    expect(await marker()).toBe(`shared ${PHASE} 1 2`);
  });

  test("calls those whose line was lost", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 1 });
    await lineUp("w:2", { limit: 1 });
    await command("DEL", a.line);
    expect(await release()).toBe("1");
    expect((await heard()).sort()).toEqual(["come 1", "come 2"]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("tells the first in line of a lease that ends before it would ask", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2 }, { lease: 9_000 });
    await lineUp("w:2", { limit: 2 }, { lease: 18_004 });
    await lineUp("w:3", { limit: 2 });
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`, "come 2"]);
    expect(await inLine(a)).toEqual(["w:2", "w:3"]);
  });

  test.each([
    ["first", 9_000, 40_000],
    ["last", 40_000, 9_000],
  ])("tells of the shortest lease of all that were let in: the %s", async (_, one, two) => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2 }, { lease: one });
    await lineUp("w:2", { limit: 3 }, { lease: two });
    await lineUp("w:3", { limit: 3 }, { lease: 24_000 });
    await share({ token: "stays", ttl: 60_000 });
    expect(await release()).toBe("1");
    expect((await heard()).at(-1)).toBe("come 3");
    expect(await inLine(a)).toEqual(["w:3"]);
  });

  test("gives a lock to who wants it alone, whose marker says that nothing is out", async () => {
    await listen("w");
    await take("another");
    await lineUpAlone("w:1");
    await command("DEL", a.grant);
    await command("SET", a.lock, "shared 5 0 1", "PX", "20000");
    await crowd(1, 20_000);
    expect(await leave()).toMatchObject({ 0: about(20_000), 4: "0", 5: "0" });
    expect(await command("GET", a.lock)).toBe("w:1");
    expect(await there()).toEqual(["lock", "grant"]);
  });

  test("tells of the shortest lease, also where the lock lasts less long now", async () => {
    const heard = await listen("w");
    await share({ token: "stays" });
    await share({ ttl: 60_000 });
    await lineUp("w:1", { limit: 2 }, { lease: 9_000 });
    await lineUp("w:2", { limit: 2 });
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`, "come 2"]);
  });

  test("tells of a short lease that was let in before who asks", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1", {}, { lease: 9_000 });
    const ticket = ticketOf(await lineUp("asks:1", {}, { reach: 0 }));
    await lineUp("w:2", { limit: 1 });
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await lineUp("asks:1", {}, { ticket, reach: 0 })).toEqual([phase, "2"]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`, "come 2"]);
  });

  test("tells who asks of a short lease by the reply alone", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("w:1", {}, { lease: 9_000 });
    const ticket = ticketOf(await lineUp("w:2", { limit: 1 }));
    await command("DEL", a.lock, a.grant);
    const phase = String(Number(PHASE) + 1);
    expect(await lineUp("w:2", { limit: 1 }, { ticket })).toEqual(["9001", "1", ticket, "0"]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`]);
  });

  test("tells of a short lease also where there are more dead than it drops", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2 }, { ticket: 1, lease: 9_000 });
    await bury(a, 999, { from: 2 });
    await command("ZADD", a.line, "5000", "w:2");
    await command("HSET", a.waiters, "w:2", `${START} ${HOUR} 1 1 30000 ${MEMORY} 3 p  w:2`);
    expect(await release()).toBe("more");
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`, "come 2"]);
    expect(await inLine(a)).toEqual(["w:2"]);
  });

  test("calls those whose records were lost", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 1 });
    await command("DEL", a.waiters);
    expect(await release()).toBe("1");
    expect(await heard()).toEqual(["come 1"]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("tells the first in line nothing that it knows of", async () => {
    const heard = await listen("w");
    await begin();
    await lineUp("w:1", { limit: 2 }, { lease: 9_000 });
    await lineUp("w:2", { limit: 2 }, { lease: 17_000 });
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`]);
  });

  test("tells the first of those who want it alone of the earlier end", async () => {
    const heard = await listen("w");
    await share({ token: "stays", ttl: 9_000 });
    await share();
    await lineUpAlone("w:1");
    await lineUpAlone("w:2");
    expect(await release()).toBe("1");
    expect(await heard()).toEqual(["come 1"]);
    expect(await pttl(a.lock)).toEqual(about(9_001));
    expect(await pttl(a.holders)).toEqual(about(9_001));
  });

  test("tells nothing of an end that stays what it was", async () => {
    const heard = await listen("w");
    await share({ token: "stays", ttl: 9_000 });
    await share({ ttl: 8_000 });
    await lineUpAlone("w:1");
    expect(await release()).toBe("1");
    expect(await heard()).toEqual([]);
  });
});

describe("where nothing may be published", () => {
  test("whose message was refused is put back in line, and no other", async () => {
    await listen("w");
    await share({ token: "stays" });
    await share({ permits: 5 });
    await lineUp("w:1", { permits: 2, limit: 5 });
    await lineUp("w:2", { limit: 5 });
    const tickets = await command("ZRANGE", a.line, "0", "-1", "WITHSCORES");
    const mute = asUser("+@all", "resetchannels");
    expect(await mute("releaseShared", claimOf({ permits: 5 }), "")).toBe("1");
    expect(await command("ZRANGE", a.line, "0", "-1", "WITHSCORES")).toEqual(tickets);
    expect(await records(a)).toEqual(["w:1", "w:2"]);
    expect(Object.keys(await sharing())).toEqual([claimOf({ token: "stays" })]);
    expect(await marker()).toBe(`shared ${PHASE} 1 4`);
  });

  test("a free lock stays free for them", async () => {
    await listen("w");
    await share();
    await lineUp("w:1", { limit: 1 });
    await lineUp("w:2", { limit: 1 });
    const mute = asUser("+@all", "resetchannels");
    expect(await mute("releaseShared", claimOf({}), "")).toBe("1");
    expect(await there()).toEqual(["line", "waiters"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await mute("obtainShared", ...asking({}))).toEqual([null, null, null]);
    expect(await there()).toEqual(["line", "waiters"]);
  });

  test("who asks with the token of one of them has it as little", async () => {
    await listen("w");
    await share({ token: "stays" });
    await share();
    await lineUp("w:1", { token: "two", call: "one", limit: 2 });
    const mute = asUser("+@all", "resetchannels");
    await mute("releaseShared", claimOf({}), "");
    const again = asking({ token: "two", call: "another", limit: 2 });
    expect(await mute("obtainShared", ...again)).toEqual([about(30_001), PHASE, ""]);
    expect(await inLine(a)).toEqual(["w:1"]);
    expect(Object.keys(await sharing())).toEqual([claimOf({ token: "stays" })]);
  });

  test("an echo that was not published is not told of as one", async () => {
    const mute = asUser("+@all", "resetchannels");
    const args = [...asking({ limit: 1 }), ...standing("w:1", { ticket: 5, echo: "1" })];
    expect(await mute("obtainShared", ...args)).toEqual([expect.any(String), "1", "0"]);
    expect(await mute("obtainShared", ...args)).toEqual([expect.any(String), "0", "0"]);
    await command("DEL", a.lock);
    await take("another");
    expect(await mute("obtainShared", ...args)).toEqual([about(30_000), "1", "5", "0"]);
  });
});

describe("where the server does not count listeners", () => {
  test("who hears is told to come, and the lock kept for it; who does not is dropped", async () => {
    const heard = await listen("w");
    await share({ token: "stays" });
    await share();
    await lineUp("deaf:1", { limit: 2 });
    await lineUp("w:1", { limit: 2 });
    await lineUp("w:2");
    const blind = asUser("+@all", "allchannels", "-pubsub");
    expect(await blind("releaseShared", claimOf({}), "")).toBe("1");
    // Who is behind comes, too, as the first may never ask.
    expect(await heard()).toEqual(["come 1", "come 2"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
    expect(await records(a)).toEqual(["w:1", "w:2"]);
    expect(await blind("obtainShared", ...asking({}))).toMatchObject({ 1: PHASE });
    expect(await heard()).toEqual(["come 1"]);
  });
});

describe("an obtain that is refused in the middle", () => {
  test.each(["set", "zadd", "hset", "zrange"])(
    "lets nobody in who is not counted: %s",
    async (right) => {
      await share({ limit: 3 });
      const held = await sharing();
      const barred = asUser("+@all", "allchannels", `-${right}`);
      const who = { token: "barred", call: "call", limit: 3, ttl: 1_000 };
      expect(await failure(barred("obtainShared", ...asking(who)))).toMatchObject({
        reply: "NOPERM",
      });
      expect(await sharing()).toEqual(held);
      // Nor does its end take off what was never put on.
      pass(2_000);
      for (const token of ["two", "three", "four"]) await share({ token, limit: 3 });
      expect(await sharing()).toMatchObject(held);
      expect(Object.keys(await sharing()).length).toBeLessThanOrEqual(3);
    },
  );

  test.each(["set", "hset", "zadd"])(
    "of a free lock leaves nothing without a ttl: %s",
    async (right) => {
      const barred = asUser("+@all", "allchannels", `-${right}`);
      await failure(barred("obtainShared", ...asking({ call: "call" })));
      for (const key of SEVEN) expect(await command("PTTL", a[key])).not.toBe(-1);
    },
  );
});

describe("where the server does not count listeners, a free lock", () => {
  /** A line whose first wants the lock alone, and does not hear. */
  async function begin(): Promise<void> {
    await take("another");
    await lineUpAlone("deaf:1");
  }

  test("is shared by who comes, when nobody in line hears", async () => {
    await begin();
    await command("DEL", a.lock, a.grant);
    const blind = asUser("+@all", "allchannels", "-pubsub");
    expect(await blind("obtainShared", ...asking({}))).toMatchObject({ 1: "1" });
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("is shared by who asks, when nobody before it hears", async () => {
    const heard = await listen("w");
    await begin();
    const ticket = ticketOf(await lineUp("w:1"));
    await lineUp("w:2", { limit: 1 });
    await command("DEL", a.lock, a.grant);
    const blind = asUser("+@all", "allchannels", "-pubsub");
    const args = [...asking({ token: "w:1" }), ...standing("w:1", { ticket })];
    expect(await blind("obtainShared", ...args)).toMatchObject({ 1: "1" });
    expect(await inLine(a)).toEqual(["w:2"]);
    expect(await heard()).toEqual([]);
  });
});

describe("release", () => {
  test("gives back what was shared, and its permits", async () => {
    await share({ token: "other", call: "x" });
    await share({ permits: 3, call: "y" });
    expect(await release({ permits: 3 })).toBe("1");
    expect(await marker()).toBe(`shared ${PHASE} 1 2`);
    expect(Object.keys(await sharing())).toEqual(["1/0/5 other"]);
    expect(await command("HKEYS", a.shares)).toEqual(["1/0/5 other"]);
    expect(await release({ permits: 3 })).toBe("0");
    expect(await release({ token: "other" })).toBe("1");
    expect(await there()).toEqual([]);
    expect(await release({ token: "other" })).toBe("0");
  });

  test("of a lease that is over finds it gone, of another's who has it alone says so", async () => {
    await share({ ttl: 1_000 });
    pass(1_001);
    expect(await release()).toBe("0");
    await command("SET", a.lock, "another");
    expect(await release()).toBe("-1");
    expect(await command("GET", a.lock)).toBe("another");
    expect(await release({ token: "other" })).toBe("-1");
  });

  test("takes off whose lease is over, a thousand of them", async () => {
    await share();
    await share({ token: "other" });
    await crowd(1_001, 0);
    await command("SET", a.lock, `shared ${PHASE} 1003 9`, "PX", "30000");
    expect(await release()).toBe("more");
    expect(Object.keys(await sharing())).toEqual([expect.stringContaining("crow"), "1/0/5 other"]);
    expect(await marker()).toBe(`shared ${PHASE} 2 9`);
    await share();
    await lineUp("w:1", { limit: 1 });
    await crowd(1_001, 0);
    await command("SET", a.lock, `shared ${PHASE} 1003 9`, "PX", "30000");
    expect(await release()).toBe("more");
    expect(Object.keys(await sharing())).toEqual([expect.stringContaining("crow"), "1/0/5 other"]);
  });

  test("says 1 when the rest was done", async () => {
    await share();
    await share({ token: "other", ttl: 100 });
    pass(101);
    expect(await release()).toBe("1");
    expect(await there()).toEqual([]);
  });
});

describe("whose a share is to", () => {
  type Ask = (who: Sharing, grant: string) => Promise<Reply>;
  const ways: readonly [name: string, ask: Ask, verdict: string, gone: string, taken: string][] = [
    ["release", release, "1", "0", "-1"],
    ["refresh", (who, grant) => refresh(who, { grant }), "1", "0", "-1"],
    ["ttl", left, "30001", "deleted", "taken"],
  ];

  test.each(ways)("%s: the grant's, by phase and seat", async (_, ask, verdict, gone) => {
    await share({ token: "other" });
    await share({ call: "call" });
    for (const grant of [`${PHASE} 1`, `${PHASE} 3`, `1${PHASE} 2`, "1 2", PHASE, `${PHASE} `]) {
      expect(await ask({}, grant)).toBe(gone);
    }
    expect(await sharing()).toMatchObject({ [claimOf({})]: 30_001 });
    expect(await ask({}, `${PHASE} 2`)).toBe(verdict);
  });

  test.each(ways)("%s: the token's, without a grant", async (_, ask, verdict) => {
    await share({ call: "call" });
    expect(await ask({}, "")).toBe(verdict);
  });

  test.each(ways)(
    "%s: nobody's, where what is written of it was lost",
    async (_, ask, verdict, gone) => {
      await share({ call: "call" });
      await command("DEL", a.shares);
      expect(await ask({}, `${PHASE} 1`)).toBe(gone);
      await command("HSET", a.shares, claimOf({}), "gibberish");
      expect(await ask({}, `${PHASE} 1`)).toBe(gone);
      expect(await ask({}, `${PHASE} 0`)).toBe(verdict);
    },
  );

  test.each(ways)("%s: another's, who has it alone", async (_, ask, _verdict, _gone, taken) => {
    await take("another");
    await crowd(1, 30_000);
    expect(await ask({}, "")).toBe(taken);
    expect(await ask({ token: "crow1" }, "")).toBe(taken);
    await command("SET", a.lock, "");
    expect(await ask({}, "")).toBe(taken);
  });

  test.each(ways)("%s: nobody's, where the marker was lost", async (_, ask, _verdict, gone) => {
    await share();
    await command("DEL", a.lock);
    expect(await ask({}, "")).toBe(gone);
  });
});

describe("ttl", () => {
  test("tells the milliseconds left of this lease", async () => {
    await share({ ttl: 10_000 });
    await share({ token: "other", ttl: 60_000 });
    pass(6);
    expect(await left()).toBe("9995");
    expect(await left({ token: "other" })).toBe("59995");
    expect(await left({ token: "third" })).toBe("deleted");
    await command("FLUSHALL");
    expect(await left()).toBe("deleted");
  });
});

describe("refresh", () => {
  test("starts the lease anew, and what is kept of it", async () => {
    await share({ ttl: 10_000, call: "call" });
    pass(3);
    expect(await refresh({ ttl: 20_000 }, { grant: `${PHASE} 1` })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 20_004 });
    expect(await written()).toBe("1 0 call");
    for (const key of [a.lock, a.holders, a.shares]) expect(await pttl(key)).toEqual(about(20_001));
    expect(await marker()).toBe(`shared ${PHASE} 1 1`);
  });

  test("writes down nothing where that does not matter", async () => {
    await share({ ttl: 10_000 });
    expect(await refresh({ ttl: 20_000 })).toBe("1");
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("never cuts a lease, as a late copy of a renewal would", async () => {
    await share({ call: "call" });
    expect(await refresh({ ttl: 20_000 }, { grant: `${PHASE} 1` })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 30_001 });
    expect(await pttl(a.lock)).toEqual(about(30_001));
    expect(await written()).toBe("1 0 call");
  });

  test("brings nothing back that is gone", async () => {
    expect(await refresh()).toBe("0");
    expect(await there()).toEqual([]);
    await share({ ttl: 1_000 });
    pass(1_001);
    expect(await refresh()).toBe("0");
    expect(await sharing()).toEqual({ [claimOf({})]: 1_001 });
  });

  test("with an order above the last cuts a lease", async () => {
    await share();
    expect(await refresh({ ttl: 10_000 }, { order: 1 })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 10_001 });
    expect(await written()).toBe("0 1 ");
    expect([await pttl(a.lock), await pttl(a.holders)]).toEqual([about(10_001), about(10_001)]);
    expect(await refresh({ ttl: 5_000 }, { order: 2 })).toBe("1");
    expect(await written()).toBe("0 2 ");
    expect(await refresh({ ttl: 40_000 }, { order: 10 })).toBe("1");
    expect(await written()).toBe("0 10 ");
    expect(await sharing()).toEqual({ [claimOf({})]: 40_001 });
    expect([await pttl(a.lock), await pttl(a.shares)]).toEqual([about(40_001), about(40_001)]);
  });

  test("with the last order, sent again, only makes the lease longer", async () => {
    await share({ call: "call" });
    const again = { grant: `${PHASE} 1`, order: 2 };
    await refresh({ ttl: 10_000 }, again);
    pass(8);
    expect(await refresh({ ttl: 10_000 }, again)).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 10_009 });
    expect(await refresh({ ttl: 5_000 }, again)).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 10_009 });
    expect(await written()).toBe("1 2 call");
    // None at all does so, too.
    expect(await refresh({ ttl: 20_000 })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 20_009 });
    expect(await refresh({ ttl: 5_000 })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 20_009 });
  });

  test("with an earlier order is a late copy, and changes nothing", async () => {
    await share();
    await refresh({ ttl: 10_000 }, { order: 3 });
    expect(await refresh({ ttl: 20_000 }, { order: 2 })).toBe("1");
    expect(await refresh({ ttl: 5_000 }, { order: 2 })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 10_001 });
    expect(await written()).toBe("0 3 ");
    expect(await pttl(a.lock)).toEqual(about(10_001));
  });

  test("of one lease leaves the others, and the lock lasts as long as they", async () => {
    await share({ token: "other", ttl: 60_000, call: "x" });
    await share();
    expect(await refresh({ ttl: 10_000 }, { order: 1 })).toBe("1");
    expect(await sharing()).toEqual({ [claimOf({})]: 10_001, "1/0/5 other": 60_001 });
    for (const key of [a.lock, a.holders, a.shares]) expect(await pttl(key)).toEqual(about(60_001));
    expect(await marker()).toBe(`shared ${PHASE} 2 2`);
  });

  test("that cuts the last lease tells the first in line", async () => {
    const heard = await listen("w");
    await share();
    await lineUpAlone("w:1");
    await lineUpAlone("w:2");
    expect(await refresh({ ttl: 9_000 }, { order: 1 })).toBe("1");
    expect(await heard()).toEqual(["come 1"]);
    expect(await inLine(a)).toEqual(["w:1", "w:2"]);
  });

  test.each([
    [999, ["w:1"]],
    [1_000, []],
  ])(
    "that cuts it finds in line who may be silent for a second, after %i ms: %j",
    async (ms, line) => {
      const heard = await listen("w");
      await share();
      pass(ms);
      await lineUpAlone("w:1", { reach: 2 });
      await command("HSET", a.waiters, "w:1", `${START} 1000 2 1 30000 ${MEMORY} 3 p  w:1`);
      expect(await refresh({ ttl: 9_000 }, { order: 1 })).toBe("1");
      expect(await heard()).toEqual(["come 1"]);
      expect(await inLine(a)).toEqual(line);
    },
  );

  test("that cuts a lease tells the first in line, as there may be room then", async () => {
    const heard = await listen("w");
    await share({ token: "other", ttl: 60_000 });
    await share();
    await lineUp("w:1", { limit: 2 });
    await lineUp("w:2", { limit: 2 });
    expect(await refresh({ ttl: 9_000 }, { order: 1 })).toBe("1");
    expect(await heard()).toEqual(["come 1"]);
    expect(await refresh({ ttl: 9_000 }, { order: 1 })).toBe("1");
    expect(await refresh({ ttl: 20_000 }, { order: 2 })).toBe("1");
    expect(await heard()).toEqual([]);
  });

  test("works with memory full", async () => {
    await share({ ttl: 10_000 });
    await withMemoryFull(async () => {
      expect(await refresh({ ttl: 20_000 })).toBe("1");
    });
    expect(await sharing()).toEqual({ [claimOf({})]: 20_001 });
  });
});

describe("leave", () => {
  test("takes a waiter out of its line, and says where it stood", async () => {
    await listen("w");
    await share({ token: "token", metadata: "+metadata" });
    await lineUp("w:1", { limit: 1 });
    await lineUp("w:2", { limit: 1 });
    const told = ["30001", PHASE, "+metadata"];
    expect(await leave({ token: "w:2", limit: 1 }, "w:2")).toEqual([...told, "2", "0", "0"]);
    expect(await leave({ token: "w:1", limit: 1 }, "w:1")).toEqual([...told, "1", "0", "0"]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("does not count who went stale, by the millisecond", async () => {
    await listen("w");
    await share();
    pass(600);
    await lineUp("w:1", { limit: 1 }, { patience: 400 });
    for (const id of ["w:2", "w:3"]) await lineUp(id, { limit: 1 });
    expect(await leave({ token: "w:3", limit: 1 }, "w:3")).toMatchObject({ 3: "3" });
    pass(401);
    expect(await leave({ token: "w:2", limit: 1 }, "w:2")).toMatchObject({ 3: "1" });
  });

  test("says where it stood, and leaves the others in line", async () => {
    await listen("w");
    await share();
    for (const id of ["w:1", "w:2", "w:3"]) await lineUp(id, { limit: 1 });
    expect(await leave({ token: "w:2", limit: 1 }, "w:2")).toMatchObject({ 3: "2" });
    expect(await inLine(a)).toEqual(["w:1", "w:3"]);
    expect(await records(a)).toEqual(["w:1", "w:3"]);
    expect(await leave({ token: "w:3", limit: 1 }, "w:9")).toMatchObject({ 3: "0" });
    expect(await inLine(a)).toEqual(["w:1", "w:3"]);
  });

  test("gives back what was granted meanwhile, and lets in the next", async () => {
    const heard = await listen("w");
    await share({ limit: 1, call: "mine" });
    await lineUp("w:1", { limit: 1 });
    const phase = String(Number(PHASE) + 1);
    expect(await leave({ limit: 1 }, "gone:1", "another")).toMatchObject({ 4: "0" });
    expect(await heard()).toEqual([]);
    expect(await leave({ limit: 1 }, "gone:1", "mine")).toEqual([
      ...["20001", phase, ""],
      ...["0", "1", "0"],
    ]);
    expect(await heard()).toEqual([`grant 1 ${phase} proof 1`]);
    expect(await there()).toEqual(["lock", "holders"]);
  });

  test("gives back what the token's one call has, also when another named itself", async () => {
    await share({ call: "another" });
    expect(await leave()).toEqual([null, null, null, "0", "1", "0"]);
    expect(await there()).toEqual([]);
    await share();
    await share({ token: "other", metadata: "+other", ttl: 60_000 });
    expect(await leave()).toEqual(
      ["60001", PHASE, "+other", "0", "1", "0"].map((word) => {
        return word === PHASE ? String(Number(PHASE) + 1) : word;
      }),
    );
  });

  test("lets in who is behind whoever left", async () => {
    const heard = await listen("w");
    await share();
    await lineUpAlone("w:1");
    await lineUp("w:2", { limit: 2 });
    expect(await leave({ token: "w:1" }, "w:1")).toMatchObject({ 3: "1", 4: "0", 5: "0" });
    expect(await heard()).toEqual([`grant 2 ${PHASE} proof 2`]);
  });

  test("serves a free lock, also to who wants it alone", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUp("asks:1", {}, { reach: 0 });
    await lineUpAlone("w:1");
    await command("DEL", a.lock, a.grant);
    const fence = String(Number(PHASE) + 1);
    const reply = await leave({ token: "asks:1" }, "asks:1");
    expect(reply).toEqual([about(20_000), fence, "", "1", "0", "0"]);
    expect(await heard()).toEqual([`grant 1 ${fence} proof`]);
  });

  test("touches nothing of another's, who has it alone", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUpAlone("w:2");
    expect(await leave({}, "gone:1")).toEqual([about(30_000), PHASE, "", "0", "0", "0"]);
    expect(await command("GET", a.lock)).toBe("another");
    await command("DEL", a.line, a.waiters);
    await lineUp("w:1");
    expect(await leave({}, "gone:1")).toEqual([about(30_000), PHASE, "", "0", "0", "0"]);
    expect(await inLine(a)).toEqual(["w:1"]);
    expect(await heard()).toEqual([]);
    await command("SET", a.lock, "foreign", "PX", "20000");
    expect(await leave()).toEqual([about(20_000), null, null, "0", "0", "0"]);
  });

  test("says when a line has yet to be served", async () => {
    await share();
    await bury(a, 1_001);
    expect(await leave()).toEqual([null, null, null, "0", "1", "1"]);
    expect(await leave()).toEqual([null, null, null, "0", "0", "0"]);
    expect(await there()).toEqual([]);
  });

  test("says when there are more whose lease is over", async () => {
    await command("SET", a.lock, "shared 5 1001 9", "PX", "30000");
    await crowd(1_001, 0);
    pass(9);
    expect(await leave()).toEqual(["0", "5", expect.any(String), "0", "0", "1"]);
    // Its end has come, so there is no more time to wait for what is left.
    expect([await pttl(a.lock), await pttl(a.holders)]).toEqual([about(1), about(1)]);
    expect(await leave()).toEqual([null, null, null, "0", "0", "0"]);
    expect(await there()).toEqual([]);
  });

  test("leaves to its ttl a lock with permits out though a thousand holders were all", async () => {
    await command("SET", a.lock, "shared 5 1001 9", "PX", "30000");
    await crowd(1_000, 0);
    pass(9);
    expect(await leave()).toEqual([expect.any(String), null, null, "0", "0", "0"]);
    expect([await marker(), await pttl(a.lock)]).toEqual(["shared 5 1001 9", about(30_000)]);
  });

  test("says so also where the holders are gone as soon as their last ttl is set", async () => {
    await command("SET", a.lock, "shared 5 1001 9", "PX", "30000");
    await crowd(1_001, 0);
    pass(9);
    // As where the server is kept waiting for longer than the millisecond that is left.
    const { source } = scriptOf("leaveShared");
    const late = source.replace("'PEXPIRE', KEYS[i + 5], left", "'PEXPIRE', KEYS[i + 5], -1");
    expect(late).not.toBe(source);
    const keys = takenBy("leaveShared").map((key) => a[key]);
    const args = [claimOf({}), "", ""];
    const reply = toReply(await command("EVAL", late, String(keys.length), ...keys, ...args));
    expect(reply).toEqual(["0", "5", null, "0", "0", "1"]);
  });

  test("is told of the lock that nobody has any more", async () => {
    expect(await leave()).toEqual([null, null, null, "0", "0", "0"]);
    await share({ ttl: 100 });
    pass(101);
    expect(await leave()).toEqual([null, null, null, "0", "0", "0"]);
  });
});

describe("leave, of who wanted the lock alone", () => {
  const leaveAlone = (id: string): Promise<Reply> => run("leave", [a], id, id, "");

  test("tells the next in line, who may share it, if it is shared and was first", async () => {
    const heard = await listen("w");
    await share();
    await lineUpAlone("w:1");
    await lineUpAlone("w:2");
    await lineUp("w:3", {}, { lease: 1_000 });
    await lineUp("w:4");
    expect(await leaveAlone("w:2")).toMatchObject({ 3: "2" });
    expect(await heard()).toEqual([]);
    expect(await leaveAlone("w:1")).toMatchObject({ 3: "1" });
    expect(await heard()).toEqual(["come 3"]);
    expect(await inLine(a)).toEqual(["w:3", "w:4"]);
    expect(await leaveAlone("w:9")).toMatchObject({ 3: "0" });
    expect(await heard()).toEqual([]);
  });

  test("tells nobody, if another has it alone", async () => {
    const heard = await listen("w");
    await take("another");
    await lineUpAlone("w:1");
    await lineUp("w:2");
    expect(await leaveAlone("w:1")).toMatchObject({ 3: "1" });
    expect(await heard()).toEqual([]);
  });
});

describe("inspect", () => {
  const inspect = (most: number): Promise<Reply> => run("inspect", [a], most);

  test("tells of who shares the lock, those first who end first", async () => {
    await share({ token: "token", metadata: "+last", ttl: 60_000, permits: 2 });
    await share({ token: "token", metadata: "+first", limit: 9, ttl: 30_000 });
    await share({ token: "token", metadata: "", ttl: 40_000 });
    await share({ token: "dead", permits: 3, ttl: 1_000 });
    pass(1_000);
    expect(await inspect(0)).toEqual([about(60_001), PHASE, ["4", "7"], "0"]);
    pass(1);
    const all = ["1", "9", "+first", "29000", "1", "0", "", "39000", "2", "0", "+last", "59000"];
    expect(await inspect(9)).toEqual([about(60_001), PHASE, ["3", "4", ...all], "0"]);
    expect(await inspect(3)).toMatchObject({ 2: ["3", "4", ...all] });
    expect(await inspect(2)).toMatchObject({ 2: ["3", "4", ...all.slice(0, 8)] });
    expect(await inspect(1)).toMatchObject({ 2: ["3", "4", ...all.slice(0, 4)] });
    expect(await inspect(0)).toMatchObject({ 2: ["3", "4"] });
  });

  test("tells of who would share it how", async () => {
    await take("another");
    await lineUp("w:1", { token: "token", metadata: "+one", permits: 2, limit: 3 });
    await lineUpAlone("w:2");
    pass(2);
    await lineUp("w:3", { token: "token", metadata: "+three" });
    pass(5);
    expect(await inspect(9)).toEqual([
      ...[about(30_000), PHASE, "", "3"],
      ...["+one", "7", ["2", "3"], "", "6", "+three", "5", ["1", "0"]],
    ]);
    expect(await inspect(1)).toMatchObject({ 3: "3", 6: ["2", "3"] });
    expect(await inspect(1)).toHaveLength(7);
    expect(await inspect(2)).toHaveLength(9);
  });

  test.each([0, 1, 4, 5, 9])("tells of %i holders at most", async (most) => {
    await command("SET", a.lock, "shared 5 6 6", "PX", "30000");
    await crowd(6, 20_000);
    expect(await inspect(most)).toMatchObject({ 2: { length: 2 + 4 * Math.min(most, 6) } });
  });

  test("looks at no more than a thousand holders", async () => {
    await command("SET", a.lock, "shared 5 1002 1002", "PX", "30000");
    await crowd(1_001, 0);
    await command("ZADD", a.holders, String(START + 9), claimOf({}));
    expect(await inspect(9)).toMatchObject({ 2: ["2", "2"] });
    await command("ZREMRANGEBYRANK", a.holders, "0", "1");
    expect(await inspect(9)).toMatchObject({ 2: ["1", "3", "1", "0", "", "9"] });
  });

  test("tells of permits whose holders were lost, and of none that are no claims", async () => {
    await command("SET", a.lock, "shared 5 3 3", "PX", "30000");
    expect(await inspect(9)).toEqual([about(30_000), "5", ["0", "3"], "0"]);
    await command("ZADD", a.holders, String(START), "gibberish");
    expect(await inspect(9)).toMatchObject({ 2: ["0", "3"] });
  });

  test("says nothing of a lock that nobody has", async () => {
    expect(await inspect(9)).toEqual([null, null, null, "0"]);
  });
});

describe("for many at once", () => {
  test("obtains, each by itself", async () => {
    await take("another", 30_000, b);
    const parts = [a, b, c].map((lock) => ({ lock, args: asking({}) }));
    const phase = Number(PHASE);
    expect(await runMany("obtainSharedMany", parts)).toEqual([
      [String(phase + 1), "1"],
      [about(30_000), PHASE, ""],
      [String(phase + 2), "1"],
    ]);
    const two = [a, a].map((lock, n) => ({ lock, args: asking({ token: `two${n}`, limit: 3 }) }));
    expect(await runMany("obtainSharedMany", two)).toEqual([
      [String(phase + 1), "2"],
      [String(phase + 1), "3"],
    ]);
  });

  test("obtains, also those who wait", async () => {
    await listen("w");
    await take("another");
    await share({ limit: 1 }, b);
    const parts = [a, b, c].map((lock, n) => ({
      lock,
      args: [...asking({ token: `w:${n}`, limit: 1 }), ...standing(`w:${n}`)],
    }));
    expect(await runMany("obtainSharedMany", parts)).toEqual([
      [about(30_000), "1", PHASE, "0"],
      ["30001", "1", PHASE, "0"],
      [String(Number(PHASE) + 2), "1"],
    ]);
    expect(await inLine(b)).toEqual(["w:1"]);
  });

  test("releases, each by itself", async () => {
    const heard = await listen("w");
    await share();
    await lineUp("w:1", { limit: 1 });
    await take("another", 30_000, b);
    await share({}, c);
    const parts = [a, b, c].map((lock) => ({ lock, args: [claimOf({}), ""] }));
    expect(await runMany("releaseSharedMany", parts)).toEqual(["1", "-1", "1"]);
    expect(await heard()).toHaveLength(1);
    expect(await command("EXISTS", c.lock, c.holders)).toBe(0);
  });

  test("refreshes, each by itself", async () => {
    await share({ ttl: 10_000 });
    await take("another", 30_000, b);
    await share({ ttl: 10_000 }, c);
    const orders = [0, 1, 1];
    const parts = [a, b, c].map((lock, n) => ({
      lock,
      args: [claimOf({}), "", n === 0 ? 20_000 : 5_000, MEMORY, orders[n] ?? 0],
    }));
    expect(await runMany("refreshSharedMany", parts)).toEqual(["1", "-1", "1"]);
    expect(await sharing()).toEqual({ [claimOf({})]: 20_001 });
    expect(await pttl(c.holders)).toEqual(about(5_001));
  });

  test("what Redis refuses is to be asked alone", async () => {
    await command("SADD", b.holders, "x");
    await command("SET", b.lock, "shared 5 1 1");
    const parts = [b, a].map((lock) => ({ lock, args: asking({}) }));
    expect(await runMany("obtainSharedMany", parts)).toEqual(["alone", [PHASE, "1"]]);
  });
});

describe("an error of a command", () => {
  const marked = "shared 5 1 1";
  test.each([
    ["lock", undefined, "SADD a x", "a holds a set"],
    ["line", "another", "SADD a:redislock:line x", "a:redislock:line holds a set"],
    ["waiters", "another", "SADD a:redislock:waiters x", "a:redislock:waiters holds a set"],
    ["holders", marked, "SADD a:redislock:holders x", "a:redislock:holders holds a set"],
    ["shares", undefined, "SADD a:redislock:shares x", "a:redislock:shares holds a set"],
  ])("says what is at the %s", async (what, value, put, message) => {
    if (what === "shares") await share();
    await command(...put.split(" "));
    if (value) await command("SET", a.lock, value, "PX", "30000");
    const error: unknown = await lineUp("w:1", { token: "me" }).catch((reason: unknown) => reason);
    expect(String(error)).toContain(`WRONGTYPE ${message}`);
  });

  test("is none for whoever shares the lock where that is other data: it is another's", async () => {
    await share();
    await command("DEL", a.lock);
    await command("SADD", a.lock, "x");
    expect([await refresh(), await left(), await release()]).toEqual(["-1", "taken", "-1"]);
    expect(await command("SCARD", a.lock)).toBe(1);
  });

  test("does not name what is of the right type", async () => {
    await share({ call: "call" });
    await lineUp("w:1", { limit: 1 });
    await command("DEL", a.grant);
    await command("SADD", a.grant, "x");
    await command("DEL", a.holders);
    const error: unknown = await share().catch((reason: unknown) => reason);
    expect(String(error)).toContain(`WRONGTYPE ${a.grant} holds a set`);
  });
});

describe("with memory full", () => {
  test("who has the lock asks again, gives back, leaves, and lets in others", async () => {
    const heard = await listen("w");
    await share({ call: "call" });
    await share({ token: "other" });
    await lineUp("w:1", { limit: 2 });
    await withMemoryFull(async () => {
      expect(await share({ call: "call", ttl: 40_000 })).toEqual([PHASE, "1"]);
      expect(await release({ token: "other" })).toBe("1");
      expect(await leave({}, "", "call")).toMatchObject({ 4: "1" });
    });
    expect(await heard()).toEqual([`grant 1 ${PHASE} proof 3`]);
    expect(Object.keys(await sharing())).toEqual(["1/2/3 w:1"]);
  });

  test("nothing is begun that takes memory", async () => {
    await withMemoryFull(async () => {
      const error: unknown = await share().catch((reason: unknown) => reason);
      expect(String(error)).toContain("OOM");
    });
    expect(await there()).toEqual([]);
  });
});

async function withMemoryFull(what: () => Promise<void>): Promise<void> {
  await command("CONFIG", "SET", "maxmemory", "1");
  try {
    await what();
  } finally {
    await command("CONFIG", "SET", "maxmemory", "0");
  }
}
