/** What candidates and followers do when there is trouble, to the millisecond: without a server. */
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";
import { getEventListeners } from "node:events";

import { ServerError } from "../src/adapter.js";
import {
  type ChannelListener,
  Locker,
  type LockerOptions,
  type LockEvent,
  type RedisClient,
  type Reply,
  type Subscription,
  type Term,
} from "../src/index.js";

const TTL = 9_000;
const USABLE = 8_908;

afterEach(() => {
  jest.restoreAllMocks();
});

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What an inspection of a free lock is answered. */
const FREE: Reply = [null, null, null, "0"];

/** A channel that may be listened to, as the test says. */
class Channel {
  readonly listeners: ChannelListener[] = [];
  closings = 0;
  /** What comes of the next who listens. */
  next: () => Promise<Subscription> = () => Promise.resolve(this.subscription);

  readonly subscription: Subscription = {
    close: () => {
      this.closings++;
      return Promise.resolve();
    },
  };

  readonly subscribe: RedisClient["subscribe"] = (_, listener) => {
    this.listeners.push(listener);
    return this.next();
  };
}

/** An answer that comes when the test says so. */
function held(): { readonly promise: Promise<Reply>; readonly answer: (reply: Reply) => void } {
  let answer: (reply: Reply) => void = () => undefined;
  const promise = new Promise<Reply>((resolve) => (answer = resolve));
  return { promise, answer };
}

