/** What a quorum makes of what its servers say, and when it says what to them: without a server. */
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import { ServerError } from "../src/adapter.js";
import {
  type ChannelListener,
  detailed,
  type LockEvent,
  NotObtainedError,
  OutcomeUnknownError,
  type RedisClient,
  type Reply,
  type Subscription,
} from "../src/index.js";
import {
  eachClient,
  QuorumError,
  QuorumLocker,
  type QuorumLockerOptions,
} from "../src/quorum/index.js";

const TTL = 10_000;
/** All but 1 % and 2 ms. */
const USABLE = 9_898;
/** When it all begins, by the clock. */
const BEGINNING = 5_000;
/** What a `leave` and an inspection of a free lock are answered. */
const NOTHING_LEFT: Reply = [null, null, null, "0", "0", "0"];
const FREE: Reply = [null, null, null, "0"];
/** What one who stands in line is answered, as the first of it; who does not, that the lock is another's. */
const PLACE: Reply = ["-1", "1", "9", "0"];
const TAKEN: Reply = ["-1", "9", "you"];
const refusal = new ServerError("ERR no");
const young = new ServerError("YOUNG not yet");
const silence = new Promise<Reply>(() => undefined);

afterEach(() => {
  jest.restoreAllMocks();
});

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Sent {
  readonly name: string;
  readonly at: number;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

type Said = Reply | Error | Promise<Reply>;

/** A server whose every reply the test gives. */
class Desk implements RedisClient {
  readonly sent: Sent[] = [];
  closed = false;
  /** Another each time that the client has connected anew. */
  epoch = 1;
  readonly says: Map<string, Said>;
  /** Whoever waits here, of a process that can listen. */
  listener: ChannelListener | undefined;
  /** What it says of itself. */
  mode = "standalone";
  role = "master";
  runId: string;
  /** Whose secrets it has, by their places, whatever their names are. */
  readonly has: Set<number>;
  /** The names of the secrets that were written to it. */
  secrets = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #once: { readonly name: string; readonly said: Said }[] = [];

  constructor(clock: VirtualClock, index: number) {
    this.#clock = clock;
    this.runId = `run${index}`;
    this.has = new Set([index]);
    this.says = new Map<string, Said>([
      ["vote", "7"],
      // A vote that is asked for by standing in line.
      ["stand", PLACE],
      ["lift", "1"],
      ["release", "1"],
      ["refresh", "1"],
      ["shorten", "1"],
      ["leave", NOTHING_LEFT],
      ["ttl", "5"],
      ["inspect", FREE],
    ]);
  }

  run({ name }: { readonly name: string }, keys: readonly string[], args: readonly string[]) {
    const what = name === "vote" && args.length > 7 ? "stand" : name;
    const said = this.#next(what) ?? (name === "member" ? this.#identity(keys, args) : null);
    this.sent.push({ name: what, at: this.#clock.now() - BEGINNING, keys, args });
    return said instanceof Error ? Promise.reject(said) : Promise.resolve(said);
  }

  /** What it says to the next commands of this name, to each one thing. */
  once(name: string, ...all: Said[]): void {
    for (const said of all) this.#once.push({ name, said });
  }

  #next(name: string): Said | undefined {
    const index = this.#once.findIndex((one) => one.name === name);
    const [once] = index < 0 ? [] : this.#once.splice(index, 1);
    return once ? once.said : this.says.get(name);
  }

  #identity(keys: readonly string[], [own]: readonly string[]): Reply {
    const written = keys[Number(own) - 1];
    if (written !== undefined) this.secrets.add(written);
    const isThere = (key: string, index: number): boolean =>
      this.has.has(index) || this.secrets.has(key);
    const has = keys.map((key, index) => (isThere(key, index) ? "1" : "0"));
    return [this.runId, this.mode, this.role, has.join("")];
  }

  /** When a command was sent by that name, each time. */
  times(name: string): number[] {
    return this.sent.filter((one) => one.name === name).map(({ at }) => at);
  }

  get names(): string[] {
    return this.sent.map(({ name }) => name);
  }

  last(name: string): readonly string[] {
    return this.sent.filter((one) => one.name === name).at(-1)?.args ?? [];
  }
}

/** One that has channels, which may be listened to. */
class Channeled extends Desk {
  subscribe(_: string, listener: ChannelListener): Promise<Subscription> {
    this.listener = listener;
    const close = (): Promise<void> => {
      this.listener = undefined;
      return Promise.resolve();
    };
    return Promise.resolve({ close });
  }
}

/** One whose channels may not be listened to. */
class Mute extends Desk {
  subscribe(channel: string): Promise<Subscription> {
    return Promise.reject(new Error(`no access to ${channel}`));
  }
}

/** A reply that comes when the test says so. */
function later(): { readonly promise: Promise<Reply>; readonly answer: (reply: Reply) => void } {
  let answer: (reply: Reply) => void = () => undefined;
  const promise = new Promise<Reply>((resolve) => (answer = resolve));
  return { promise, answer };
}

/** A quorum that knows nothing of its servers. */
function scene(options: QuorumLockerOptions = {}, count = 3, Server = Desk) {
  const clock = new VirtualClock(BEGINNING);
  const events: LockEvent[] = [];
  const onEvent = (event: LockEvent): void => void events.push(event);
  const desks = Array.from({ length: count }, (_, index) => new Server(clock, index));
  const locker = new QuorumLocker(desks, { clock, onEvent, maxTtl: TTL, ...options });
  const [first, second, third] = desks;
  if (!first || !second || !third) throw new Error("there are three at least");
  const say = (name: string, ...all: Said[]): void => {
    for (const [index, said] of all.entries()) desks[index]?.says.set(name, said);
  };
  const pass = async (ms: number, step = ms): Promise<void> => {
    await turn();
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(Math.min(step, ms - passed));
      await turn();
      // What is due at once of what came of that.
      clock.advance(0);
      await turn();
    }
  };
  const sent = (): string[][] => desks.map(({ names }) => names);
  return { clock, locker, desks, first, second, third, events, say, pass, sent };
}

type Scene = ReturnType<typeof scene>;

/** A quorum that knows its servers already. */
async function start(...of: Parameters<typeof scene>): Promise<Scene> {
  const made = scene(...of);
  await made.locker.using("known", TTL, () => undefined);
  await turn();
  for (const desk of made.desks) desk.sent.length = 0;
  made.events.length = 0;
  return made;
}

/** What each server said, as the error tells it. */
function said(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof QuorumError ? cause : cause instanceof Error && cause.cause;
  return inner instanceof QuorumError ? inner.servers.map((server) => server.said) : inner;
}

