/** What candidates and followers do when there is trouble, to the millisecond: without a server. */
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import { ServerError } from "../src/adapter.js";
import { Locker, type LockerOptions, type LockEvent, type Reply, type Term } from "../src/index.js";

const TTL = 9_000;
const USABLE = 8_908;

afterEach(() => {
  jest.restoreAllMocks();
});

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function start(options: LockerOptions = {}) {
  const clock = new VirtualClock(1_000);
  const events: LockEvent[] = [];
  const sent: (readonly [name: string, at: number])[] = [];
  const says = new Map<string, Reply | Error>([
    ...([["obtain", "7"]] as const),
    ...(["release", "refresh"] as const).map((name) => [name, "1"] as const),
    ...([["announce", "0"]] as const),
    ...([["leave", [null, null, null, "0", "0", "0"]]] as const),
  ]);
  const run = ({ name }: { readonly name: string }): Promise<Reply> => {
    sent.push([name, clock.now() - 1_000]);
    const reply = says.get(name) ?? null;
    return reply instanceof Error ? Promise.reject(reply) : Promise.resolve(reply);
  };
  const onEvent = (event: LockEvent): void => void events.push(event);
  const locker = new Locker({ run }, { clock, onEvent, ...options });
  const times = (what: string): number[] =>
    sent.filter(([name]) => name === what).map(([, at]) => at);
  const pass = async (ms: number, step = 100): Promise<void> => {
    await turn();
    for (let passed = 0; passed < ms; passed += step) {
      clock.advance(Math.min(step, ms - passed));
      await turn();
    }
  };
  const failures = (): LockEvent[] => events.filter(({ type }) => type === "electionFailed");
  return { clock, locker, says, times, pass, failures };
}

/** Pauses double from 100 ms on, up to ten seconds, of which chance takes no part here. */
const TRIES = [0, 100, 300, 700, 1_500, 3_100, 6_300, 12_700, 22_700, 32_700];
const refusal = new ServerError("ERR no");

