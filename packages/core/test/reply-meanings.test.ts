/** What each reply of a script means, and that nothing near it is taken for one: without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure } from "@redislock/test-kit";

import {
  detailed,
  type Inspection,
  type Lock,
  Locker,
  type ObtainOptions,
  type RedisClient,
  type Reply,
} from "../src/index.js";

const TTL = 60_000;

/** Replies by script what it is told to, one after the other, the last for ever; and what it was asked. */
class Said implements RedisClient {
  readonly asked: string[] = [];
  readonly #replies: Record<string, readonly Reply[]>;

  constructor(replies: Record<string, readonly Reply[]>) {
    this.#replies = replies;
  }

  run({ name }: { readonly name: string }): Promise<Reply> {
    const replies = this.#replies[name];
    if (!replies) throw new Error(`${name} is not expected`);
    const count = this.asked.filter((one) => one === name).length;
    this.asked.push(name);
    return Promise.resolve(replies[Math.min(count, replies.length - 1)] ?? null);
  }
}

const UNKNOWN = { code: "UNKNOWN", cause: { name: "UnexpectedReplyError" } };
/** Of a command that leaves nothing behind. */
const NOTHING_LEFT: Reply = [null, null, null, "0", "0", "0"];

function inspected(reply: Reply): Promise<Inspection> {
  return new Locker(new Said({ inspect: [reply] })).inspect("k");
}