describe("votes", () => {
  test("that all agree are a lock, with the token of the votes", async () => {
    const { locker, sent, first } = await start();
    const lock = await locker.obtain("k", TTL);
    expect([lock.fencingToken, lock.remaining]).toEqual([7, USABLE]);
    expect(sent()).toEqual([["vote"], ["vote"], ["vote"]]);
    // Servers count whole seconds, cut off: one more than maxTtl.
    expect(first.last("vote")[0]).toBe("11");
  });

  test("of two are a lock, and the third is waited for by nobody", async () => {
    const { locker, say, sent } = await start();
    say("vote", "7", "7", silence);
    const lock = await locker.obtain("k", TTL);
    expect(lock.fencingToken).toBe(7);
    expect(sent()).toEqual([["vote"], ["vote"], ["vote"]]);
  });

  test("of different tokens are the highest, which those below it are told", async () => {
    const { locker, say, first, second, third } = await start();
    say("vote", "7", "9", "8");
    const lock = await locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    expect(lock.fencingToken).toBe(9);
    await turn();
    const memory = first.last("vote").at(-1);
    expect(first.last("lift")).toEqual(["a-token-of-my-own", "9", memory]);
    expect(second.names).toEqual(["vote"]);
    expect(third.last("lift")).toEqual(["a-token-of-my-own", "9", memory]);
    await lock.release();
    // Each by the token that it remembers.
    expect(first.last("release")[1]).toBe("9");
    expect(third.last("release")[1]).toBe("9");
  });

  test("that are gone when they are told the highest token count no more", async () => {
    const { locker, say, sent } = await start();
    say("vote", "7", "9", "8");
    say("lift", "0", "1", "0");
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(said(error)).toEqual(["unknown", "yes", "unknown"]);
    expect(String(error)).toContain("server 1: unknown (its vote was gone again)");
    await turn();
    expect(sent().map((names) => names.includes("leave"))).toEqual([true, true, true]);
  });

  test("and what is told of them take no longer together than a command may", async () => {
    const { locker, say, pass } = await start({ commandTimeout: 300 });
    const slow = later();
    say("vote", "7", slow.promise, refusal);
    say("lift", silence);
    let error: unknown;
    void failure(locker.obtain("k", TTL)).then((one) => (error = one));
    await pass(250);
    slow.answer("9");
    await pass(49);
    expect(error).toBeUndefined();
    await pass(1);
    expect(said(error)).toEqual(["unknown", "yes", "refused"]);
  });

  test("and what is told of them take no longer than their lease would", async () => {
    const { locker, say, pass } = await start();
    say("vote", "7", "9", refusal);
    say("lift", silence);
    let error: unknown;
    void failure(locker.obtain("k", 100)).then((one) => (error = one));
    await pass(96);
    expect(error).toBeUndefined();
    await pass(1);
    expect(said(error)).toEqual(["unknown", "yes", "refused"]);
  });

  test("against it name who has the lock, and where they were heard nothing is given back", async () => {
    const { locker, say, sent, pass } = await start({}, 7);
    const me = ["500", "900", "600"].map((ms): Reply => [ms, "7", "me"]);
    say("vote", ["1000", "9", "you"], ...me, silence, silence, silence);
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toBeInstanceOf(NotObtainedError);
    // By those who agree, for as long as it lasts at any of them.
    expect(error).toMatchObject({ holder: { metadata: "me", fencingToken: 7, remaining: 900 } });
    expect(said(error)).toEqual([
      ...Array<string>(4).fill("no"),
      ...Array<string>(3).fill("unknown"),
    ]);
    await pass(100);
    expect(sent().map((names) => names.includes("leave"))).toEqual([
      ...Array<boolean>(4).fill(false),
      ...Array<boolean>(3).fill(true),
    ]);
  });

  test("of which one was had give that one back", async () => {
    const { locker, say, sent } = await start();
    say("vote", "7", ["900", "7", "me"], ["900", "7", "me"]);
    expect(await locker.tryObtain("k", TTL)).toBeNull();
    await turn();
    expect(sent()).toEqual([["vote", "leave"], ["vote"], ["vote"]]);
  });

  test("that come when all is decided go back, if it was decided against it", async () => {
    const { locker, say, first, third, pass } = await start();
    for (const [ms, reply, times] of [
      [0, "7", 1],
      // When the command has been given up.
      [3_000, "7", 1],
      [3_000, "what?", 1],
      [3_000, TAKEN, 0],
    ] as const) {
      const { promise, answer } = later();
      say("vote", TAKEN, TAKEN, promise);
      expect(await locker.tryObtain("k", TTL)).toBeNull();
      await pass(ms, 500);
      const before = third.times("leave").length;
      answer(reply);
      await turn();
      expect(third.times("leave")).toHaveLength(before + times);
    }
    // Each by what is sent to its own server.
    expect(first.times("leave")).toEqual([]);
  });

  test("that come while they are given back go back with that", async () => {
    const { locker, say, third } = await start();
    const [vote, leave] = [later(), later()];
    say("vote", TAKEN, TAKEN, vote.promise);
    say("leave", NOTHING_LEFT, NOTHING_LEFT, leave.promise);
    expect(await locker.tryObtain("k", TTL)).toBeNull();
    vote.answer("7");
    await turn();
    leave.answer(NOTHING_LEFT);
    await turn();
    expect(third.times("leave")).toHaveLength(1);
  });

  test("of two tries that come when all is over go back, each by itself", async () => {
    const { locker, say, third, pass } = await start();
    const tries = [later(), later()];
    say("vote", TAKEN, TAKEN);
    third.once("vote", ...tries.map(({ promise }) => promise));
    const retry = (tried: number): number => (tried < 2 ? 10 : 0);
    const failed = failure(locker.obtain("k", TTL, { retry }));
    await pass(20, 1);
    await failed;
    expect(third.names).toEqual(["vote", "leave", "vote", "leave"]);
    for (const { answer } of tries) answer("7");
    await turn();
    const leaves = third.sent.filter(({ name }) => name === "leave").map(({ args }) => args[2]);
    expect(leaves).toEqual([".1", ".2", ".1", ".2"]);
  });

  test.each([
    ["a refusal", refusal],
    ["silence", new Error("lost")],
  ])("of which one ends in %s have nothing to give back", async (_, end) => {
    const { locker, say, third, pass } = await start();
    let fail: (error: Error) => void = () => undefined;
    say("vote", TAKEN, TAKEN, new Promise((_, reject) => (fail = reject)));
    expect(await locker.tryObtain("k", TTL)).toBeNull();
    await turn();
    third.says.set("vote", end);
    fail(end);
    await pass(3_000, 500);
    // Once, when nobody knew.
    expect(third.times("leave")).toHaveLength(1);
  });

  test("that were refused have nothing to give back", async () => {
    const { locker, say, sent } = await start();
    say("vote", "7", refusal, refusal);
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({ code: "REFUSED" });
    await turn();
    expect(sent()).toEqual([["vote", "leave"], ["vote"], ["vote"]]);
  });

  test("of which one is another's have the others told the highest token", async () => {
    const { locker, say, sent, first } = await start();
    say("vote", "7", "9", TAKEN);
    expect((await locker.obtain("k", TTL)).fencingToken).toBe(9);
    await turn();
    expect(sent()).toEqual([["vote", "lift"], ["vote"], ["vote"]]);
    const [vote, lift] = first.sent;
    expect(lift?.keys).toEqual(vote?.keys.slice(0, 3));
  });

  test("of an own token are released by the highest token, whether or not they have answered to it", async () => {
    const { locker, say, first, pass } = await start();
    const { promise, answer } = later();
    say("vote", "7", "9", promise);
    say("lift", silence);
    const obtaining = locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    await pass(1);
    expect(first.names).toEqual(["vote", "lift"]);
    answer("9");
    await (await obtaining).release();
    // By the lower one, it would be another's if it has done what it was told.
    expect(first.last("release")[1]).toBe("9");
  });

  test("of an own token are released by the highest token, whatever is heard of an earlier try", async () => {
    const { locker, say, first, pass } = await start();
    const [before, last] = [later(), later()];
    say("vote", before.promise, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { token: "a-token-of-my-own", retry: () => 10 });
    await pass(1);
    say("vote", "7", "9", last.promise);
    say("lift", silence);
    await pass(20, 1);
    expect(first.names).toEqual(["vote", "leave", "vote", "lift"]);
    before.answer("7");
    await turn();
    last.answer("9");
    await (await obtaining).release();
    expect(first.last("release")[1]).toBe("9");
  });

  test("that refuse to remember the highest token are refusals", async () => {
    const { locker, say } = await start();
    say("vote", "7", "9", "8");
    say("lift", refusal, "1", refusal);
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toMatchObject({ code: "REFUSED" });
    expect(said(error)).toEqual(["refused", "yes", "refused"]);
  });

  test("that were told a higher token meanwhile count by that", async () => {
    const { locker, say, first } = await start();
    const [vote, toNine, toEleven, second] = [later(), later(), later(), later()];
    say("vote", "7", "9", vote.promise);
    first.once("lift", toNine.promise);
    say("lift", toEleven.promise, second.promise);
    const obtaining = locker.obtain("k", TTL);
    await turn();
    vote.answer("11");
    await turn();
    toNine.answer("0");
    await turn();
    second.answer("0");
    await turn();
    toEleven.answer("1");
    expect((await obtaining).fencingToken).toBe(11);
  });

  test("of two for two name the first of them", async () => {
    const { locker, say } = await start();
    say("vote", ["500", "7", "me"], ["900", "9", "you"]);
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({ holder: { metadata: "me" } });
  });

  test("against it show nothing of clocks", async () => {
    const { locker, say, first } = scene();
    say("vote", TAKEN, TAKEN, TAKEN);
    await locker.tryObtain("k", TTL);
    await locker.tryObtain("k", TTL);
    expect(first.last("vote")[1]).toBe("0");
  });

  test.each([
    ["by nobody who has it", ["0", "9", null], undefined],
    ["that was refused", refusal, undefined],
  ] as const)("of which one is %s", async (_, third, holder) => {
    const { locker, say } = await start();
    say("vote", FREE.slice(0, 3), FREE.slice(0, 3), third);
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder });
  });

  test.each([0, 1])("prove it from when the last of the majority was asked: %i", async (late) => {
    const { locker, desks, say, pass } = await start();
    say("vote", "7", "7", silence);
    // It is sent again 10 ms later.
    desks[late]?.once("vote", new ServerError("LOADING not yet"));
    const obtaining = locker.obtain("k", TTL);
    await pass(10);
    expect((await obtaining).remaining).toBe(USABLE - 10);
  });

  test("are asked for with a token that none of the clocks is ahead of, as far as they have shown", async () => {
    const { locker, say, pass, first } = await start();
    const floor = (): number => Number(first.last("vote")[1]);
    const micros = (ahead: number): string => String((BEGINNING + ahead) * 1_000);
    say("vote", micros(1_000), micros(3_000), micros(2_000));
    await (await locker.obtain("k", TTL)).release();
    await pass(100);
    await (await locker.obtain("k", TTL)).release();
    // Half a millisecond more than the fastest says, so that all can give the same.
    expect(floor()).toBe((BEGINNING + 100 + 3_000 + 0.5) * 1_000);
    // What is not above that shows nothing of a clock.
    say("vote", ...Array<string>(3).fill(String(floor())));
    await (await locker.obtain("k", TTL)).release();
    await locker.obtain("k", TTL);
    expect(floor()).toBe((BEGINNING + 100 + 3_000 + 0.5) * 1_000);
  });

  test("that were long on their way show less of a clock", async () => {
    const { locker, say, pass, first } = await start();
    const votes = [later(), later(), later()];
    say("vote", ...votes.map(({ promise }) => promise));
    const obtaining = locker.obtain("k", TTL);
    await pass(400);
    for (const { answer } of votes) answer(String((BEGINNING + 9_000) * 1_000));
    await (await obtaining).release();
    say("vote", "7", "7", "7");
    await locker.obtain("k", TTL);
    // As if it had been asked 50 ms before it answered.
    expect(first.last("vote")[1]).toBe(String((BEGINNING + 9_000 + 50 + 0.5) * 1_000));
  });
});

describe("a server", () => {
  /** What comes of an obtain that only the first could decide; undefined if it is waited for. */
  async function undecided({ locker, say }: Scene): Promise<unknown> {
    say("vote", silence, "7", refusal);
    let outcome: unknown;
    void failure(locker.obtain("k", TTL)).then((error) => (outcome = error));
    await turn();
    return outcome;
  }

  test("that has not answered for half a second is waited for by nobody, until it answers", async () => {
    const one = await start();
    const { promise, answer } = later();
    one.say("vote", promise, "7", "7");
    for (const name of ["release", "leave"]) one.say(name, silence);
    await (await one.locker.obtain("a", TTL)).release();
    await one.pass(499);
    expect(await undecided(one)).toBeUndefined();
    await one.pass(1);
    expect(await undecided(one)).toBeInstanceOf(OutcomeUnknownError);
    // Long after it was asked, when the command has been given up.
    await one.pass(3_000);
    answer("7");
    await turn();
    expect(await undecided(one)).toBeUndefined();
  });

  test("that was silent, as most were, is heard when all answer again", async () => {
    const { locker, say, pass } = await start();
    const lock = await locker.obtain("k", TTL);
    say("refresh", silence, silence, silence);
    const refreshed = failure(lock.refresh());
    await pass(2_000, 500);
    expect(await refreshed).toBeInstanceOf(OutcomeUnknownError);
    const [release, another] = [later(), later()];
    say("release", "1", release.promise, another.promise);
    const released = lock.release();
    await pass(20);
    release.answer("1");
    await released;
  });

  test("that is silent again, as most are, is waited for as long as at first", async () => {
    const { locker, say, pass } = await start();
    say("vote", "7", silence, silence);
    const isOver = async (ms: number): Promise<boolean> => {
      let over = false;
      void failure(locker.obtain("k", TTL)).then(() => (over = true));
      await pass(ms, 50);
      return over;
    };
    expect(await isOver(500)).toBe(true);
    await pass(3_000, 500);
    expect(await isOver(450)).toBe(false);
    await pass(3_000, 500);
    expect(await isOver(500)).toBe(true);
  });

  test("that has answered while the process was busy for longer is heard", async () => {
    const { clock, locker, say } = await start();
    const replies = [later(), later(), later()];
    say("vote", ...replies.map(({ promise }) => promise));
    const obtaining = locker.obtain("k", TTL);
    await turn();
    clock.stall(1_500);
    // What is due is done first, and then what has come is read.
    clock.advance(0);
    for (const { answer } of replies) answer("7");
    expect((await obtaining).held).toBe(true);
  });

  test("whose client is closed is waited for by nobody either", async () => {
    const one = await start();
    one.first.closed = true;
    one.say("vote", new Error("the client is closed"), "7", "7");
    await one.locker.obtain("a", TTL);
    await one.pass(1);
    expect(await undecided(one)).toBeInstanceOf(OutcomeUnknownError);
  });

  test("that refuses is one that answers", async () => {
    const one = await start();
    one.say("vote", refusal, "7", "7");
    await one.locker.obtain("a", TTL);
    await one.pass(1);
    expect(await undecided(one)).toBeUndefined();
  });
});

describe("an inspection", () => {
  const me = (remaining: number, fence: number): Reply => [
    ...[String(remaining), String(fence), "me", "0"],
  ];

  test("finds whom a majority names, for as long as a majority keeps it, and the longest line", async () => {
    const { locker, say } = await start();
    const line = ["2", "one", "300", "another", "200"];
    say("inspect", ["500", "7", "me", "0"], ["900", "7", "me", ...line], ["100", "9", "you", "0"]);
    const found = await locker.inspect("k");
    expect(found.holder).toEqual({ metadata: "me", fencingToken: 7, remaining: 500 });
    expect(found).toMatchObject({ held: 1, waiters: 2, line: [{ metadata: "one" }, {}] });
  });

  test("finds one to whom they gave different tokens", async () => {
    const { locker, say } = await start();
    say("inspect", ["100", "9", "you", "0"], me(500, 7), me(900, 8));
    expect((await locker.inspect("k")).holder).toMatchObject({ metadata: "me", remaining: 500 });
  });

  test("tells two apart that say the same of themselves", async () => {
    const { locker, say } = await start({}, 5);
    say("inspect", me(500, 7), me(600, 7), me(700, 7), me(900, 8), me(800, 8));
    const { holder } = await locker.inspect("k");
    expect(holder).toMatchObject({ fencingToken: 7, remaining: 500 });
  });

  test("is of one key, and tells what could not be found out", async () => {
    const { locker, say, sent } = await start();
    for (const call of [() => locker.inspect(""), () => locker.forceRelease("")]) {
      expect(await failure(call())).toMatchObject({ message: "key must not be empty" });
    }
    expect(sent()).toEqual([[], [], []]);
    say("inspect", refusal, refusal, refusal);
    say("forceRelease", refusal, refusal, refusal);
    expect(await failure(locker.inspect("k"))).toMatchObject({ operation: "inspect" });
    expect(await failure(locker.forceRelease("k"))).toMatchObject({ operation: "forceRelease" });
  });

  test("finds nobody where no majority names one, but the line", async () => {
    const { locker, say } = await start();
    say("inspect", me(500, 7), ["900", "8", "you", "1", "one", "300"], FREE);
    expect(await locker.inspect("k")).toEqual({
      ...{ holder: undefined, holders: [], held: 0, permits: 0 },
      ...{ waiters: 1, line: [{ position: 1, metadata: "one", waited: 300 }] },
    });
  });

  test("finds nobody where a majority has nobody", async () => {
    const { locker, say } = await start();
    say("inspect", FREE, me(900, 7), FREE);
    expect(await locker.inspect("k")).toMatchObject({ holder: undefined, holders: [], held: 0 });
  });

  test("waits for all but those that are silent", async () => {
    const { locker, say, pass } = await start();
    const { promise, answer } = later();
    say("inspect", promise, me(500, 7), me(500, 7));
    let found: unknown;
    void locker.inspect("k").then((inspection) => (found = inspection));
    await pass(499);
    expect(found).toBeUndefined();
    await pass(1);
    expect(found).toMatchObject({ waiters: 0, holder: { metadata: "me" } });
    answer(FREE);
  });
});