function start(options: LockerOptions = {}, channel?: Channel) {
  const clock = new VirtualClock(1_000);
  const events: LockEvent[] = [];
  const sent: (readonly [name: string, at: number])[] = [];
  const says = new Map<string, Reply | Error | Promise<Reply>>([
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
  const subscribe = channel?.subscribe;
  const client = { closed: false, run, ...(subscribe && { subscribe }) };
  const locker = new Locker(client, { clock, onEvent, ...options });
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
  return { clock, client, locker, says, times, pass, events, failures };
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

  test("whose function gave the lock back by itself was not told to end, so its error counts", async () => {
    const { locker, times } = start();
    const error = Object.assign(new Error("of the function's own"), { name: "AbortError" });
    const led = locker.lead("k", TTL, {}, async () => {
      for (const lock of locker.held) await lock.release();
      throw error;
    });
    expect(await failure(led)).toBe(error);
    expect(times("obtain")).toHaveLength(1);
  });

  test("of a locker that is closed is told of no failure", async () => {
    const { locker, failures } = start();
    await locker.close();
    const error = await failure(locker.lead("k", TTL, {}, () => 1));
    expect(error).toMatchObject({ code: "CLOSED", keys: ["k"] });
    expect(failures()).toEqual([]);
  });

  test("listens to its signal no more, however often it had to try", async () => {
    const { signal } = new AbortController();
    const listeners = (): number => getEventListeners(signal, "abort").length;
    const { locker, says, pass } = start();
    says.set("obtain", refusal);
    const led = locker.lead("k", TTL, { signal }, listeners);
    await pass(1_000);
    says.set("obtain", "7");
    await pass(10_000);
    expect(await led).toBe(1);
    expect(listeners()).toBe(0);
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
      const error = { operation: "inspect", keys: ["k"] };
      expect(failures()[0]).toMatchObject({ keys: ["k"], error });
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

  test("of a client that is closed ends soon, however long the lease is that it knows of", async () => {
    const { client, locker, says, times, pass } = start({}, new Channel());
    says.set("inspect", ["60000", "7", "me", "0"]);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    expect(await leaders.next()).toMatchObject({ value: { name: "me" } });
    const next = failure(leaders.next());
    await pass(20_000);
    const looks = times("inspect").length;
    client.closed = true;
    await pass(15_000);
    expect(await next).toBeInstanceOf(TypeError);
    expect(times("inspect")).toHaveLength(looks);
  });

  test("of a client that is closed listens no more, to its channel nor to its signal", async () => {
    const channel = new Channel();
    const { client, locker, says, pass } = start({}, channel);
    const { signal } = new AbortController();
    says.set("inspect", FREE);
    const leaders = locker.leader("k", { signal })[Symbol.asyncIterator]();
    await leaders.next();
    const next = failure(leaders.next());
    client.closed = true;
    await pass(15_000);
    expect(await next).toBeInstanceOf(TypeError);
    await turn();
    expect(channel.closings).toBe(1);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("of a client that cannot listen is told of no trouble with that", async () => {
    const { locker, says, events } = start();
    says.set("inspect", ["9000", "7", null, "0"]);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    // One who said nothing of itself.
    expect(await leaders.next()).toMatchObject({ value: { name: "", fencingToken: 7 } });
    await turn();
    expect(events).toEqual([]);
    await locker.close();
    const closed = locker.leader("k")[Symbol.asyncIterator]();
    expect(await failure(closed.next())).toMatchObject({ code: "CLOSED", keys: ["k"] });
  });

  test("is ended by the closing of the locker, which names the key", async () => {
    const { locker, says } = start();
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const next = failure(leaders.next());
    await locker.close();
    expect(await next).toMatchObject({ code: "CLOSED", keys: ["k"] });
  });

  test("who listens looks when it begins to, and then when the lease is over that it knows of", async () => {
    const { locker, says, times, pass } = start({}, new Channel());
    says.set("inspect", ["900", "7", "me", "0"]);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    expect(await leaders.next()).toMatchObject({ value: { fencingToken: 7 } });
    const next = failure(leaders.next());
    await pass(900, 1);
    expect(times("inspect")).toEqual([0, 0, 900]);
    await locker.close();
    await next;
  });

  test("who hears of news while it looks looks once more", async () => {
    const channel = new Channel();
    const { locker, says, times, pass } = start({}, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const next = leaders.next();
    await pass(0);
    const { promise, answer } = held();
    says.set("inspect", promise);
    channel.listeners[0]?.message("look");
    await turn();
    const looks = times("inspect").length;
    channel.listeners[0]?.message("look");
    await turn();
    expect(times("inspect")).toHaveLength(looks);
    says.set("inspect", ["9000", "7", "me", "0"]);
    answer(FREE);
    expect(await next).toMatchObject({ value: { fencingToken: 7 } });
    expect(times("inspect")).toHaveLength(looks + 1);
    await locker.close();
  });

  test("whose channel is lost is told so, and looks as who hears nothing until it is back", async () => {
    const channel = new Channel();
    const { locker, says, times, pass, events } = start({}, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const next = failure(leaders.next());
    await pass(0);
    expect(times("inspect")).toEqual([0, 0]);
    channel.listeners[0]?.lost?.(new Error("the line is cut"));
    const error = { message: "the line is cut" };
    expect(events).toMatchObject([{ type: "subscribeFailed", error }]);
    await pass(2_000);
    expect(times("inspect")).toEqual([0, 0, 0, 1_000, 2_000]);
    channel.listeners[0]?.resumed();
    await pass(14_999);
    expect(times("inspect")).toEqual([0, 0, 0, 1_000, 2_000, 2_000]);
    // The client opens it again by itself.
    expect(channel.listeners).toHaveLength(1);
    await locker.close();
    await next;
  });

  test.each([
    ["is told so", {}],
    ["needs nobody to tell", { onEvent: undefined }],
  ])("whose channel cannot be opened %s, and tries again after 10 s", async (_, options) => {
    const channel = new Channel();
    channel.next = () => Promise.reject(new Error("no more connections"));
    const { locker, says, pass, events } = start(options, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const next = failure(leaders.next());
    await pass(9_999, 1);
    expect(channel.listeners).toHaveLength(1);
    const error = { message: "no more connections" };
    const told = "onEvent" in options ? [] : [{ type: "subscribeFailed", error }];
    expect(events).toMatchObject(told);
    await pass(1);
    expect(channel.listeners).toHaveLength(2);
    await locker.close();
    await next;
  });

  describe("of a leader that no message told of", () => {
    /** It hears nothing, and finds another leader when the lease of the one before is over. */
    async function late(options: LockerOptions = {}) {
      const channel = new Channel();
      const scene = start(options, channel);
      const { locker, says, pass } = scene;
      says.set("inspect", ["900", "7", "me", "0"]);
      const leaders = locker.leader("k")[Symbol.asyncIterator]();
      await leaders.next();
      const next = leaders.next();
      await pass(800);
      says.set("inspect", ["60000", "8", "you", "0"]);
      await pass(100);
      expect(await next).toMatchObject({ value: { name: "you", fencingToken: 8 } });
      const after = leaders.next();
      const end = async (): Promise<void> => {
        const ended = failure(after);
        await locker.close();
        await ended;
      };
      return { ...scene, channel, end };
    }

    test.each([
      ["tells", {}],
      ["needs nobody to tell", { onEvent: undefined }],
    ])(
      "has one sent, and if that does not come either, listens anew, and %s",
      async (_, options) => {
        const { channel, times, pass, events, end } = await late(options);
        await pass(999, 1);
        expect(times("announce")).toEqual([]);
        await pass(1, 1);
        expect(times("announce")).toEqual([1_900]);
        await pass(999, 1);
        expect([channel.closings, channel.listeners.length]).toEqual([0, 1]);
        const looks = times("inspect").length;
        await pass(1, 1);
        expect([channel.closings, channel.listeners.length]).toEqual([1, 2]);
        // At once, and when it listens.
        expect(times("inspect")).toHaveLength(looks + 2);
        if (!("onEvent" in options)) {
          const error = { message: "messages are sent, but do not arrive" };
          expect(events).toMatchObject([{ type: "subscribeFailed", error }]);
        }
        // The one before is not heard any more.
        channel.listeners[0]?.message("look");
        channel.listeners[0]?.lost?.(new Error("gone"));
        await pass(10_000);
        expect(times("inspect")).toHaveLength(looks + 2);
        expect(times("announce")).toHaveLength(1);
        await end();
      },
    );

    test("does nothing if one comes soon", async () => {
      const { channel, times, pass, events, end } = await late();
      await pass(900);
      channel.listeners[0]?.message("look");
      await pass(10_000);
      expect([times("announce"), events, channel.listeners.length]).toEqual([[], [], 1]);
      await end();
    });

    test("goes on listening if the one comes that it has sent", async () => {
      const { channel, times, pass, events, end } = await late();
      await pass(1_900);
      channel.listeners[0]?.message("look");
      await pass(10_000);
      expect([times("announce"), events, channel.listeners.length]).toEqual([[1_900], [], 1]);
      await end();
    });

    test("concludes nothing where it may not send one", async () => {
      const { channel, says, times, pass, events, end } = await late();
      says.set("announce", new ServerError("NOPERM no"));
      await pass(10_000);
      expect([times("announce"), events, channel.closings]).toEqual([[1_900], [], 0]);
      await end();
    });

    test("looks as who hears nothing until it listens anew", async () => {
      const { channel, times, pass, end } = await late();
      channel.next = () => new Promise(() => undefined);
      await pass(2_000);
      const looks = times("inspect").length;
      await pass(20_000);
      expect(times("inspect")).toHaveLength(looks + 1);
      await end();
    });

    test("sends none where one told of it, nor where nobody leads any more", async () => {
      const channel = new Channel();
      const { locker, says, times, pass } = start({}, channel);
      says.set("inspect", ["900", "7", "me", "0"]);
      const leaders = locker.leader("k")[Symbol.asyncIterator]();
      await leaders.next();
      const second = leaders.next();
      await pass(500);
      says.set("inspect", ["5000", "8", "you", "0"]);
      channel.listeners[0]?.message("look");
      expect(await second).toMatchObject({ value: { fencingToken: 8 } });
      const third = leaders.next();
      await pass(4_900);
      says.set("inspect", FREE);
      await pass(100);
      expect(await third).toMatchObject({ value: undefined });
      const next = failure(leaders.next());
      await pass(10_000);
      expect(times("announce")).toEqual([]);
      await locker.close();
      await next;
    });

    test("sends none where it follows no more", async () => {
      const { times, pass, end } = await late();
      await end();
      await pass(10_000);
      expect(times("announce")).toEqual([]);
    });
  });

  test("listens by a client that says so while it begins to", async () => {
    const channel = new Channel();
    channel.next = () => {
      channel.listeners[0]?.resumed();
      return Promise.resolve(channel.subscription);
    };
    const { locker, says, times, pass, events } = start({}, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const next = failure(leaders.next());
    await pass(14_900);
    expect([times("inspect").length, events]).toEqual([2, []]);
    await locker.close();
    await next;
  });

  test("who follows no more has left its channel", async () => {
    const channel = new Channel();
    const { locker, says } = start({}, channel);
    says.set("inspect", FREE);
    for await (const leader of locker.leader("k")) {
      expect(leader).toBeUndefined();
      break;
    }
    await turn();
    expect([channel.listeners.length, channel.closings]).toEqual([1, 1]);
  });

  test("who follows no more is not told that its channel could not be opened", async () => {
    const channel = new Channel();
    let fail: (error: Error) => void = () => undefined;
    channel.next = () => new Promise((_, reject) => (fail = reject));
    const { locker, says, events } = start({}, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    await leaders.return?.();
    fail(new Error("no more connections"));
    await turn();
    expect(events).toEqual([]);
  });

  test.each(["waits for news", "asks who leads"])(
    "who leaves while it %s is told so at once, and listens no more",
    async (what) => {
      const channel = new Channel();
      const { locker, says } = start({}, channel);
      const { signal } = new AbortController();
      says.set("inspect", what === "waits for news" ? FREE : held().promise);
      const leaders = locker.leader("k", { signal })[Symbol.asyncIterator]();
      if (what === "waits for news") await leaders.next();
      const [one, another] = [leaders.next(), leaders.next()];
      await turn();
      const end = { value: undefined, done: true };
      expect(await leaders.return?.()).toEqual(end);
      expect(await Promise.all([one, another, leaders.next()])).toEqual([end, end, end]);
      await turn();
      expect(channel.closings).toBe(channel.listeners.length);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    },
  );

  test("who leaves by an error while it waits for news is told so at once, and listens no more", async () => {
    const channel = new Channel();
    const { locker, says } = start({}, channel);
    says.set("inspect", FREE);
    const leaders = locker.leader("k")[Symbol.asyncIterator]();
    await leaders.next();
    const one = leaders.next();
    await turn();
    const end = { value: undefined, done: true };
    const error = new Error("enough");
    await expect(leaders.throw?.(error)).rejects.toBe(error);
    expect(await Promise.all([one, leaders.next()])).toEqual([end, end]);
    await turn();
    expect(channel.closings).toBe(channel.listeners.length);
  });

  test("who leaves before it began has asked nothing", async () => {
    const { locker, times } = start();
    const { signal } = new AbortController();
    const leaders = locker.leader("k", { signal })[Symbol.asyncIterator]();
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(await leaders.return?.()).toEqual({ value: undefined, done: true });
    expect(await leaders.next()).toEqual({ value: undefined, done: true });
    expect(times("inspect")).toEqual([]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("whose signal aborts in whatever moment leaves no channel open", async () => {
    for (let moment = 0; moment < 40; moment++) {
      const channel = new Channel();
      const { locker, says } = start({}, channel);
      const { promise, answer } = held();
      says.set("inspect", promise);
      const control = new AbortController();
      const { signal } = control;
      const leaders = locker.leader("k", { signal })[Symbol.asyncIterator]();
      const first = leaders.next().catch((error: unknown) => error);
      answer(FREE);
      for (let step = 0; step < moment; step++) await Promise.resolve();
      control.abort(new Error("enough"));
      await first;
      await turn();
      expect(channel.closings).toBe(channel.listeners.length);
    }
  });
});