describe("a candidate", () => {
  test.each([
    ["tells of each failure", {}],
    ["needs nobody to tell", { onEvent: undefined }],
  ])("who is refused tries again, after growing pauses, and %s", async (_, options) => {
    jest.spyOn(Math, "random").mockReturnValue(1);
    const { locker, says, times, pass, failures } = start(options);
    says.set("obtain", refusal);
    const led = locker.lead("k", TTL, {}, ({ name, fencingToken }) => [name, fencingToken]);
    await pass(32_700);
    expect(times("obtain")).toEqual(TRIES);
    if (!("onEvent" in options)) {
      expect(failures()).toHaveLength(TRIES.length);
      expect(failures()[0]).toMatchObject({ keys: ["k"], error: { operation: "obtain" } });
    }
    says.set("obtain", "7");
    await pass(10_000);
    expect(await led).toEqual(["", 7]);
  });

  test("pauses for half as long at the least, by chance", async () => {
    jest.spyOn(Math, "random").mockReturnValue(0);
    const { locker, says, times, pass } = start();
    says.set("obtain", refusal);
    const led = failure(locker.lead("k", TTL, {}, () => 1));
    await pass(1_000, 10);
    expect(times("obtain")).toEqual([0, 50, 150, 350, 750]);
    await locker.close();
    expect(await led).toMatchObject({ code: "CLOSED" });
  });

  test("who has led begins with the first pause again", async () => {
    jest.spyOn(Math, "random").mockReturnValue(1);
    const { clock, locker, says, times, pass } = start();
    says.set("obtain", refusal);
    const terms: Term[] = [];
    const led = failure(
      locker.lead("k", TTL, {}, async (term) => {
        terms.push(term);
        says.set("obtain", refusal);
        await new Promise((resolve) => term.signal.addEventListener("abort", resolve));
      }),
    );
    await pass(650);
    says.set("obtain", "7");
    await pass(100);
    expect(terms).toHaveLength(1);
    const before = times("obtain").length;
    says.set("refresh", "0");
    clock.advance(3_000); // The renewal says that it is lost.
    await turn();
    await pass(300);
    const [first = 0, second = 0, third = 0] = times("obtain").slice(before);
    expect([second - first, third - second]).toEqual([100, 200]);
    await locker.close();
    await led;
  });

  test.each([
    ["nothing", null],
    ["a text", "enough"],
    ["an object", { name: "Enough" }],
  ])("whose function throws %s after a loss leads no more, and throws it", async (_, thrown) => {
    const { clock, locker } = start();
    const led = locker.lead("k", TTL, {}, (term) => {
      clock.stall(USABLE);
      expect(term.held).toBe(false);
      AbortSignal.abort(thrown).throwIfAborted(); // Throws it as it is.
    });
    await expect(led).rejects.toEqual(thrown);
  });

  test("whose function ends as it was told to after a loss stands again", async () => {
    const { clock, locker, times } = start();
    let terms = 0;
    const led = locker.lead("k", TTL, {}, (term) => {
      if (++terms === 3) return "done";
      clock.stall(USABLE);
      expect([term.held, term.remaining]).toEqual([false, 0]);
      if (terms === 1) throw term.signal.reason;
      throw Object.assign(new Error("stopped"), { name: "AbortError" });
    });
    expect(await led).toBe("done");
    expect(times("obtain")).toHaveLength(3);
  });

  test("is told at once of a signal that aborted in the moment of the grant", async () => {
    const control = new AbortController();
    const { locker } = start({
      onEvent: ({ type }) => {
        if (type === "obtained") control.abort(new Error("enough"));
      },
    });
    const { signal } = control;
    const told = (term: Term): unknown => term.signal.reason;
    expect(await locker.lead("k", TTL, { signal }, told)).toBe(signal.reason);
  });

  test.each([{}, { onEvent: undefined }])(
    "whose announcements are refused leads all the same (%j)",
    async (options) => {
      const { locker, says, failures } = start(options);
      says.set("announce", refusal);
      expect(await locker.lead("k", TTL, {}, () => "done")).toBe("done");
      if ("onEvent" in options) return;
      const error: unknown = expect.objectContaining({ operation: "announce", keys: ["k"] });
      expect(failures()).toEqual(
        [1, 2].map(() => ({ type: "electionFailed", keys: ["k"], error })),
      );
    },
  );
});

describe("a follower", () => {
  test.each([
    ["tells of each failure", {}],
    ["needs nobody to tell", { onEvent: undefined }],
  ])("who is refused looks again, after growing pauses, and %s", async (_, options) => {
    jest.spyOn(Math, "random").mockReturnValue(1);
    const { locker, says, times, pass, failures } = start(options);
    says.set("inspect", refusal);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    expect(await leaders.next()).toMatchObject({ value: undefined, done: false });
    const next = leaders.next();
    await pass(32_700);
    expect(times("inspect")).toEqual(TRIES);
    if (!("onEvent" in options)) {
      expect(failures()).toHaveLength(TRIES.length);
      expect(failures()[0]).toMatchObject({ keys: ["k"], error: { operation: "inspect" } });
    }
    says.set("inspect", ["9000", "7", "me", "0"]);
    await pass(10_000);
    expect(await next).toEqual({ value: { name: "me", fencingToken: 7 }, done: false });
    await locker.close();
  });

  test("knows a leader until its lease is over, while nothing is found out", async () => {
    jest.spyOn(Math, "random").mockReturnValue(1);
    const { locker, says, times, pass } = start();
    says.set("inspect", ["900", "7", "me", "0"]);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    expect(await leaders.next()).toMatchObject({ value: { fencingToken: 7 } });
    says.set("inspect", refusal);
    let known = true;
    const next = leaders.next().finally(() => (known = false));
    await pass(899, 1);
    expect(known).toBe(true);
    // A third of the lease, then growing pauses, and its end.
    expect(times("inspect")).toEqual([0, 300, 400, 600]);
    await pass(1);
    expect(await next).toMatchObject({ value: undefined, done: false });
    expect(times("inspect")).toEqual([0, 300, 400, 600, 900]);
    await locker.close();
  });
});