describe("a release", () => {
  test("leaves the first of the votes for last, until a majority of the others has answered", async () => {
    const { locker, say, sent, desks } = await start({}, 5);
    const lock = await locker.obtain("k", TTL);
    for (const desk of desks) desk.sent.length = 0;
    const [second, third, fourth] = [later(), later(), later()];
    say("release", "1", second.promise, third.promise, fourth.promise, silence);
    const releasing = lock.release();
    await turn();
    const one = ["release"];
    expect(sent()).toEqual([[], one, one, one, one]);
    second.answer("1");
    third.answer("1");
    await turn();
    expect(sent()[0]).toEqual([]);
    fourth.answer("1");
    await turn();
    expect(sent()[0]).toEqual(one);
    await releasing;
  });

  test("waits for all others that gave a vote, if they are no majority, and for 20 ms at most", async () => {
    const { locker, say, pass, first, second, third } = await start();
    say("vote", "7", "7", refusal);
    for (const ms of [0, 20]) {
      const lock = await locker.obtain("k", TTL);
      const { promise, answer } = later();
      say("release", "1", promise, silence);
      for (const desk of [first, second, third]) desk.sent.length = 0;
      const releasing = lock.release();
      await pass(ms === 0 ? 0 : 19);
      expect([first.names, second.names, third.names]).toEqual([[], ["release"], ["release"]]);
      if (ms === 0) answer("1");
      await pass(ms === 0 ? 0 : 1);
      expect(first.names).toEqual(["release"]);
      answer("1");
      await releasing;
    }
  });

  test("leaves that server for last whose vote was the first that came of it", async () => {
    const { locker, say, pass, first, second, third } = await start();
    say("vote", refusal, "7", "7");
    const lock = await locker.obtain("k", TTL);
    for (const desk of [first, second, third]) desk.sent.length = 0;
    const { promise, answer } = later();
    say("release", "0", "1", promise);
    const releasing = lock.release();
    await pass(0);
    expect([first.names, second.names, third.names]).toEqual([["release"], [], ["release"]]);
    answer("1");
    await releasing;
    expect(second.names).toEqual(["release"]);
  });

  test.each([[["0", "0", "1"]], [["-1", "0", "1"]]])(
    "is of a lock that was gone before, by %j",
    async (replies) => {
      const { locker, say } = await start();
      const lock = await locker.obtain("k", TTL);
      say("release", ...replies);
      const error = await failure(lock.release());
      expect(error).toMatchObject({ code: "UNKNOWN", operation: "release" });
      expect(String(error)).toContain("it was gone before its lease ended");
    },
  );

  test("has no line served by a server that refuses to", async () => {
    const { locker, say, first } = await start();
    const lock = await locker.obtain("k", TTL);
    say("release", "more", "1", "1");
    say("leave", refusal);
    await lock.release();
    await turn();
    expect(first.times("leave")).toHaveLength(1);
  });

  test("is one also by a server whose line is served on", async () => {
    const { locker, say } = await start();
    const lock = await locker.obtain("k", TTL);
    say("release", "more", "1", "0");
    await lock.release();
    expect(lock.held).toBe(false);
  });

  test.each([
    ["0", 1],
    ["1", 0],
  ])("of an own token whose vote comes while it is left, which says %s", async (owned, times) => {
    const { locker, say, third } = await start();
    const [vote, leave] = [later(), later()];
    say("vote", "7", "7", vote.promise);
    say("leave", NOTHING_LEFT, NOTHING_LEFT, leave.promise);
    const lock = await locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    await lock.release();
    vote.answer("9");
    await turn();
    leave.answer([null, null, null, "0", owned, "0"]);
    await turn();
    expect(third.times("release")).toHaveLength(times);
    if (times > 0) expect(third.last("release")[1]).toBe("9");
  });

  test("of an own token counts where leaving is refused by a minority", async () => {
    const { locker, say, third } = await start();
    say("vote", "7", "7", silence);
    const lock = await locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    third.says.set("leave", refusal);
    await lock.release();
    await turn();
    expect(third.times("leave")).toHaveLength(1);
  });

  test("has the line served to its end, also where a majority has answered before", async () => {
    const { locker, say, first, second, third } = await start();
    const lock = await locker.obtain("k", TTL);
    say("release", "more", "1", "1");
    first.once("leave", [null, null, null, "0", "0", "1"]);
    await lock.release();
    await turn();
    const leaves = [first, second, third].map((desk) => desk.times("leave").length);
    expect(leaves).toEqual([2, 0, 0]);
    // By no token that anybody has.
    expect(first.last("leave")[0]).not.toBe(lock.token);
  });

  test.each([
    ["1", undefined],
    ["0", "UNKNOWN"],
  ])("of an own token leaves where no vote was heard of, which says %s", async (owned, code) => {
    const { locker, say, first, second, third } = await start();
    say("vote", "7", "7", silence);
    const lock = await locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    say("release", "1", "0", "1");
    say("leave", NOTHING_LEFT, NOTHING_LEFT, [null, null, null, "0", owned, "0"]);
    const outcome = await lock.release().catch((error: unknown) => error);
    if (code === undefined) expect(outcome).toBeUndefined();
    else expect(outcome).toMatchObject({ code });
    expect(first.last("release")).toEqual(["a-token-of-my-own", "7"]);
    expect(second.last("release")).toEqual(["a-token-of-my-own", "7"]);
    expect(third.times("release")).toEqual([]);
    // As the call that asked for the vote, no other.
    expect(third.last("leave")[2]).toBe(third.last("vote")[5]);
  });
});

describe("a refresh", () => {
  test("is yes by two, and a server that has nothing is asked for its vote once more", async () => {
    const { locker, say, second, pass } = await start();
    const lock = await locker.obtain("k", TTL);
    await pass(1_000);
    const { promise, answer } = later();
    say("refresh", "1", "0", "1");
    say("vote", "7", promise, "7");
    second.sent.length = 0;
    await lock.refresh();
    expect(lock.remaining).toBe(USABLE);
    expect(second.names).toEqual(["refresh", "vote"]);
    // For as long as the lock has now, and by no lower token than its own.
    expect(second.last("vote").slice(1, 4)).toEqual(["7", lock.token, String(TTL)]);
    await lock.refresh();
    expect(second.names).toEqual(["refresh", "vote", "refresh"]);
    answer("9");
    await turn();
    // It is one of the lock from now on.
    expect(second.times("leave")).toEqual([]);
    await lock.release();
    expect(second.times("release")).toHaveLength(1);
  });

  test("does not take a vote back twice at once, but again if it is gone again", async () => {
    const { locker, say, second } = await start();
    const lock = await locker.obtain("k", TTL);
    const { promise, answer } = later();
    say("refresh", "1", "0", "1");
    say("vote", "7", promise, "7");
    await lock.refresh();
    await lock.refresh();
    expect(second.times("vote")).toHaveLength(2);
    answer("7");
    await turn();
    await lock.refresh();
    expect(second.times("vote")).toHaveLength(3);
  });

  test.each([
    [["0", "0", "1"], "deleted"],
    [["-1", "0", "1"], "taken"],
    [["-1", "-1", "1"], "taken"],
  ])("is of a lock that is lost, by %j", async (replies, reason) => {
    const { locker, say } = await start();
    const lock = await locker.obtain("k", TTL);
    say("refresh", ...replies);
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD", cause: { reason } });
  });

  test("that says that it is lost gives back the votes that were taken back", async () => {
    const { locker, say, first, second, third } = await start();
    const lock = await locker.obtain("k", TTL);
    say("refresh", "1", "0", "1");
    await lock.refresh();
    await turn();
    say("refresh", "0", "1", "0");
    say("vote", silence, "7", silence);
    await failure(lock.refresh());
    await turn();
    expect([first, second, third].map((desk) => desk.times("leave").length)).toEqual([0, 1, 0]);
  });

  test.each([
    ["that was released meanwhile", "7", 1],
    ["but one that is another's", TAKEN, 0],
  ] as const)("gives back a vote of a lock %s", async (_, vote, times) => {
    const { locker, say, second } = await start();
    const lock = await locker.obtain("k", TTL);
    const { promise, answer } = later();
    say("refresh", "1", "0", "1");
    say("vote", "7", promise, "7");
    await lock.refresh();
    await lock.release();
    const before = second.times("leave").length;
    answer(vote);
    await turn();
    expect(second.times("leave")).toHaveLength(before + times);
  });

  test("gives back a vote that was taken back when the lock was lost", async () => {
    const { locker, say, first } = await start();
    const lock = await locker.obtain("k", TTL);
    const { promise, answer } = later();
    say("refresh", "0", "1", "1");
    say("vote", promise, "7", "7");
    await lock.refresh();
    say("refresh", "0", "0", "1");
    await failure(lock.refresh());
    await turn();
    const before = first.times("leave").length;
    answer("7");
    await turn();
    expect(first.times("leave")).toHaveLength(before + 1);
  });

  test.each([
    ["the vote", 3_000, "7"],
    ["no vote", 3_000, TAKEN],
    ["nothing", 3_000, "what?"],
    ["nothing in time", 0, new Error("lost")],
  ] as const)(
    "that took a vote back, and hears of %s when the lock was lost",
    async (what, ms, end) => {
      const { locker, say, first, pass } = await start();
      const lock = await locker.obtain("k", TTL);
      const { promise, answer } = later();
      say("refresh", "0", "1", "1");
      say(
        "vote",
        promise.then((reply) => (end instanceof Error ? Promise.reject(end) : reply)),
      );
      await lock.refresh();
      say("refresh", "0", "0", "1");
      await failure(lock.refresh());
      await pass(ms, 500);
      const before = first.names.length;
      answer(end instanceof Error ? null : end);
      await turn();
      expect(first.names.slice(before)).toEqual(what === "no vote" ? [] : ["leave"]);
    },
  );

  test("that took a vote back for longer than a release leaves the lock taken gives it back", async () => {
    const { locker, say, third } = await start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: TTL / 2 });
    await turn();
    const { promise, answer } = later();
    say("refresh", "1", "1", "0");
    say("vote", "7", "7", promise);
    await lock.refresh();
    say("shorten", "1", "1", "0");
    await lock.release();
    answer("7");
    await turn();
    expect(third.names).toEqual(["vote", "refresh", "vote", "shorten", "leave"]);
  });

  test("that is answered when a release leaves the lock taken asks for no longer vote", async () => {
    const { locker, say, third } = await start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: TTL / 2 });
    await turn();
    const [refresh, shorten] = [later(), later()];
    say("refresh", "1", "1", refresh.promise);
    say("shorten", "1", "1", shorten.promise);
    await lock.refresh();
    await lock.release();
    refresh.answer("0");
    await turn();
    expect(third.names).toEqual(["vote", "refresh", "shorten"]);
    shorten.answer("0");
    await turn();
    expect(third.last("vote")[3]).toBe(String(TTL / 2));
  });

  test("that a server did not answer is not sent again behind a release that leaves the lock taken", async () => {
    const { locker, say, third, pass } = await start();
    const lock = await locker.obtain("k", TTL, { holdAtLeast: TTL / 2 });
    await turn();
    say("refresh", "1", "1", new Error("lost"));
    await lock.refresh();
    await lock.release();
    await pass(1_000, 10);
    expect(third.names).toEqual(["vote", "refresh", "shorten"]);
  });

  test("gives back a vote that was taken back when it is found to be lost otherwise", async () => {
    const { locker, first, say } = await start();
    const lock = await locker.obtain("k", TTL);
    first.once("refresh", "0");
    await lock.refresh();
    await turn();
    expect(first.names.at(-1)).toBe("vote");
    say("ttl", "5", "deleted", "deleted");
    expect(await lock.ttl()).toBe(0);
    await turn();
    expect(first.names.at(-1)).toBe("leave");
  });

  test("asks in vain for a vote that is refused, and asks again", async () => {
    const { locker, say, second } = await start();
    const lock = await locker.obtain("k", TTL);
    say("refresh", "1", "0", "1");
    say("vote", "7", refusal, "7");
    await lock.refresh();
    await turn();
    await lock.refresh();
    expect(second.times("vote")).toHaveLength(3);
  });
});