describe("inspect", () => {
  const nobody = { holder: undefined, holders: [], held: 0, permits: 0, waiters: 0, line: [] };
  const holder = { metadata: "m", fencingToken: 7, remaining: 5 };
  const alone = { ...holder, mode: "exclusive", permits: 1, limit: undefined };
  const one = { ...nobody, holder, holders: [alone], held: 1 };

  test("nobody has it", async () => {
    expect(await inspected([null, null, null, "0"])).toStrictEqual(nobody);
  });

  test("one has it alone", async () => {
    expect(await inspected(["5", "7", "m", "0"])).toStrictEqual(one);
  });

  test("a lock of others, which never ends and says nothing", async () => {
    const holder = { metadata: undefined, fencingToken: undefined, remaining: Infinity };
    const holders = [{ ...holder, mode: "exclusive", permits: 1, limit: undefined }];
    expect(await inspected(["-1", null, null, "0"])).toStrictEqual({ ...one, holder, holders });
  });

  test("the least that each number can be", async () => {
    const holder = { metadata: "", fencingToken: 1, remaining: 0 };
    const holders = [{ ...alone, ...holder }];
    expect(await inspected(["0", "1", "", "0"])).toStrictEqual({ ...one, holder, holders });
  });

  test("several share it, with and without a limit", async () => {
    const told = ["3", "4", "1", "0", "a", "5", "2", "3", "b", "0"];
    const holders = [
      {
        metadata: "a",
        fencingToken: 7,
        remaining: 5,
        mode: "shared",
        permits: 1,
        limit: undefined,
      },
      { metadata: "b", fencingToken: 7, remaining: 0, mode: "counted", permits: 2, limit: 3 },
    ];
    const holder = { metadata: "a", fencingToken: 7, remaining: 5 };
    const shared = { ...nobody, holder, holders, held: 3, permits: 4 };
    expect(await inspected(["9", "7", told, "0"])).toStrictEqual(shared);
  });

  test("several share it of whom none is told", async () => {
    const holder = { metadata: undefined, fencingToken: 7, remaining: 9 };
    const shared = { ...nobody, holder, held: 3, permits: 4 };
    expect(await inspected(["9", "7", ["3", "4"], "0"])).toStrictEqual(shared);
  });

  test("who waits, and how they would have it", async () => {
    const told = ["a", "10", "b", "20", ["1", "0"], "", "0", ["2", "3"]];
    const line = [
      { position: 1, metadata: "a", waited: 10 },
      {
        ...{ position: 2, metadata: "b", waited: 20 },
        sharing: { mode: "shared", permits: 1, limit: undefined },
      },
      {
        ...{ position: 3, metadata: "", waited: 0 },
        sharing: { mode: "counted", permits: 2, limit: 3 },
      },
    ];
    const waiting = { ...nobody, waiters: 4, line };
    expect(await inspected([null, null, null, "4", ...told])).toStrictEqual(waiting);
  });

  test("a hundred of each", async () => {
    const holders = Array.from({ length: 100 }, () => ["1", "0", "a", "5"]).flat();
    const line = Array.from({ length: 100 }, () => ["a", "5"]).flat();
    const found = await inspected(["9", "7", ["200", "200", ...holders], "101", ...line]);
    expect([found.holders.length, found.line.length]).toEqual([100, 100]);
  });

  const many = (count: number, ...each: string[]): string[] =>
    Array.from({ length: count }, () => each).flat();
  test.each<readonly [string, Reply]>([
    ["text", "OK"],
    ["text whose letters would do", "57m0"],
    ["nothing", null],
    ["an empty list", []],
    ["no number of waiters", [null, null, null]],
    ["a number of waiters that is none", [null, null, null, "x"]],
    ["fewer waiters than none", [null, null, null, "-1"]],
    ["nobody, with a fencing token", [null, "7", null, "0"]],
    ["nobody, with metadata", [null, null, "m", "0"]],
    ["a fencing token of 0", ["5", "0", "m", "0"]],
    ["less time than for ever", ["-2", "7", "m", "0"]],
    ["a list for the time", [["5"], "7", "m", "0"]],
    ["text for the time", ["x", "7", "m", "0"]],
    ["shared for ever", ["-1", "7", ["1", "1", "1", "0", "a", "5"], "0"]],
    ["shared without a time", [null, "7", ["1", "1", "1", "0", "a", "5"], "0"]],
    ["shared without a fencing token", ["5", null, ["1", "1", "1", "0", "a", "5"], "0"]],
    ["shared, with a fencing token of 0", ["5", "0", ["1", "1", "1", "0", "a", "5"], "0"]],
    ["shared by none that can be counted", ["5", "7", ["x", "1", "1", "0", "a", "5"], "0"]],
    ["shared by permits that are none", ["5", "7", ["1", "x", "1", "0", "a", "5"], "0"]],
    ["a holder cut short", ["5", "7", ["1", "1", "1", "0", "a"], "0"]],
    ["a holder and more", ["5", "7", ["1", "1", "1", "0", "a", "5", "1"], "0"]],
    ["shared by an empty list", ["5", "7", [], "0"]],
    ["shared by one number", ["5", "7", ["1"], "0"]],
    ["no permits of a holder", ["5", "7", ["1", "1", "0", "0", "a", "5"], "0"]],
    ["a limit that is none", ["5", "7", ["1", "1", "1", "x", "a", "5"], "0"]],
    ["a limit below none", ["5", "7", ["1", "1", "1", "-1", "a", "5"], "0"]],
    ["metadata that is none", ["5", "7", ["1", "1", "1", "0", null, "5"], "0"]],
    ["a holder's time that is none", ["5", "7", ["1", "1", "1", "0", "a", "-1"], "0"]],
    ["more holders than there are", ["5", "7", ["1", "2", ...many(2, "1", "0", "a", "5")], "0"]],
    ["a hundred and one", ["5", "7", ["200", "200", ...many(101, "1", "0", "a", "5")], "0"]],
    ["more in line than wait", [null, null, null, "1", ...many(2, "a", "5")]],
    ["a hundred and one in line", [null, null, null, "200", ...many(101, "a", "5")]],
    ["a waiter cut short", [null, null, null, "1", "a"]],
    ["a waiter's metadata that is none", [null, null, null, "1", null, "5"]],
    ["a waiter's time that is none", [null, null, null, "1", "a", "-1"]],
    ["a waiter who shares in part", [null, null, null, "1", "a", "5", ["1"]]],
    ["a waiter who shares and more", [null, null, null, "1", "a", "5", ["1", "0", "0"]]],
    ["a waiter of no permits", [null, null, null, "1", "a", "5", ["0", "0"]]],
    ["a waiter of nothing", [null, null, null, "1", "a", "5", null]],
  ])("%s: unknown", async (_, reply) => {
    expect(await failure(inspected(reply))).toMatchObject({ ...UNKNOWN, operation: "inspect" });
  });
});

describe("forceRelease", () => {
  test.each([
    ["somebody had it", ["1", "0"], true, 0],
    ["nobody had it", ["0", "0"], false, 0],
    ["the line is not served yet", ["1", "1"], true, 2],
  ] as const)("%s", async (_, reply, owned, more) => {
    const unserved: Reply = [null, null, null, "0", "0", "1"];
    const said = new Said({ forceRelease: [reply], leave: [unserved, NOTHING_LEFT] });
    expect(await new Locker(said).forceRelease("k")).toBe(owned);
    expect(said.asked).toEqual(["forceRelease", ...Array<string>(more).fill("leave")]);
  });

  test.each([["1"], [["1"]], [["1", "2"]], [["2", "1"]], [["1", "1", "1"]], [[null, "0"]]])(
    "%j: unknown",
    async (reply) => {
      const said = new Said({ forceRelease: [reply] });
      expect(await failure(new Locker(said).forceRelease("k"))).toMatchObject(UNKNOWN);
    },
  );
});