describe("the time that is left", () => {
  test.each([
    [["500", "900", "100"], 500],
    [["none", "900", "100"], 900],
    [["none", "none", "100"], Infinity],
    [["deleted", "900", "100"], 100],
  ])("by %j is what a majority gives: %j", async (replies, left) => {
    const { locker, say } = await start();
    const lock = await locker.obtain("k", TTL);
    say("ttl", ...replies);
    expect(await lock.ttl()).toBe(left);
  });

  test.each([
    [["deleted", "deleted", "5"], "deleted"],
    [["taken", "deleted", "5"], "taken"],
  ])("by %j is none, and the lock is lost", async (replies, reason) => {
    const { locker, say } = await start();
    const lock = await locker.obtain("k", TTL);
    say("ttl", ...replies);
    expect(await lock.ttl()).toBe(0);
    expect(lock.signal.reason).toMatchObject({ code: "LOST", reason });
  });
});

describe("who tries again", () => {
  test.each([
    [[refusal, refusal, "7"], 1],
    [[refusal, young, FREE.slice(0, 3)], 3],
    [[young, young, "7"], 3],
  ])("does so while a majority may come: %j", async (votes, times) => {
    const { locker, say, pass, first } = await start();
    say("vote", ...votes);
    const retry = (count: number): number => (count < 3 ? 100 : 0);
    const failed = failure(locker.obtain("k", TTL, { retry }));
    await pass(500, 100);
    expect(await failed).toMatchObject({ code: "REFUSED" });
    expect(first.times("vote")).toHaveLength(times);
  });
});

test("who tries again where the lock is taken tells that it waits, and whom for", async () => {
  const told: string[] = [];
  let holders: Promise<unknown> | undefined;
  const onEvent = detailed((event) => {
    told.push(event.type);
    if (event.type === "waiting") holders = event.holders();
  });
  const { locker, say, pass } = await start({ onEvent });
  say("vote", TAKEN, TAKEN, TAKEN);
  say("inspect", ["900", "9", "you", "0"], ["900", "9", "you", "0"], FREE);
  told.length = 0;
  const failed = failure(locker.obtain("k", TTL, { retry: (count) => (count < 2 ? 10 : 0) }));
  await pass(20);
  await failed;
  expect(told).toEqual(["obtaining", "waiting", "waited", "notObtained"]);
  expect(await holders).toMatchObject([{ remaining: 900, fencingToken: 9, metadata: "you" }]);
});

describe("who gives up", () => {
  test("has the line served to its end at each server that leaves that open", async () => {
    const { locker, say, first, second, third } = await start();
    say("vote", "7", ["900", "9", "you"], ["900", "9", "you"]);
    first.once("leave", [null, null, null, "0", "1", "1"]);
    expect(await locker.tryObtain("k", TTL)).toBeNull();
    await turn();
    const leaves = [first, second, third].map((desk) => desk.times("leave").length);
    expect(leaves).toEqual([2, 0, 0]);
  });

  test.each([
    [["1", "1", "0"], ["lateGrantReleased"]],
    [["1", "0", "0"], []],
  ])("is told of a lock that it had by a majority: %j", async (owned, told) => {
    const { locker, say, events } = await start();
    say("vote", "7", silence, silence);
    say("leave", ...owned.map((flag): Reply => [null, null, null, "0", flag, "0"]));
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { signal }));
    await turn();
    control.abort(new Error("enough"));
    expect(await failed).toMatchObject({ message: "enough" });
    await turn();
    expect(events.map(({ type }) => type)).toEqual(told);
  });
});

test("who was not answered at first is told who has the lock by what it leaves", async () => {
  const { locker, say, pass } = await start({ commandTimeout: 100 });
  say("vote", silence, silence, silence);
  const failed = failure(locker.obtain("k", TTL, { retry: (count) => (count < 2 ? 10 : 0) }));
  await pass(100);
  say("vote", TAKEN, TAKEN, TAKEN);
  say("leave", ...[1, 2, 3].map((): Reply => ["700", "9", "me", "0", "0", "0"]));
  await pass(20);
  expect(await failed).toMatchObject({ code: "NOT_OBTAINED", holder: { metadata: "me" } });
});

describe("an error", () => {
  test("says what each server said", async () => {
    const { locker, say } = await start();
    say("vote", "7", refusal, refusal);
    const { cause } = await failure(locker.obtain("k", TTL)).then((error: unknown) =>
      error instanceof Error && error.cause instanceof Error ? error.cause : new Error("none"),
    );
    expect(cause).toBeInstanceOf(QuorumError);
    expect(cause).toMatchObject({
      name: "QuorumError",
      message: "server 1: yes; server 2: refused (ERR no); server 3: refused (ERR no)",
      errors: [{ message: "ERR no" }, { message: "ERR no" }],
    });
  });

  test("says whose answer nobody waited for", async () => {
    const { locker, say } = await start();
    say("vote", TAKEN, TAKEN, silence);
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({
      cause: {
        message: expect.stringMatching(/server 3: unknown \(its answer was not waited for\)$/),
      },
    });
  });

  test("of options names them, and says what they are options of", () => {
    const clients = [0, 1, 2].map((index) => new Desk(new VirtualClock(), index));
    const make = (options: object) => (): unknown => new QuorumLocker(clients, options);
    expect(make({ maxTtl: 5 })).toThrow(/^maxTtl must be/);
    expect(make({ maxTTL: 5_000 })).toThrow(/^options has no "maxTTL": did you mean "maxTtl"\?$/);
  });
});

describe("what makes no quorum is an error that says why", () => {
  const clock = new VirtualClock();
  const one = new Desk(clock, 0);
  const [two, three] = [new Desk(clock, 1), new Desk(clock, 2)];
  const cluster = Object.assign(new Desk(clock, 0), { cluster: true });
  const make = (...of: readonly unknown[]): void => void Reflect.construct(QuorumLocker, of);

  test.each<[unknown, unknown, string]>([
    ["one", {}, "clients must be an array, got string"],
    [
      [one, two],
      {},
      "clients must be of at least 3 servers, got 2: of two, the majority is both, so that each " +
        "that fails stops all",
    ],
    [[one, two, one], {}, "clients must be of different servers, but one is there twice"],
    [
      [cluster, two, three],
      {},
      "clients must be of independent masters, but server 1 is a cluster: in one, a lock is at " +
        "one node and its replicas",
    ],
    [
      [one, two, three],
      { minReplicas: 1 },
      "minReplicas is for a master with replicas: a quorum is of masters that do not share their data",
    ],
    [[one, two, three], null, "options must be an object, got null"],
    [[one, two, three], "none", "options must be an object, got string"],
  ])("%#", (clients, options, message) => {
    expect(() => make(clients, options)).toThrow(new Error(message));
  });

  test.each([
    ["mode", { mode: "shared" }],
    ["limit", { limit: 2 }],
  ])("of %s", async (name, options: object) => {
    const { locker } = await start();
    expect(await failure(locker.obtain("k", TTL, options))).toMatchObject({
      message:
        `${name} is not for a quorum: majorities for two holders can consist of different ` +
        "servers, so that more are let in than may be",
    });
  });

  test.each<[(locker: QuorumLocker) => Promise<unknown>, string]>([
    [
      // @ts-expect-error Not for a quorum.
      (locker) => locker.obtain(["k", "l"], TTL),
      "key must be one: a quorum takes locks one by one",
    ],
    [(locker) => locker.obtain("k", TTL + 1), "ttl must be at most maxTtl, 10000 ms, got 10001"],
    [
      (locker) => locker.obtain("k", 10, { holdAtLeast: TTL + 1 }),
      "holdAtLeast must be at most maxTtl, 10000 ms, got 10001",
    ],
  ])("of what it gives no lock for: %#", async (obtain, message) => {
    const { locker, sent } = await start();
    expect(await failure(obtain(locker))).toMatchObject({ message });
    expect(sent()).toEqual([[], [], []]);
  });

  test("of what adapters are given", () => {
    expect(eachClient([1, 2], (index) => new Desk(clock, index))).toMatchObject([
      { runId: "run1" },
      { runId: "run2" },
    ]);
    expect(() => void Reflect.apply(eachClient, undefined, ["one", () => one])).toThrow(
      new TypeError("redis must be an array, got string"),
    );
  });
});

describe("a client that has connected anew", () => {
  test("has its server say who it is before that votes, in one command if it is the same", async () => {
    const { locker, third, sent } = await start();
    third.epoch++;
    const lock = await locker.obtain("k", TTL);
    await turn();
    expect(sent()).toEqual([["vote"], ["vote"], ["member", "vote"]]);
    await lock.refresh();
    third.epoch++;
    await lock.refresh();
    await turn();
    expect(sent()[2]).toEqual(["member", "vote", "refresh", "member", "refresh"]);
  });

  test("and leads to another of the servers makes no quorum with it", async () => {
    const { locker, first, third, sent } = await start();
    third.epoch++;
    third.runId = first.runId;
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("server 1 and server 3 are one server"),
    });
    expect(sent().flat()).not.toContain("vote");
  });

  test("and leads to another of the servers leaves the locks that are held to the others", async () => {
    const { locker, first, third } = await start();
    const lock = await locker.obtain("k", TTL);
    third.epoch++;
    third.runId = first.runId;
    expect(await failure(locker.obtain("l", TTL))).toBeInstanceOf(TypeError);
    await lock.refresh();
    expect(third.names).not.toContain("refresh");
  });

  describe("and leads to another, since two of them have been exchanged,", () => {
    /** The addresses of the first and the third are exchanged. */
    const exchanged = async () => {
      const all = await start();
      const { first, third } = all;
      [first.runId, third.runId] = [third.runId, first.runId];
      [first.secrets, third.secrets] = [third.secrets, first.secrets];
      return all;
    };

    test("makes a quorum with it, when both have connected anew", async () => {
      const { locker, first, third } = await exchanged();
      first.epoch++;
      third.epoch++;
      expect((await locker.obtain("k", TTL)).held).toBe(true);
      await turn();
      for (const desk of [first, third]) expect(desk.names.at(-1)).toBe("vote");
    });

    test("casts its vote also while the other is gone", async () => {
      const { locker, first, third, pass } = await exchanged();
      first.says.set("member", silence);
      first.epoch++;
      third.epoch++;
      const obtained = locker.obtain("k", TTL);
      await pass(600, 100);
      expect((await obtained).held).toBe(true);
      expect(third.names).toContain("vote");
    });

    test("asks the other, which has not connected anew so far as it knows", async () => {
      const { locker, first, third } = await exchanged();
      third.epoch++;
      expect((await locker.obtain("k", TTL)).held).toBe(true);
      await turn();
      // So it has to be found independent, too, before its next vote.
      expect(first.names).toEqual(["member", "member"]);
      // Without a key, which a node of a cluster would refuse.
      expect(first.sent[0]?.keys).toEqual([]);
      expect((await locker.obtain("l", TTL)).held).toBe(true);
      await turn();
      expect(first.names.slice(2)).toEqual(["member", "member", "member", "vote"]);
      expect(third.names.at(-1)).toBe("vote");
    });

    test("casts no vote while the other does not say who it is", async () => {
      const { locker, first, third, pass } = await exchanged();
      first.says.set("member", silence);
      third.epoch++;
      const obtained = locker.obtain("k", TTL);
      await pass(600, 100);
      expect((await obtained).held).toBe(true);
      expect(third.names).not.toContain("vote");
      first.says.delete("member");
      first.epoch++;
      await (await locker.obtain("l", TTL)).release();
      await turn();
      expect(third.names).toContain("vote");
    });
  });

  test("and leads to another that has just proved a lease proves nothing by that one once more", async () => {
    const { locker, first, second, third, pass } = await start();
    const lock = await locker.obtain("k", TTL);
    await turn();
    second.says.set("refresh", silence);
    const who = later();
    third.once("member", who.promise);
    third.epoch++;
    const failed = failure(lock.refresh());
    await turn();
    expect(first.names).toContain("refresh");
    // Of the two that are exchanged, the first is not there yet.
    [first.runId, third.runId] = [third.runId, first.runId];
    [first.secrets, third.secrets] = [third.secrets, first.secrets];
    first.epoch++;
    first.says.set("member", silence);
    who.answer(["run0", "standalone", "master", ""]);
    await pass(2_000, 100);
    const error = await failed;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(String(error)).toContain(
      "server 3: unknown (it is a server that was heard by another address just before",
    );
    expect(third.names).toContain("refresh");
  });

  test("and leads to another that has just given its vote has no vote of that one", async () => {
    const { locker, first, second, third, pass } = await start();
    second.says.set("vote", silence);
    const vote = later();
    third.says.set("vote", vote.promise);
    const failed = failure(locker.obtain("k", TTL));
    await turn();
    [first.runId, third.runId] = [third.runId, first.runId];
    [first.secrets, third.secrets] = [third.secrets, first.secrets];
    first.epoch++;
    first.says.set("member", refusal);
    third.epoch++;
    void locker.inspect("k");
    await turn();
    vote.answer("7");
    await pass(2_000, 100);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
  });

  test("and leads to another that has granted the lock in line has no vote of that one", async () => {
    const { locker, say, first, second, third, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const failed = failure(locker.obtain("k", TTL, { wait: 2_000 }));
    await pass(0);
    first.says.set("stand", "7");
    while (second.times("vote").length < 2) await pass(5);
    [first.runId, third.runId] = [third.runId, first.runId];
    [first.secrets, third.secrets] = [third.secrets, first.secrets];
    first.epoch++;
    first.says.set("member", refusal);
    third.epoch++;
    third.says.set("vote", "7");
    const before = third.times("vote").length;
    await pass(5_000, 20);
    expect(await failed).toBeInstanceOf(NotObtainedError);
    expect(third.times("vote").length).toBeGreaterThan(before);
  });

  test("for the first time, and leads to where another has led before, makes a quorum with it", async () => {
    const { locker, first, third, pass } = scene();
    third.says.set("member", refusal);
    await (await locker.obtain("known", TTL)).release();
    await turn();
    third.says.delete("member");
    [first.runId, third.runId] = [third.runId, first.runId];
    [first.secrets, third.secrets] = [third.secrets, first.secrets];
    first.has.clear();
    third.has.clear();
    first.epoch++;
    first.says.set("member", silence);
    third.epoch++;
    const obtained = locker.obtain("k", TTL);
    await pass(600, 100);
    expect((await obtained).held).toBe(true);
    expect(third.names).toContain("vote");
  });

  test("and leads to a server that is new has it looked for the secrets of the others", async () => {
    const { locker, third, sent } = await start();
    third.epoch++;
    third.runId = "another";
    expect((await locker.obtain("k", TTL)).held).toBe(true);
    expect(sent()[2]).toEqual(["member", "member", "member", "vote"]);
  });

  test("and leads to a server that has what another writes makes no quorum with it", async () => {
    const { locker, second, third } = await start();
    third.epoch++;
    third.runId = "another";
    third.secrets = new Set(second.secrets);
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("server 3 and server 2 are one server"),
    });
  });

  test("and leads to where another led before that leads to a new one makes a quorum", async () => {
    const { locker, first, third } = await start();
    for (const runId of ["new", "newer"]) {
      [third.runId, third.secrets] = [first.runId, first.secrets];
      [first.runId, first.secrets] = [runId, new Set()];
      first.epoch++;
      await (await locker.obtain("k", TTL)).release();
      third.epoch++;
      await (await locker.obtain("k", TTL)).release();
    }
    await turn();
    for (const desk of [first, third]) expect(desk.names.slice(-2)).toEqual(["vote", "release"]);
  });

  test("while its server was asked for the vote has none, and what it may have had goes back", async () => {
    const { locker, third, say, pass } = scene();
    third.once("member", refusal);
    await locker.using("known", TTL, () => undefined);
    await locker.using("known", TTL, () => undefined);
    const { promise, answer } = later();
    say("vote", "7", TAKEN, promise);
    const failed = failure(locker.obtain("k", TTL));
    await turn();
    third.epoch++;
    answer("7");
    await pass(1_000, 100);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    expect(third.names).toContain("leave");
  });

  test("does not prove a lease by what another server says", async () => {
    const { locker, second, third, first, pass } = await start();
    const lock = await locker.obtain("k", TTL);
    await turn();
    second.says.set("refresh", silence);
    third.epoch++;
    third.runId = first.runId;
    const failed = failure(lock.refresh());
    await pass(2_000, 100);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    expect(third.names).not.toContain("refresh");
  });

  test("while a lease was refreshed does not prove it either", async () => {
    const { locker, second, third, say, pass } = await start();
    const lock = await locker.obtain("k", TTL);
    await turn();
    second.says.set("refresh", silence);
    const { promise, answer } = later();
    third.says.set("refresh", promise);
    const failed = failure(lock.refresh());
    await turn();
    third.epoch++;
    answer("1");
    await pass(2_000, 100);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    say("refresh", "1", "1", "1");
    await lock.refresh();
  });

  test("while its server granted the lock in line was granted nothing there", async () => {
    const { locker, first, say, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(20, 5);
    const asked = first.times("stand").length;
    // From the next command on, whose reply is another server's.
    const isAnother = (): boolean => first.times("stand").length > asked;
    Object.defineProperty(first, "epoch", { get: () => (isAnother() ? 2 : 1) });
    first.runId = "another";
    first.says.set("stand", "7");
    say("vote", "7", "7", "7");
    await pass(TTL, 100);
    expect((await obtaining).held).toBe(true);
    // Not before it was known which server that is, and had been asked to stand in line there.
    expect(first.times("stand")).toHaveLength(asked + 2);
  });

  test("and is slow to say who it is keeps nobody waiting beyond a last command of theirs", async () => {
    const { locker, first, say, pass } = await start({ commandTimeout: 100 });
    say("vote", TAKEN, TAKEN, TAKEN);
    let error: unknown;
    void failure(locker.obtain("k", TTL, { wait: 60 })).then((one) => (error = one));
    await pass(20, 5);
    first.epoch++;
    const says = [later(), later(), later()];
    first.once("member", ...says.map(({ promise }) => promise));
    await pass(120, 10);
    says[0]?.answer(["another", "standalone", "master", ""]);
    await pass(20, 10);
    expect(first.times("member")).toEqual([50, 140]);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
  });

  test("has said nothing of who has a lock, nor of how long, nor of what was taken away", async () => {
    const { locker, say, third } = await start();
    const me: Reply = ["500", "7", "me", "0"];
    const lock = await locker.obtain("k", TTL);
    // Another of the servers answers for it.
    const anew = (name: string, reply: Reply): void => {
      Object.defineProperty(third, "epoch", {
        configurable: true,
        get: () => (third.times(name).length > asked ? 2 : 1),
      });
      const asked = third.times(name).length;
      third.says.set(name, reply);
    };
    const back = (): void =>
      void Object.defineProperty(third, "epoch", { configurable: true, value: 1 });
    say("inspect", FREE, me);
    anew("inspect", me);
    expect(await locker.inspect("k")).toMatchObject({ holder: undefined });
    back();
    say("forceRelease", ["0", "0"], ["1", "0"]);
    anew("forceRelease", ["0", "0"]);
    // It may have been had by the one that was not asked.
    expect(await locker.forceRelease("k")).toBe(true);
    back();
    say("ttl", "deleted", "500");
    anew("ttl", "500");
    expect(await failure(lock.ttl())).toBeInstanceOf(OutcomeUnknownError);
  });

  test.each([
    [1, 1],
    [2, 0],
  ])("%i times while it says who it is has it say so once more: votes %i", async (times, votes) => {
    const { locker, third } = scene();
    const looks = (): number => third.sent.filter(({ args }) => args[0] === "3").length;
    // Anew behind each secret that it is given.
    Object.defineProperty(third, "epoch", { get: () => Math.min(looks(), times) });
    await locker.obtain("k", TTL);
    await turn();
    expect(third.times("vote")).toHaveLength(votes);
    expect(looks()).toBe(2);
  });

  test("while its server did not answer says that, and not who that may be", async () => {
    const { locker, third, say, pass } = await start();
    say("vote", "7", refusal);
    const lost = later();
    third.says.set(
      "vote",
      lost.promise.then(() => Promise.reject(new Error("it is gone"))),
    );
    const failed = failure(locker.obtain("k", TTL));
    await turn();
    third.epoch++;
    third.says.set("vote", refusal);
    lost.answer(null);
    await pass(3_000, 100);
    expect(String(await failed)).toContain("server 3: unknown (it is gone");
  });

  test("and does not say who it is has not said that nobody had a lock", async () => {
    const { locker, third, say } = await start();
    third.epoch++;
    third.says.set("member", refusal);
    say("forceRelease", ["0", "0"], ["1", "0"], ["0", "0"]);
    expect(await locker.forceRelease("k")).toBe(true);
  });

  test("does not prove that a token is remembered", async () => {
    const { locker, first, say } = await start();
    say("vote", "7", "9", refusal);
    const lifted = later();
    first.says.set("lift", lifted.promise);
    const failed = failure(locker.obtain("k", TTL));
    await turn();
    first.epoch++;
    lifted.answer("1");
    expect(said(await failed)).toEqual(["unknown", "yes", "refused"]);
  });

  test("since it stood in line is not believed to have there what a message granted", async () => {
    const { locker, say, first, pass } = await start({}, 3, Channeled);
    say("vote", TAKEN, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(0);
    first.listener?.message("unseen 1");
    await pass(0);
    const votes = first.times("vote").length;
    first.epoch++;
    first.runId = "another";
    say("vote", "7", "7", "7");
    first.listener?.message(`grant 1 7 ${first.last("stand")[12]}`);
    await pass(0);
    expect((await obtaining).held).toBe(true);
    await turn();
    expect(first.times("vote")).toHaveLength(votes + 1);
  });
});

test("no secret is made before it is needed: some platforms give no random bytes while a module loads", async () => {
  const random = jest.spyOn(crypto, "getRandomValues");
  const { locker } = scene();
  expect(random).not.toHaveBeenCalled();
  await (await locker.obtain("k", TTL)).release();
});

test("a process lives while a call is awaited, and while it is closed", async () => {
  let alive = false;
  class Watched extends VirtualClock {
    override after(
      ms: number,
      run: () => void,
    ): { cancel: () => void; ref(): void; unref(): void } {
      alive = false;
      const { cancel } = super.after(ms, run);
      return { cancel, ref: () => (alive = true), unref: () => (alive = false) };
    }
  }
  const clock = new Watched(BEGINNING);
  const { locker, desks, say } = scene({ clock });
  for (const desk of desks) desk.says.set("vote", silence);
  const failed = failure(locker.obtain("k", TTL));
  await turn();
  expect(alive).toBe(true);
  await clock.until(failed);
  expect(alive).toBe(false);
  for (const desk of desks) desk.says.set("vote", "7");
  const lock = await clock.until(locker.obtain("k", TTL));
  say("release", silence, "1", "1");
  await lock.release();
  expect(alive).toBe(false);
  const closed = locker.close();
  await turn();
  expect(alive).toBe(true);
  await clock.until(closed);
  expect(alive).toBe(false);
});

test("a lock of its own process is known as such, whichever locker of the servers has it", async () => {
  const { clock, desks, locker, say, pass } = await start();
  await locker.obtain("k", TTL);
  const events: string[] = [];
  const onEvent = ({ type }: LockEvent): void => void events.push(type);
  const another = new QuorumLocker(desks, { clock, onEvent, maxTtl: TTL });
  await (await another.obtain("other", TTL)).release();
  say("vote", TAKEN, TAKEN, TAKEN);
  const failed = failure(another.obtain("k", TTL, { wait: 500 }));
  await pass(3_000, 50);
  expect(await failed).toMatchObject({ holder: { own: true } });
  expect(events).toContain("waitingForOwn");
});

test("whoever closes waits for the last of the releases, which was sent when all was decided", async () => {
  const { locker, say, sent } = await start();
  const lock = await locker.obtain("k", TTL);
  const { promise, answer } = later();
  say("release", promise, "1", "1");
  await lock.release();
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  await turn();
  expect(sent()[0]).toContain("release");
  expect(isClosed).toBe(false);
  answer("1");
  await closed;
});