/** An obtain that is told what each kind of lock can be told, by the script that it runs. */
const kinds: readonly (readonly [string, ObtainOptions, string, Reply, number | undefined])[] = [
  ["alone", {}, "", "7", undefined],
  ["shared", { mode: "shared" }, "Shared", ["7", "0"], 0],
  ["counted", { limit: 2 }, "Shared", ["7", "3"], 3],
];

describe.each(kinds)("a lock %s", (_, options, suffix, granted) => {
  const [obtain, release, leave] = ["obtain", "release", "leave"].map((name) => name + suffix);
  const refresh = `refresh${suffix}`;
  const timeLeft = `ttl${suffix}`;
  const isShared = suffix !== "";

  function said(replies: Record<string, readonly Reply[]>): Said {
    const defaults = { [String(obtain)]: [granted], [String(leave)]: [NOTHING_LEFT] };
    return new Said({ ...defaults, ...replies });
  }

  async function held(replies: Record<string, readonly Reply[]>): Promise<Lock> {
    return new Locker(said(replies)).obtain("k", TTL, options);
  }

  test("is granted", async () => {
    expect((await held({})).fencingToken).toBe(7);
  });

  test("is granted once the script was run to its end", async () => {
    const client = said({ [String(obtain)]: ["again", "again", granted] });
    const lock = await new Locker(client).obtain("k", TTL, options);
    expect(lock.fencingToken).toBe(7);
    expect(client.asked).toEqual([obtain, obtain, obtain]);
  });

  test("is taken", async () => {
    const client = said({ [String(obtain)]: [["5", "7", "m"]] });
    const error = await failure(new Locker(client).obtain("k", TTL, options));
    const holder = { metadata: "m", fencingToken: 7, remaining: 5 };
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder, position: undefined });
    expect(client.asked).toEqual([obtain]);
  });

  const neverObtain: Reply[] = [
    ...["0", "-1", "", "more", "ours", "07", "7.0"],
    ...[
      ["5", "7", "m", "x"],
      ["5", "0", "m"],
      ["-2", "7", "m"],
      [null, "7", null],
    ],
    ...[
      ["x", "7", "m"],
      ["5", "7", ["m"]],
      ["5", "7", "m", "0"],
      [null, null, "m"],
    ],
    ...(isShared ? ["7", ["0", "0"], ["7", "-1"], ["7", "x"], ["7", null]] : [["7"], ["7", "1"]]),
  ];
  test.each(neverObtain.map((reply) => [reply]))("is not granted by %j", async (reply) => {
    const client = said({ [String(obtain)]: [reply] });
    const error = await failure(new Locker(client).obtain("k", TTL, options));
    expect(error).toMatchObject({ ...UNKNOWN, operation: "obtain" });
  });

  test("is waited for: who gives up is told what was left", async () => {
    const place: Reply = ["5", "3", "9", "0"];
    const left: Reply = ["4", "8", "m", "2", "0", "0"];
    const client = said({ [String(obtain)]: [place], [String(leave)]: [left] });
    const error = await failure(new Locker(client).obtain("k", TTL, { ...options, wait: 0 }));
    const holder = { metadata: "m", fencingToken: 8, remaining: 4 };
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder, position: 2 });
    expect(client.asked).toEqual([obtain, leave]);
  });

  test("is waited for once the script was run to its end", async () => {
    const client = said({ [String(obtain)]: ["again", ["5", "3", "9", "0"]] });
    await failure(new Locker(client).obtain("k", TTL, { ...options, wait: 0 }));
    expect(client.asked).toEqual([obtain, obtain, leave]);
  });

  test("is waited for: who was out of line already has no position", async () => {
    const place: Reply = ["5", "3", "9", "0"];
    const client = said({ [String(obtain)]: [place] });
    const error = await failure(new Locker(client).obtain("k", TTL, { ...options, wait: 0 }));
    expect(error).toMatchObject({ holder: undefined, position: undefined });
  });

  test("is waited for: a line that is not served yet is served to its end", async () => {
    const unserved: Reply = [null, null, null, "1", "0", "1"];
    const [place, replies] = [
      ["5", "1", "9", "0"],
      [unserved, unserved, NOTHING_LEFT],
    ];
    const client = said({ [String(obtain)]: [place], [String(leave)]: replies });
    const error = await failure(new Locker(client).obtain("k", TTL, { ...options, wait: 0 }));
    expect(error).toMatchObject({ position: 1 });
    expect(client.asked).toEqual([obtain, leave, leave, leave]);
  });

  const neverLeft: Reply[] = [
    ...["1", null, ["4", "8", "m", "2", "0"], ["4", "8", "m", "2", "0", "0", "0"]],
    ...[
      ["-2", "8", "m", "2", "0", "0"],
      ["4", "0", "m", "2", "0", "0"],
    ],
    ...[
      ["4", "8", "m", "-1", "0", "0"],
      ["4", "8", "m", "2", "2", "0"],
    ],
    ...[
      ["4", "8", "m", "2", "0", "2"],
      [null, "8", "m", "2", "0", "0"],
    ],
  ];
  test.each(neverLeft.map((reply) => [reply]))("what was left is not told by %j", async (reply) => {
    const client = said({ [String(obtain)]: [["5", "3", "9", "0"]], [String(leave)]: [reply] });
    const error = await failure(new Locker(client).obtain("k", TTL, { ...options, wait: 0 }));
    // Then it is told what it was told when it asked.
    const holder = { metadata: undefined, fencingToken: undefined, remaining: 5 };
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder, position: 3 });
  });

  /** What is told of an obtain that waits for no time at all: its place in line, or why there is none. */
  async function toldInLine(reply: Reply): Promise<unknown> {
    const told: unknown[] = [];
    const onEvent = detailed((event) => {
      if (event.type === "waiting") told.push({ ...event });
    });
    const client = said({ [String(obtain)]: [reply], [String(leave)]: [null] });
    const wait = { ...options, wait: 0 };
    const error = await failure(new Locker(client, { onEvent }).obtain("k", TTL, wait));
    return told.length > 0 ? told : error;
  }

  test("is waited for at the place that is told", async () => {
    expect(await toldInLine(["5", "1", "0", "0"])).toMatchObject([{ position: 1 }]);
    expect(await toldInLine(["-1", "12", "9", "1"])).toMatchObject([{ position: 12 }]);
    expect(await toldInLine([null, "1", "9", "0"])).toMatchObject([{ position: 1 }]);
  });

  const neverPlace: Reply[] = [
    ...[
      ["5", "7", "m"],
      ["5", "1", "9"],
      ["5", "1", "9", "0", "0"],
      ["5", "0", "9", "0"],
    ],
    ...[
      ["5", "1", "x", "0"],
      ["5", "1", "-1", "0"],
      ["5", "1", null, "0"],
      ["5", "1", "9", "2"],
    ],
    ...[
      ["5", "1", "9", null],
      ["-2", "1", "9", "0"],
      ["x", "1", "9", "0"],
      ["5", "x", "9", "0"],
    ],
  ];
  test.each(neverPlace.map((reply) => [reply]))("no place in line is told by %j", async (reply) => {
    expect(await toldInLine(reply)).toMatchObject(UNKNOWN);
  });

  test.each([
    ["1", undefined, []],
    ["more", undefined, [leave]],
    ["0", { code: "UNKNOWN", message: expect.stringMatching(/gone before its lease ended/) }, []],
    ["-1", { code: "UNKNOWN", message: expect.stringMatching(/gone before its lease ended/) }, []],
    ["taken", UNKNOWN, []],
    [["1"], UNKNOWN, []],
    ["", UNKNOWN, []],
  ] as const)("is released: %j", async (reply, error, then) => {
    const client = said({ [String(release)]: [reply] });
    const lock = await new Locker(client).obtain("k", TTL, options);
    const outcome = await lock.release().catch((reason: unknown) => reason);
    if (error) expect(outcome).toMatchObject(error);
    else expect(outcome).toBeUndefined();
    expect(client.asked).toEqual([obtain, release, ...then]);
  });

  test.each([
    ["0", "deleted"],
    ["-1", "taken"],
  ] as const)("is lost, by a refresh that is replied %j", async (reply, reason) => {
    const lock = await held({ [refresh]: [reply] });
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
    expect(lock.signal.reason).toMatchObject({ code: "LOST", reason });
  });

  test.each([["more"], ["2"], ["ours"], [["1"]]])("is held on after %j", async (reply) => {
    const lock = await held({ [refresh]: [reply] });
    expect(await failure(lock.refresh())).toMatchObject({ ...UNKNOWN, operation: "refresh" });
    expect(lock.held).toBe(true);
  });

  test.each([
    ["0", 0],
    ["5", 5],
    ["none", Infinity],
  ] as const)("lasts as long as is told: %j", async (reply, left) => {
    const lock = await held({ [timeLeft]: [reply] });
    expect(await lock.ttl()).toBe(left);
    expect(lock.held).toBe(true);
  });

  test.each(["taken", "deleted"] as const)("is lost when it is told to be %s", async (reason) => {
    const lock = await held({ [timeLeft]: [reason] });
    expect(await lock.ttl()).toBe(0);
    expect(lock.held).toBe(false);
    expect(lock.signal.reason).toMatchObject({ code: "LOST", reason });
  });

  test.each([["-1"], ["ours"], ["more"], [["5"]], [null]])("%j is no time", async (reply) => {
    const lock = await held({ [timeLeft]: [reply] });
    expect(await failure(lock.ttl())).toMatchObject({ ...UNKNOWN, operation: "ttl" });
    expect(lock.held).toBe(true);
  });
});