test("whoever closes waits until a place in line is left", async () => {
  const { locker, say, first, pass } = await start();
  say("vote", TAKEN, TAKEN, TAKEN);
  const failed = failure(locker.obtain("k", TTL, { wait: 60_000 }));
  await pass(50, 5);
  const { promise, answer } = later();
  say("leave", promise);
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  expect(await failed).toMatchObject({ code: "CLOSED" });
  await turn();
  expect(first.times("leave")).toHaveLength(1);
  expect(isClosed).toBe(false);
  answer(NOTHING_LEFT);
  await closed;
});

test("whoever closes waits for one who is first in line, and just then asks nobody", async () => {
  jest.spyOn(Math, "random").mockReturnValue(0.9);
  const { locker, say, first, pass } = await start();
  say("vote", TAKEN, TAKEN, TAKEN);
  say("stand", "7");
  // The first asks for no votes at once, so that nothing but its place in line is to be given back.
  const waits = [1, 2].map(() => failure(locker.obtain("k", TTL, { wait: 60_000 })));
  await pass(30, 10);
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  expect(await Promise.all(waits)).toMatchObject([{ code: "CLOSED" }, { code: "CLOSED" }]);
  await turn();
  expect([isClosed, first.times("leave")]).toEqual([false, []]);
  await pass(10);
  await closed;
  expect(first.times("leave")).toHaveLength(2);
});

test("what was granted in line as it was given up goes back, at whichever step of that", async () => {
  for (let steps = 0; steps < 30; steps++) {
    const { locker, say, first, pass } = await start();
    const { promise, answer } = later();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", promise);
    const stopping = new AbortController();
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal: stopping.signal }));
    await pass(20, 5);
    answer("7");
    for (let step = 0; step < steps; step++) await Promise.resolve();
    stopping.abort();
    await failed;
    await pass(20, 5);
    expect([steps, first.names.at(-1)]).toEqual([steps, "leave"]);
  }
});

test.each([undefined, 60_000])(
  "what is closed while the servers say who they are asks for no vote behind that, with wait %s",
  async (wait) => {
    const { locker, desks, pass, sent } = scene();
    const answers = desks.map((desk) => {
      const { promise, answer } = later();
      desk.once("member", promise);
      return () => answer([desk.runId, desk.mode, desk.role, ""]);
    });
    const failed = failure(locker.obtain("k", TTL, { wait }));
    await turn();
    const closed = locker.close();
    expect(await failed).toMatchObject({ code: "CLOSED" });
    for (const answer of answers) answer();
    await pass(1_000, 50);
    await closed;
    // Behind what gave it back, it would be nobody's until its ttl.
    for (const names of sent())
      expect(names.filter((name) => name !== "member")).toEqual(["leave"]);
  },
);

test("what is closed while the line's server says who it is asks for no place behind that", async () => {
  const { locker, first, pass, say } = await start();
  const [vote, who] = [later(), later()];
  say("vote", TAKEN, vote.promise, vote.promise);
  const failed = failure(locker.obtain("k", TTL, { wait: 60_000 }));
  await turn();
  first.once("member", who.promise);
  first.epoch++;
  vote.answer(TAKEN);
  await turn();
  expect(first.names).toEqual(["vote", "member"]);
  await locker.close();
  expect(await failed).toMatchObject({ code: "CLOSED" });
  who.answer([first.runId, first.mode, first.role, ""]);
  await pass(1_000, 50);
  expect(first.names).not.toContain("stand");
});

test("whoever closes a locker waits until what was given up is given back", async () => {
  const { locker, say } = await start();
  const { promise, answer } = later();
  say("vote", "7", TAKEN, TAKEN);
  say("leave", promise);
  expect(await locker.tryObtain("k", TTL)).toBeNull();
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  await turn();
  expect(isClosed).toBe(false);
  answer(NOTHING_LEFT);
  await closed;
});

describe("clients that are closed", () => {
  test.each([
    [3, 1],
    [5, 2],
  ])("are too many, of %i, if more than %i are", async (count, most) => {
    const { locker, desks } = await start({}, count);
    for (const desk of desks.slice(0, most)) desk.closed = true;
    await (await locker.obtain("k", TTL)).release();
    for (const desk of desks.slice(0, most + 1)) desk.closed = true;
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain("client is closed");
  });
});

describe("a forced release", () => {
  test.each([
    [["1", "1", "0"], true],
    [["0", "1", "1"], true],
    [["1", "0", "1"], true],
    // What a release leaves that is still on its way to one of them.
    [["1", "0", "0"], false],
    [["0", "0", "1"], false],
    [["0", "0", "0"], false],
  ])("by %j: %j", async (owned, outcome) => {
    const { locker, say, sent } = await start();
    say("forceRelease", ...owned.map((flag): Reply => [flag, "0"]));
    expect(await locker.forceRelease("k")).toBe(outcome);
    expect(sent()).toEqual([["forceRelease"], ["forceRelease"], ["forceRelease"]]);
  });

  test.each<[Reply, boolean]>([
    [["1", "0"], true],
    [["0", "0"], false],
  ])("where one refuses, and %j is said besides a no: %j", async (reply, outcome) => {
    const { locker, say } = await start();
    say("forceRelease", refusal, reply, ["0", "0"]);
    expect(await locker.forceRelease("k")).toBe(outcome);
  });

  test("waits for the one that decides, unless it is silent: that one may have had it", async () => {
    const { locker, say, pass } = await start();
    const last = later();
    say("forceRelease", ["1", "0"], ["0", "0"], last.promise);
    const forced = [locker.forceRelease("k")];
    await pass(499);
    last.answer(["0", "0"]);
    expect(await forced[0]).toBe(false);
    say("forceRelease", ["1", "0"], ["0", "0"], silence);
    forced.push(locker.forceRelease("k"));
    await pass(500);
    expect(await forced[1]).toBe(true);
  });

  test("waits for nobody once a majority has said that it had the lock", async () => {
    const { locker, say } = await start();
    const last = later();
    say("forceRelease", ["1", "0"], ["1", "0"], last.promise);
    const told: boolean[] = [];
    const forced = locker.forceRelease("k").then((had) => told.push(had));
    await turn();
    expect(told).toEqual([true]);
    last.answer(["0", "0"]);
    await forced;
  });

  test("has a line served to its end, at the server where it is", async () => {
    const { locker, say, first, second } = await start();
    say("forceRelease", ["1", "0"], ["1", "1"], ["0", "0"]);
    second.once("leave", [null, null, null, "0", "0", "1"]);
    expect(await locker.forceRelease("k")).toBe(true);
    await turn();
    expect([first.times("leave").length, second.times("leave").length]).toEqual([0, 2]);
  });
});

describe("servers that are not known yet", () => {
  test("say who they are, and which secrets they have, before the first vote", async () => {
    const { locker, sent, desks } = scene({ namespace: "shop:" });
    await (await locker.obtain("k", TTL)).release();
    const four = Array<string>(4).fill("member");
    expect(sent().map((names) => names.slice(0, names.indexOf("vote")))).toEqual([
      ...[four, four, four.slice(1)],
    ]);
    for (const [index, { sent: all }] of desks.entries()) {
      const [who, write, ...looks] = all.filter(({ name }) => name === "member");
      // Without a key, which a node of a cluster would refuse.
      expect([who?.keys, who?.args]).toEqual([[], ["0", "60000"]]);
      expect(write?.args).toEqual([String(index + 1), "60000"]);
      expect(new Set(looks.map(({ args }) => args.join()))).toEqual(new Set(["0,60000"]));
      expect(looks[0]?.keys).toEqual(write?.keys);
      expect(write?.keys).toEqual(desks[0]?.sent[1]?.keys);
      expect(write?.keys).toEqual(
        [1, 2, 3].map((n) => expect.stringMatching(`^shop:redislock:quorum:{[\\w-]{22}}:${n}$`)),
      );
    }
    await locker.obtain("k", TTL);
    // Once is enough.
    expect(desks.map((desk) => desk.times("member").length)).toEqual([4, 4, 3]);
  });

  test.each<[string, (desks: readonly Desk[]) => void]>([
    [
      "server 2 is a node of a cluster: a quorum is of servers that do not share their data",
      ([, second]) => Object.assign(second ?? {}, { mode: "cluster" }),
    ],
    [
      "server 3 is a slave: a quorum is of masters that do not share their data",
      ([, , third]) => Object.assign(third ?? {}, { role: "slave" }),
    ],
    [
      "server 1 does not say its run_id and role (INFO): it cannot be told from the others",
      (desks) => desks.forEach((desk) => Object.assign(desk, { runId: "" })),
    ],
    [
      "server 3 does not say its run_id and role (INFO): it cannot be told from the others",
      ([, , third]) => Object.assign(third ?? {}, { role: "" }),
    ],
    [
      "server 1 and server 3 are one server, or one is a replica of the other: a quorum is of " +
        "servers that do not share their data",
      ([, , third]) => Object.assign(third ?? {}, { runId: "run0" }),
    ],
    [
      "server 2 and server 3 are one server, or one is a replica of the other: a quorum is of " +
        "servers that do not share their data",
      ([, , third]) => Object.assign(third ?? {}, { runId: "run1" }),
    ],
    [
      "server 2 and server 1 are one server, or one is a replica of the other: a quorum is of " +
        "servers that do not share their data",
      ([, second]) => second?.has.add(0),
    ],
    [
      "server 1 and server 3 are one server, or one is a replica of the other: a quorum is of " +
        "servers that do not share their data",
      ([first]) => first?.has.add(2),
    ],
  ])("make none, and nothing is asked of them: %s", async (message, spoil) => {
    const { locker, desks } = scene();
    spoil(desks);
    for (const call of [() => locker.obtain("k", TTL), () => locker.inspect("k")]) {
      const error = await failure(call());
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message });
    }
    const asked = desks.flatMap(({ names }) => names);
    expect(asked.filter((name) => name === "vote" || name === "inspect")).toEqual([]);
  });

  test("and one that refuses to say it casts no vote, until it does", async () => {
    const { locker, say, first, third } = scene();
    third.says.set("member", refusal);
    await (await locker.obtain("k", TTL)).release();
    expect(third.times("vote")).toEqual([]);
    say("vote", "7", refusal);
    const error = await failure(locker.obtain("k", TTL));
    expect(error).toMatchObject({ code: "REFUSED" });
    expect(said(error)).toEqual(["yes", "refused", "refused"]);
    // Nobody is asked again who has said it.
    const who = first.sent.filter(({ name, keys }) => name === "member" && keys.length === 0);
    expect(who).toHaveLength(1);
    third.says.delete("member");
    say("vote", "7", refusal, "7");
    await locker.obtain("k", TTL);
    expect(third.times("vote")).toHaveLength(1);
  });

  test.each<[Reply]>([
    ["run2"],
    [["run2", "standalone", "master"]],
    [[null, "standalone", "master", ""]],
    [["run2", null, "master", ""]],
    [["run2", "standalone", null, ""]],
    [["run2", "standalone", "master", null]],
    [["run2", "standalone", "master", []]],
    [["run2", "standalone", "master", "1"]],
    [["run2", "standalone", "master", "002"]],
  ])("and one that answers %j is not known by that", async (reply) => {
    const { locker, third } = scene();
    third.says.set("member", reply);
    await locker.obtain("k", TTL);
    expect(third.names).toEqual(["member"]);
  });

  test("and are silent are waited for no longer than others that are", async () => {
    const { locker, first, second, pass } = scene();
    for (const desk of [first, second]) desk.says.set("member", silence);
    let error: unknown;
    void failure(locker.obtain("k", TTL)).then((one) => (error = one));
    await pass(499);
    expect(error).toBeUndefined();
    await pass(1);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(said(error)).toEqual(["unknown", "unknown", "yes"]);
    expect(String(error)).toContain("server 1: unknown (it has not said yet which server it is)");
  });

  test("and are slow to say so are waited for no longer than a command is", async () => {
    const { locker, third, pass } = scene({ commandTimeout: 300 });
    const who = later();
    third.says.set("member", who.promise);
    let lock: unknown;
    void locker.obtain("k", TTL).then((one) => (lock = one));
    await pass(200);
    third.says.set("member", silence);
    who.answer(["run2", "standalone", "master", ""]);
    await pass(99);
    expect(lock).toBeUndefined();
    await pass(1);
    expect(lock).toMatchObject({ fencingToken: 7 });
    expect(third.names).toEqual(["member", "member"]);
  });

  test("and of which one does not say which secrets it has", async () => {
    const { locker, say, third } = scene();
    const itself = (has: string): Reply => ["run2", "standalone", "master", has];
    third.once("member", itself(""), itself("001"));
    third.says.set("member", refusal);
    await locker.obtain("a", TTL);
    expect(third.names).toEqual(["member", "member", "member"]);
    say("vote", "7", refusal, "7");
    expect(said(await failure(locker.obtain("b", TTL)))).toEqual(["yes", "refused", "refused"]);
  });

  test("and of which one has those of another, as it says only when it is asked again, make none", async () => {
    const { locker, first, third } = scene();
    third.once("member", ["run2", "standalone", "master", ""]);
    third.says.set("member", refusal);
    await (await locker.obtain("k", TTL)).release();
    third.says.delete("member");
    // As its replica has, which says that it is a master.
    for (const name of first.secrets) third.secrets.add(name);
    expect(await failure(locker.obtain("k", TTL))).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("server 3 and server 1 are one server"),
    });
  });

  test("do not wait for one that has been silent for long to look for their secrets", async () => {
    const { locker, say, third, pass } = scene();
    third.says.set("member", refusal);
    for (const name of ["vote", "leave"]) say(name, silence);
    const unknown = failure(locker.obtain("a", TTL));
    await pass(600, 100);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    third.says.delete("member");
    say("member", silence);
    let lock: unknown;
    void locker.obtain("b", TTL).then((one) => (lock = one));
    await pass(0);
    expect(lock).toMatchObject({ fencingToken: 7 });
  });

  test("and say so when nobody waits for it any more are asked again", async () => {
    const { locker, third, pass } = scene();
    const { promise, answer } = later();
    third.says.set("member", promise);
    const obtaining = locker.obtain("k", TTL);
    await pass(3_000, 500);
    await obtaining;
    answer(["run2", "standalone", "master", ""]);
    third.says.delete("member");
    await turn();
    await locker.inspect("k");
    expect(third.times("member").length).toBeGreaterThan(1);
  });

  test("and load their data, as they say again and again, are waited for once", async () => {
    const { clock, locker, third, pass } = await start();
    third.epoch++;
    for (const name of ["member", "vote"]) third.says.set(name, new ServerError("LOADING data"));
    const waits: number[] = [];
    const obtain = async (): Promise<void> => {
      const before = clock.now();
      const lock = await locker.obtain("k", TTL);
      waits.push(clock.now() - before);
      await lock.release();
    };
    const first = obtain();
    await pass(2_500, 10);
    await first;
    for (let i = 0; i < 30; i++) {
      const next = obtain();
      await pass(100, 10);
      await next;
    }
    expect(waits).toEqual([500, ...Array<number>(30).fill(0)]);
    // It votes once it has loaded them, and is waited for when its client connects anew.
    third.says.delete("member");
    third.says.set("vote", "7");
    await pass(3_000, 10);
    await obtain();
    await turn();
    third.epoch++;
    third.sent.length = 0;
    await obtain();
    expect(third.names.slice(0, 2)).toEqual(["member", "vote"]);
    expect(third.times("release")).toHaveLength(1);
  });

  test("and load their data are waited for each time, while no majority is known", async () => {
    const { locker, second, third, pass } = scene();
    const loading = new ServerError("LOADING data");
    for (const desk of [second, third]) desk.says.set("member", loading);
    const failed = failure(locker.obtain("k", TTL));
    await pass(2_500, 10);
    expect(await failed).toBeInstanceOf(OutcomeUnknownError);
    const obtained = locker.obtain("k", TTL);
    await pass(50, 10);
    second.says.delete("member");
    await pass(100, 10);
    expect((await obtained).held).toBe(true);
  });

  test("do not wait for one that falls silent to look for their secrets", async () => {
    const { locker, first, third, pass } = scene();
    const write = later();
    third.once("member", write.promise);
    let lock: unknown;
    void locker.obtain("k", TTL).then((one) => (lock = one));
    await pass(100);
    first.says.set("member", silence);
    first.says.set("vote", silence);
    write.answer(["run2", "standalone", "master", ""]);
    await pass(499);
    expect(lock).toBeUndefined();
    await pass(1);
    expect(lock).toMatchObject({ fencingToken: 7 });
    expect(third.times("vote")).toHaveLength(1);
  });
});

describe("who waits", () => {
  beforeEach(() => {
    jest.spyOn(Math, "random").mockReturnValue(0.5);
  });

  test("stands in one line, and takes the other votes when it is granted there", async () => {
    const { locker, say, first, second, third, sent, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(0);
    expect(sent()).toEqual([["vote", "stand"], ["vote"], ["vote"]]);
    say("vote", ...Array<Reply>(3).fill("1000000000"));
    say("stand", "1000000000");
    await pass(50);
    const lock = await obtaining;
    expect([lock.fencingToken, lock.remaining]).toEqual([1_000_000_000, USABLE]);
    // Each asks by a call of its own, and stands in line as at one server.
    const [, , , , , call, , id, ...place] = first.last("stand");
    expect([call, id, place]).toEqual([
      ...[".2", expect.stringMatching(/:1$/)],
      ["9", "2000", "0", "10000", expect.any(String), ""],
    ]);
    expect(second.sent.map(({ args }) => args[5])).toEqual([".1", ".3"]);
    // That of the line is had already; no other is below its token.
    expect(sent()).toEqual([
      ["vote", "stand", "stand"],
      ["vote", "vote"],
      ["vote", "vote"],
    ]);
    expect([second, third].map((desk) => desk.last("vote")[1])).toEqual([
      ...["1000000000", "1000000000"],
    ]);
    await lock.release();
    expect(first.times("release")).toHaveLength(1);
  });

  test("behind others of its process asks for no votes but in line", async () => {
    const { locker, say, sent, pass, desks } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const control = new AbortController();
    const { signal } = control;
    const wait = { wait: 60_000, signal };
    const waits = [1, 2].map(() => failure(locker.obtain("k", TTL, wait)));
    const other = failure(locker.obtain("l", TTL, wait));
    await pass(0);
    const count = (name: string): number[] => desks.map((desk) => desk.times(name).length);
    // Of the first of each key, and of all three.
    expect([count("vote"), count("stand")]).toEqual([
      [2, 2, 2],
      [3, 0, 0],
    ]);
    control.abort(new Error("enough"));
    await Promise.all([...waits, other]);
    await pass(100);
    for (const desk of desks) desk.sent.length = 0;
    // Nobody else is there any more.
    const failed = failure(locker.obtain("k", TTL, { wait: 100 }));
    await pass(0);
    expect(sent()).toEqual([["vote", "stand"], ["vote"], ["vote"]]);
    await pass(100, 10);
    await failed;
  });

  test("asks for the other votes for 300 ms, gives its own back, and stands in line anew", async () => {
    const { locker, say, first, second, third, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", "7");
    const failed = failure(locker.obtain("k", TTL, { wait: 1_000 }));
    await pass(320, 1);
    // Half of 10 ms between two, by chance.
    expect(second.times("vote").slice(0, 4)).toEqual([0, 0, 5, 10]);
    expect(second.times("vote").filter((at) => at <= 300)).toHaveLength(61);
    expect(third.times("vote")).toEqual(second.times("vote"));
    const [left = 0] = first.times("leave");
    expect(left).toBe(300);
    expect(first.times("stand").slice(0, 2)).toEqual([0, 305]);
    await pass(700, 5);
    expect(await failed).toMatchObject({ code: "NOT_OBTAINED", holder: { metadata: "you" } });
  });

  test.each([
    ["no", refusal],
    ["that it is too young", young],
  ])("where the first server says %s stands in line at the next", async (_, no) => {
    const { locker, say, first, second, third, pass } = await start();
    say("vote", no, TAKEN, TAKEN);
    say("stand", no, PLACE);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(20, 5);
    expect([first, second, third].map((desk) => desk.times("stand").length)).toEqual([1, 1, 0]);
    say("stand", no, "7");
    say("vote", no, "7", "7");
    await pass(50, 5);
    const lock = await obtaining;
    await lock.release();
    // Where the line is, last.
    expect(second.sent.at(-1)?.name).toBe("release");
  });

  test("where all refuse hears of that, once none is left to stand at", async () => {
    const { locker, say, first, second, third, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", refusal, refusal, refusal);
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000 }));
    await pass(30, 5);
    expect([first, second, third].map((desk) => desk.times("stand").length)).toEqual([1, 1, 1]);
    expect([first, second, third].map((desk) => desk.times("vote").length)).toEqual([2, 2, 2]);
    say("vote", refusal, refusal, refusal);
    await pass(500, 5);
    expect(await failed).toMatchObject({ code: "REFUSED" });
  });

  test("where the first server falls silent stands in the line of the next", async () => {
    const { locker, say, first, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(150, 50);
    expect(first.times("member")).toEqual([]);
    await pass(50);
    // It is asked whether it is there.
    expect(first.times("member")).toEqual([200]);
    expect(first.sent.find(({ name }) => name === "member")?.keys).toEqual([]);
    await pass(200, 50);
    expect(first.times("member")).toEqual([200, 400]);
    for (const name of ["member", "stand", "leave"]) first.says.set(name, silence);
    await pass(400, 50);
    expect(second.times("stand")).toEqual([]);
    await pass(200, 10);
    expect(second.times("stand").length).toBeGreaterThan(0);
    control.abort(new Error("enough"));
    expect(await failed).toMatchObject({ message: "enough" });
    await pass(100);
    const [asked, stood] = [second.times("member").length, second.times("stand").length];
    await pass(1_000, 50);
    // Nobody waits there any more.
    expect([second.times("member").length, second.times("stand").length]).toEqual([asked, stood]);
  });

  test("has a server asked whether it is there once, however many wait there, and until the last goes", async () => {
    const { locker, say, first, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const controls = [new AbortController(), new AbortController()];
    const waits = controls.map(({ signal }, index) =>
      failure(locker.obtain(`k${index}`, TTL, { wait: 60_000, signal })),
    );
    await pass(600, 50);
    expect(first.times("member")).toEqual([200, 400, 600]);
    controls[0]?.abort(new Error("enough"));
    await pass(400, 50);
    expect(first.times("member")).toEqual([200, 400, 600, 800, 1_000]);
    controls[1]?.abort(new Error("enough"));
    await pass(1_000, 50);
    expect(first.times("member")).toEqual([200, 400, 600, 800, 1_000]);
    await Promise.all(waits);
    // And again for the next.
    const failed = failure(locker.obtain("k", TTL, { wait: 500 }));
    await pass(500, 50);
    expect(first.times("member").slice(5)).toEqual([2_200, 2_400]);
    await failed;
  });

  test("is the last to be asked for, where a server was asked just then", async () => {
    const { locker, say, first, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const { promise, answer } = later();
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(150, 50);
    first.says.set("member", promise);
    await pass(50);
    control.abort(new Error("enough"));
    await failed;
    answer(["run0", "standalone", "master", ""]);
    await pass(1_000, 50);
    expect(first.times("member")).toEqual([200]);
  });

  test("is behind those who still wait, also when others have gone", async () => {
    const { locker, say, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const controls = [new AbortController(), new AbortController(), new AbortController()];
    const waits: Promise<unknown>[] = [];
    for (const [index, { signal }] of controls.entries()) {
      waits.push(failure(locker.obtain("k", TTL, { wait: 60_000, signal })));
      await pass(10);
      if (index === 1) controls[0]?.abort(new Error("enough"));
      await pass(10);
    }
    // None but the first asked for more than a place.
    expect(second.times("vote")).toHaveLength(1);
    for (const control of controls) control.abort(new Error("enough"));
    await Promise.all(waits);
  });

  test.each([
    ["a listener is told", {}],
    ["nobody needs to be told", { onEvent: undefined }],
  ])("of a channel that cannot be opened %s, but not its name", async (_, options) => {
    const { locker, say, events, pass } = await start(options, 3, Mute);
    say("vote", TAKEN, TAKEN, TAKEN);
    const failed = failure(locker.obtain("k", TTL, { wait: 500 }));
    await pass(600, 50);
    expect(await failed).toMatchObject({ code: "NOT_OBTAINED" });
    const error = { message: "no access to redislock:inbox:…" };
    const told = "onEvent" in options ? undefined : { type: "subscribeFailed", error };
    const [event] = events.filter(({ type }) => type === "subscribeFailed");
    if (told) expect(event).toMatchObject(told);
    else expect(event).toBeUndefined();
  });

  test("is told at which place it stands", async () => {
    const places: unknown[] = [];
    const onEvent = detailed((event) => {
      if (event.type === "waiting") places.push(event.position);
    });
    const { locker, say, pass } = await start({ onEvent });
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", ["-1", "3", "9", "0"]);
    const failed = failure(locker.obtain("k", TTL, { wait: 500 }));
    await pass(600, 50);
    await failed;
    expect(places).toEqual([3]);
  });

  test("has the first server first again, once that answers", async () => {
    const { locker, say, first, second, third, pass } = await start();
    const { promise, answer } = later();
    let refuse: () => void = () => undefined;
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", promise, new Promise((_, reject) => (refuse = () => reject(refusal))));
    first.says.set("leave", silence);
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(520, 5);
    expect(second.times("stand")).toHaveLength(1);
    answer(PLACE);
    await pass(0);
    refuse();
    await pass(20, 5);
    expect([first.times("stand").length, third.times("stand").length]).toEqual([2, 0]);
    control.abort(new Error("enough"));
    await failed;
  });

  test("where one is silent and the others refuse hears what they say together", async () => {
    const { locker, say, first, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", silence, refusal, refusal);
    first.says.set("leave", silence);
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(540, 5);
    expect(second.times("vote").length).toBeGreaterThan(1);
    control.abort(new Error("enough"));
    await failed;
  });

  test.each<[string, Reply | Error, number]>([
    ["leaves the line before it leaves the server for good", NOTHING_LEFT, 2],
    ["leaves nothing more where leaving the line is refused", refusal, 1],
  ])("and may have had votes before %s", async (_, left, times) => {
    const { locker, say, first, second, pass } = await start();
    say("vote", silence, silence, silence);
    const control = new AbortController();
    const { signal } = control;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(510, 10);
    expect(first.times("stand").length).toBeGreaterThan(0);
    let leave: () => void = () => undefined;
    first.says.set(
      "leave",
      new Promise((resolve, reject) => {
        leave = () => (left instanceof Error ? reject(left) : resolve(left));
      }),
    );
    const before = [first, second].map((desk) => desk.times("leave").length);
    control.abort(new Error("enough"));
    await failed;
    await turn();
    const since = (): number[] =>
      [first, second].map((desk, index) => desk.times("leave").length - (before[index] ?? 0));
    expect(since()).toEqual([1, 1]);
    leave();
    await turn();
    expect(since()).toEqual([times, 1]);
  });

  test("listens no more when the locker is closed", async () => {
    const { locker, say, first, pass } = await start({}, 3, Channeled);
    say("vote", TAKEN, TAKEN, TAKEN);
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000 }));
    await pass(0);
    expect(first.listener).toBeDefined();
    await locker.close();
    expect(await failed).toMatchObject({ code: "CLOSED" });
    expect(first.listener).toBeUndefined();
  });

  test("where nobody has the lock stands in no line", async () => {
    const { locker, sent } = await start();
    await locker.obtain("k", TTL, { wait: 60_000 });
    await turn();
    expect(sent()).toEqual([["vote"], ["vote"], ["vote"]]);
  });

  test("whose server falls silent at the end of its time is told of no trouble", async () => {
    const { locker, say, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const failed = failure(locker.obtain("k", TTL, { wait: 555 }));
    await pass(10);
    for (const name of ["stand", "leave"]) say(name, silence);
    await pass(700, 5);
    expect(await failed).toMatchObject({ code: "NOT_OBTAINED" });
  });

  test("gives way where the server of an earlier line is back", async () => {
    const { locker, say, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", silence, "7");
    say("leave", silence);
    const failed = failure(locker.obtain("k", TTL, { wait: 600 }));
    await pass(700, 1);
    await pass(4_000, 50);
    await failed;
    // The first was silent after 500 ms, and said then that the lock is taken.
    expect(second.times("stand")[0]).toBe(505);
    expect(second.times("leave")[0]).toBe(510);
  });

  test("keeps its turn at the next line while the server of the first refuses", async () => {
    const { locker, say, second, pass } = await start();
    say("vote", young, TAKEN, TAKEN);
    say("stand", young, "7");
    const controller = new AbortController();
    const { signal } = controller;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(250, 1);
    expect(second.times("stand")).toHaveLength(1);
    expect(second.times("leave")).toEqual([]);
    controller.abort(new Error("enough"));
    await pass(10, 1);
    await failed;
  });

  test("asks nobody for votes while all are silent", async () => {
    const { locker, say, desks, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", silence, silence, silence);
    for (const name of ["member", "leave"]) say(name, silence, silence, silence);
    const failed = failure(locker.obtain("k", TTL, { wait: 1_900 }));
    await pass(1_800, 5);
    expect(desks.map((desk) => desk.times("vote").length)).toEqual([1, 1, 1]);
    expect(desks.map((desk) => desk.times("stand").length > 0)).toEqual([true, true, true]);
    await pass(4_000, 50);
    expect(await failed).toMatchObject({ code: expect.stringMatching(/NOT_OBTAINED|UNKNOWN/) });
  });

  test("ends at its time", async () => {
    const { locker, say, first, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    let error: unknown;
    void failure(locker.obtain("k", TTL, { wait: 777 })).then((one) => (error = one));
    await pass(776, 1);
    expect(error).toBeUndefined();
    await pass(1);
    const attempts = 1 + first.times("stand").length;
    expect(error).toMatchObject({ code: "NOT_OBTAINED", waited: 777, position: 1, attempts });
    expect(attempts).toBeGreaterThan(10);
  });

  test.each([4_600, 4_990])(
    "ends at its time, though the line's server hangs after %i ms",
    async (ms) => {
      const { clock, locker, say, first, pass } = await start();
      say("vote", TAKEN, TAKEN, TAKEN);
      let ended = 0;
      const failed = failure(locker.obtain("k", TTL, { wait: 5_000 })).finally(() => {
        ended = clock.now() - BEGINNING;
      });
      await pass(ms, 10);
      for (const name of ["stand", "member", "leave"]) first.says.set(name, silence);
      await pass(3_000, 1);
      await failed;
      // A turn of the clock more, as this one is turned.
      expect(ended).toBeLessThanOrEqual(5_001);
    },
  );

  test("goes to the next line as soon as a server hangs that it is to leave", async () => {
    const { locker, say, first, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", "7", PLACE);
    const controller = new AbortController();
    const { signal } = controller;
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000, signal }));
    await pass(290, 10);
    for (const name of ["member", "leave"]) first.says.set(name, silence);
    await pass(1_000, 10);
    expect(second.times("stand").at(0)).toBeLessThan(1_000);
    controller.abort(new Error("enough"));
    await failed;
  });

  test("counts what it was granted in line from when it asked there", async () => {
    const { locker, say, second, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(0);
    say("stand", "7");
    say("vote", silence, "7", silence);
    second.once("vote", new ServerError("LOADING not yet"));
    await pass(50);
    await pass(10);
    // The other vote is of 10 ms later.
    expect((await obtaining).remaining).toBe(USABLE - 10);
  });

  test("is told by a message of a shorter lease, which then is all that it can prove", async () => {
    const { locker, say, first, pass } = await start({}, 3, Channeled);
    say("vote", TAKEN, TAKEN, TAKEN);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000, token: "a-token-of-my-own" });
    await pass(0);
    first.listener?.message("unseen 1");
    await pass(0);
    const [, , , , , , , , , patience, reach, lease, proof] = first.last("stand");
    expect([patience, reach, lease]).toEqual(["4000", "2", "5000"]);
    say("vote", silence, "7", silence);
    say("refresh", silence, silence, silence);
    first.listener?.message(`grant 1 7 ${proof}`);
    await pass(0);
    const lock = await obtaining;
    expect(lock.remaining).toBe(5_000 - 50 - 2);
    // A whole lease is asked for at once, of the vote that was had in line as well.
    expect(first.last("refresh").slice(0, 2)).toEqual(["a-token-of-my-own", "7"]);
  });

  test("has nothing of a line that it has left", async () => {
    const { locker, say, desks, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", "7");
    const obtaining = locker.obtain("k", TTL, { wait: 60_000 });
    await pass(300, 5);
    say("stand", refusal, refusal, refusal);
    const votes = (): number[] => desks.map((desk) => desk.times("vote").length);
    const before = votes();
    say("vote", "7", "7", "7");
    await pass(100, 5);
    await obtaining;
    expect(votes()).toEqual(before.map((count) => count + 1));
  });

  test("has no token of a line that it has left, to release by", async () => {
    const { locker, say, first, second, third, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", "7");
    const token = "a-token-of-my-own";
    const obtaining = locker.obtain("k", TTL, { wait: 60_000, token });
    await pass(300, 5);
    say("stand", refusal, refusal, refusal);
    say("vote", TAKEN, "7", "7");
    await pass(100, 5);
    await (await obtaining).release();
    await turn();
    const releases = [first, second, third].map((desk) => desk.times("release").length);
    expect(releases).toEqual([0, 1, 1]);
  });

  test("gives back what it was granted in line, where the other votes are refused for good", async () => {
    const { locker, say, first, pass } = await start();
    say("vote", TAKEN, TAKEN, TAKEN);
    const failed = failure(locker.obtain("k", TTL, { wait: 60_000 }));
    await pass(0);
    say("stand", "7");
    say("vote", "7", refusal, refusal);
    await pass(50);
    expect(await failed).toMatchObject({ code: "REFUSED" });
    await turn();
    expect(first.times("leave")).toHaveLength(1);
    expect(first.last("leave")[1]).toBe(first.last("stand")[7]);
  });

  test("releases what it had in line there, and last", async () => {
    const { locker, say, first, second, third, pass } = await start();
    const token = "a-token-of-my-own";
    say("vote", TAKEN, TAKEN, TAKEN);
    say("stand", refusal, PLACE);
    const obtaining = locker.obtain("k", TTL, { wait: 60_000, token });
    await pass(20, 5);
    say("stand", refusal, "7");
    say("vote", "7", TAKEN, "7");
    await pass(100, 5);
    const lock = await obtaining;
    for (const desk of [first, second, third]) desk.sent.length = 0;
    const { promise, answer } = later();
    say("release", promise, "1", "1");
    const releasing = lock.release();
    await pass(0);
    expect([first.names, second.names, third.names]).toEqual([["release"], [], ["release"]]);
    answer("1");
    await releasing;
    expect(second.last("release")).toEqual([token, "7"]);
  });
});

describe("a vote that comes when the lock is held", () => {
  test.each([0, 3_000])("is known by its own token, also after %i ms", async (ms) => {
    const { locker, say, first, third, pass } = await start();
    const { promise, answer } = later();
    say("vote", "7", "7", promise);
    const lock = await locker.obtain("k", TTL, { token: "a-token-of-my-own" });
    await pass(ms, 500);
    await lock.refresh();
    expect(third.last("refresh")[1]).toBe("7");
    answer("9");
    await turn();
    await lock.refresh();
    await lock.ttl();
    expect([first.last("refresh")[1], third.last("refresh")[1]]).toEqual(["7", "9"]);
    expect([first.last("ttl")[1], third.last("ttl")[1]]).toEqual(["7", "9"]);
    await lock.release();
    expect([first.last("release")[1], third.last("release")[1]]).toEqual(["7", "9"]);
  });

  test("and is to stay taken for a while stays so for no longer", async () => {
    const { locker, say, third, pass } = await start();
    const { promise, answer } = later();
    say("vote", "7", "7", promise);
    const lock = await locker.obtain("k", TTL, { holdAtLeast: 5_000 });
    await lock.release();
    expect(third.times("shorten")).toHaveLength(1);
    await pass(100);
    answer("7");
    await turn();
    expect(third.last("shorten")[2]).toBe("4900");
    expect(third.times("shorten")).toHaveLength(2);
  });

  test.each<[string, Reply | Promise<Reply>]>([
    ["when that was answered", "1"],
    ["before that is answered", silence],
  ])("and is heard of after it was released goes back by the release, %s", async (_, reply) => {
    const { locker, say, third, pass } = await start();
    const { promise, answer } = later();
    say("vote", "7", "7", promise);
    say("release", "1", "1", reply);
    const lock = await locker.obtain("k", TTL);
    await pass(1);
    await lock.release();
    await turn();
    answer("7");
    await turn();
    expect(third.names).toEqual(["vote", "release"]);
  });
});
