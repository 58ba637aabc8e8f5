/** Leader election: `lead` runs a function in each term of this process, `leader` tells who leads. */
import { afterEach, describe, expect, test } from "@jest/globals";
import { companion, failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import { setImmediate as turn } from "node:timers/promises";

import {
  detailed,
  type Leader,
  Locker,
  LockerClosedError,
  type LockEvent,
  LockLostError,
  type RedisClient,
  type Term,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** Ends at the end of the test at the latest. */
function stopper(): AbortController {
  const stop = new AbortController();
  stops.push(stop);
  return stop;
}

/** Stands for election, and gives its terms to the test, which ends them. */
class Candidate {
  readonly terms: Term[] = [];
  readonly stop = stopper();
  readonly led: Promise<string>;
  #settle: { resolve: (value: string) => void; reject: (error: unknown) => void } | undefined;

  constructor(one: Locker, name: string, ttl: number = 60_000) {
    const { signal } = this.stop;
    this.led = one.lead("k", ttl, { name, signal }, (term) => {
      this.terms.push(term);
      return new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    });
    this.led.catch(() => undefined);
  }

  async leads(terms: number = 1): Promise<Term> {
    await waitUntil(() => this.terms.length === terms, { what: `term ${terms}` });
    const term = this.terms.at(-1);
    if (!term) throw new Error("never");
    return term;
  }

  /** The function of its term returns. */
  resolve(value: string = ""): void {
    this.#settle?.resolve(value);
  }

  /** The function of its term throws. */
  reject(error: unknown): void {
    this.#settle?.reject(error);
  }
}

/** Follows an election, and keeps all that it is told. */
class Follower {
  readonly told: (Leader | undefined)[] = [];
  readonly stop = stopper();
  readonly ended: Promise<unknown>;

  constructor(one: Locker, key: string = "k") {
    this.ended = failure(this.#follow(one, key));
  }

  /** Resolves when it was told of these leaders, by name, and of no others. */
  async sees(...names: (string | undefined)[]): Promise<void> {
    const seen = (): string => JSON.stringify(this.told.map((leader) => leader?.name ?? null));
    const wanted = JSON.stringify(names.map((name) => name ?? null));
    await waitUntil(() => this.told.length >= names.length, {
      what: `${wanted} to be seen, not ${seen()}`,
    });
    expect(seen()).toBe(wanted);
  }

  async #follow(one: Locker, key: string): Promise<void> {
    for await (const leader of one.leader(key, { signal: this.stop.signal })) {
      this.told.push(leader);
    }
  }
}

function recorder(): { events: LockEvent[]; onEvent: (event: LockEvent) => void } {
  const events: LockEvent[] = [];
  return { events, onEvent: (event) => void events.push(event) };
}

type Hearing = Required<Pick<RedisClient, "run" | "subscribe">>;

/** A client, and how many replies it has got so far. */
function counting(): { counted: Hearing; untilReplies: (count: number) => Promise<void> } {
  const inner = client();
  let replies = 0;
  const counted: Hearing = {
    run: async (...command) => {
      const reply = await inner.run(...command);
      replies++;
      return reply;
    },
    subscribe: (...listen) => inner.subscribe(...listen),
  };
  const untilReplies = async (count: number): Promise<void> => {
    await waitUntil(() => replies >= count, { what: `${count} replies` });
  };
  return { counted, untilReplies };
}

async function isFree(): Promise<boolean> {
  return (await server.command("EXISTS", "k")) === 0;
}

async function listening(): Promise<string> {
  return String(await server.command("PUBSUB", "NUMSUB", "redislock:leader:k"));
}

async function untilSubscribed(count: number = 1): Promise<void> {
  await waitUntil(async () => (await listening()) === `redislock:leader:k,${count}`, {
    what: `${count} to listen`,
  });
}

describe("lead", () => {
  test("runs the function with the facts of the term, and resolves with what it returns", async () => {
    const one = new Candidate(locker(), "a");
    const term = await one.leads();
    const { holder } = await locker().inspect("k");
    expect(term).toMatchObject({ key: "k", name: "a", held: true });
    expect(holder).toMatchObject({ metadata: "a", fencingToken: term.fencingToken });
    expect(term.remaining).toBeGreaterThan(0);
    expect(term.signal.aborted).toBe(false);
    one.resolve("done");
    expect(await one.led).toBe("done");
    expect(await isFree()).toBe(true);
    expect(term.held).toBe(false);
    expect(term.signal.aborted).toBe(false);
  });

  test("one leads at a time, and the next in line when it resigns", async () => {
    const a = new Candidate(locker(), "a");
    const { fencingToken } = await a.leads();
    const b = new Candidate(locker(), "b");
    await untilInLine("k", 1, "told");
    expect(b.terms).toEqual([]);
    a.resolve();
    expect((await b.leads()).fencingToken).toBeGreaterThan(fencingToken);
  });

  test("what the function throws comes through, and the lock is released", async () => {
    const one = new Candidate(locker(), "a");
    await one.leads();
    const error = new Error("of the function");
    one.reject(error);
    expect(await failure(one.led)).toBe(error);
    expect(await isFree()).toBe(true);
  });

  test("a function that throws at once, too", async () => {
    const error = new Error("of the function");
    const led = locker().lead("k", 10_000, {}, () => {
      throw error;
    });
    expect(await failure(led)).toBe(error);
    expect(await isFree()).toBe(true);
  });

  const reasons: [string, (term: Term) => unknown][] = [
    ["the reason of its signal", ({ signal }): unknown => signal.reason],
    ["an AbortError", () => new DOMException("aborted", "AbortError")],
  ];
  test.each(reasons)(
    "a loss aborts the term, and after %s it stands in line again",
    async (_, reason) => {
      const clock = new VirtualClock();
      const one = new Candidate(locker({ clock }), "a", 9_000);
      const term = await one.leads();
      await server.command("SET", "k", "another's", "PX", "60000");
      clock.advance(3_000);
      await waitUntil(() => term.signal.aborted, { what: "the loss to be noticed" });
      expect(term.signal.reason).toBeInstanceOf(LockLostError);
      expect(term.signal.reason).toMatchObject({ reason: "taken" });
      expect(term).toMatchObject({ held: false, remaining: 0 });
      proxy.commands.clear();
      await server.command("PING");
      expect(asked()).not.toContain("obtain"); // Not before the function has settled.
      one.reject(reason(term));
      await untilInLine("k", 1);
      await server.command("DEL", "k");
      const again = (): boolean => {
        if (one.terms.length < 2) clock.advance(500);
        return one.terms.length === 2;
      };
      await waitUntil(again, { what: "the next term" });
      const next = await one.leads(2);
      expect(next.fencingToken).toBeGreaterThan(term.fencingToken);
      expect(next.signal.aborted).toBe(false);
      one.resolve("in the end");
      expect(await one.led).toBe("in the end");
    },
  );

  test("what the function returns after a loss does not count", async () => {
    const one = new Candidate(locker(), "a");
    await one.leads();
    await server.command("DEL", "k");
    const clock = new VirtualClock();
    const two = new Candidate(locker({ clock }), "b", 9_000);
    const term = await two.leads();
    clock.stall(10_000);
    expect(term.held).toBe(false);
    two.resolve("too late");
    await untilInLine("k", 0);
    await two.leads(2);
  });

  test("an error of the function's own ends it, also after a loss", async () => {
    const clock = new VirtualClock();
    const one = new Candidate(locker({ clock }), "a", 1_000);
    const term = await one.leads();
    clock.advance(1_000);
    expect(term.held).toBe(false);
    const error = new Error("of the function");
    one.reject(error);
    expect(await failure(one.led)).toBe(error);
  });

  test("the signal aborts the term; the lock is held until the function has settled", async () => {
    const one = new Candidate(locker(), "a");
    const term = await one.leads();
    const reason = new Error("shutdown");
    one.stop.abort(reason);
    expect(term.signal.reason).toBe(reason);
    expect(term.held).toBe(true);
    expect(await isFree()).toBe(false);
    one.resolve("in good order");
    expect(await one.led).toBe("in good order");
    expect(await isFree()).toBe(true);
  });

  test("a signal that aborts before or during the wait: rejects with its reason", async () => {
    const reason = new Error("shutdown");
    const gone = AbortSignal.abort(reason);
    expect(await failure(locker().lead("k", 10_000, { signal: gone }, () => 1))).toBe(reason);
    expect(asked()).toEqual([]);
    await locker().obtain("k", 60_000);
    const one = new Candidate(locker(), "a");
    await untilInLine("k", 1, "told");
    one.stop.abort(reason);
    expect(await failure(one.led)).toBe(reason);
    await untilInLine("k", 0);
  });

  test("trouble with Redis is told and tried again, after growing pauses", async () => {
    const clock = new VirtualClock();
    const { events, onEvent } = recorder();
    await server.command("HSET", "k", "not", "a lock");
    const one = new Candidate(locker({ clock, onEvent }), "a");
    const failed = (): number => events.filter(({ type }) => type === "electionFailed").length;
    const pauses: number[] = [];
    for (let count = 1; count <= 9; count++) {
      const start = clock.now();
      await waitUntil(
        () => {
          if (failed() < count) clock.advance(10);
          return failed() === count;
        },
        { what: `failure ${count}`, interval: 0 },
      );
      if (count > 1) pauses.push(clock.now() - start);
    }
    expect(events[0]).toMatchObject({
      type: "electionFailed",
      keys: ["k"],
      error: { code: "NOT_A_LOCK" },
    });
    expect(pauses[0]).toBeGreaterThanOrEqual(50);
    expect(pauses[6]).toBeGreaterThanOrEqual(3_200);
    await server.command("DEL", "k");
    clock.advance(11_000);
    await one.leads();
  });

  test("a signal that aborts as trouble is told of ends it with the signal's reason", async () => {
    await server.command("HSET", "k", "not", "a lock");
    const control = new AbortController();
    const onEvent = detailed(({ type }) => {
      if (type === "obtainFailed") control.abort(new Error("enough"));
    });
    const { signal } = control;
    const led = failure(locker({ onEvent }).lead("k", 60_000, { signal }, () => undefined));
    expect(await led).toBe(signal.reason);
  });

  test("a pause after trouble ends with the signal, and with the locker", async () => {
    const clock = new VirtualClock();
    await server.command("HSET", "k", "not", "a lock");
    const { events, onEvent } = recorder();
    const [first, second] = [locker({ clock, onEvent }), locker({ clock, onEvent })];
    const [a, b] = [new Candidate(first, "a"), new Candidate(second, "b")];
    await waitUntil(() => events.length === 2, { what: "the trouble" });
    const reason = new Error("enough");
    a.stop.abort(reason);
    expect(await failure(a.led)).toBe(reason);
    await second.close();
    expect(await failure(b.led)).toBeInstanceOf(LockerClosedError);
  });

  test("closing the locker ends the wait, and with a time of grace the term", async () => {
    const one = locker();
    const a = new Candidate(one, "a");
    const term = await a.leads();
    const other = locker();
    const b = new Candidate(other, "b");
    await untilInLine("k", 1, "told");
    await other.close();
    expect(await failure(b.led)).toBeInstanceOf(LockerClosedError);
    const closing = one.close({ grace: 60_000 });
    expect(term.signal.reason).toBeInstanceOf(LockerClosedError);
    expect(term.held).toBe(true);
    a.resolve("in good order");
    await closing;
    expect(await isFree()).toBe(true);
    expect(await a.led).toBe("in good order");
  });

  test("a function that outlasts the time of grace: lead rejects when it has ended", async () => {
    const one = locker();
    const a = new Candidate(one, "a");
    await a.leads();
    await one.close({ grace: 0 });
    expect(await isFree()).toBe(true);
    a.resolve("too late");
    expect(await failure(a.led)).toBeInstanceOf(LockerClosedError);
  });
});

describe("leader", () => {
  test("tells at once, and at each change: taken, resigned, handed over", async () => {
    const follower = new Follower(locker());
    await follower.sees(undefined);
    await untilSubscribed();
    const a = new Candidate(locker(), "a");
    await follower.sees(undefined, "a");
    const b = new Candidate(locker(), "b");
    await untilInLine("k", 1, "told");
    a.resolve();
    await b.leads();
    await waitUntil(() => follower.told.at(-1)?.name === "b", { what: "b to be seen" });
    b.resolve();
    await waitUntil(() => follower.told.at(-1) === undefined, { what: "nobody to be seen" });
    const [, first, second] = follower.told.map((leader) => leader?.fencingToken);
    expect(first).toBe(a.terms[0]?.fencingToken);
    expect(follower.told.filter((leader) => leader?.name === "b")).toHaveLength(1);
    expect(second ?? Infinity).toBeGreaterThan(first ?? 0);
  });

  test("of a leader that is there already, and who comes late", async () => {
    const a = new Candidate(locker(), "a");
    const { fencingToken } = await a.leads();
    const follower = new Follower(locker());
    await follower.sees("a");
    expect(follower.told).toEqual([{ name: "a", fencingToken }]);
  });

  test("a forced release is told at once", async () => {
    await new Candidate(locker(), "a").leads();
    const follower = new Follower(locker());
    await follower.sees("a");
    await untilSubscribed();
    await locker().forceRelease("k");
    await follower.sees("a", undefined);
  });

  test("a lock that was deleted is noticed when the lease that was known is over", async () => {
    const clock = new VirtualClock();
    await locker().obtain("k", 60_000, { metadata: "a" });
    const { counted, untilReplies } = counting();
    const follower = new Follower(new Locker(counted, { clock }));
    await untilReplies(2); // Of the first look, and of that when it listened.
    await server.command("DEL", "k");
    proxy.commands.clear();
    clock.advance(50_000);
    await server.command("PING");
    expect(asked()).toEqual([]); // No polling below the lease.
    clock.advance(10_001);
    await follower.sees("a", undefined);
  });

  test("a leader that renews is the same leader, of which nothing is told", async () => {
    const clock = new VirtualClock();
    const lock = await locker().obtain("k", 10_000, { metadata: "a" });
    const { counted, untilReplies } = counting();
    const follower = new Follower(new Locker(counted, { clock }));
    for (let looks = 2; looks < 5; looks++) {
      await untilReplies(looks);
      await lock.refresh();
      clock.advance(10_001);
    }
    await untilReplies(5);
    await lock.release();
    clock.advance(10_001);
    await follower.sees("a", undefined);
  });

  test("another lock at the key, with or without a ttl, is no leader", async () => {
    await server.command("SET", "k", "another's", "PX", "60000");
    const follower = new Follower(locker());
    await follower.sees(undefined);
    await untilSubscribed();
    await server.command("PUBLISH", "redislock:leader:k", "whatever");
    await server.command("SET", "k", "another's");
    await locker().forceRelease("k");
    await new Candidate(locker(), "a").leads();
    await follower.sees(undefined, "a");
  });

  test("nor is whoever shares the lock", async () => {
    const shares = await locker().obtain("k", 60_000, { mode: "shared", metadata: "a reader" });
    const follower = new Follower(locker());
    await follower.sees(undefined);
    const candidate = new Candidate(locker(), "a");
    await untilInLine("k", 1, "told");
    await shares.release();
    await candidate.leads();
    await follower.sees(undefined, "a");
  });

  test("who is slow to listen is told of the latest alone", async () => {
    const one = locker();
    const stop = stopper();
    const all = one.leader("k", { signal: stop.signal })[Symbol.asyncIterator]();
    expect(await all.next()).toEqual({ done: false, value: undefined });
    await untilSubscribed();
    for (const name of ["a", "b", "c"]) {
      const candidate = new Candidate(locker(), name);
      await candidate.leads();
      if (name !== "c") candidate.resolve();
      if (name !== "c") await candidate.led;
    }
    expect(await all.next()).toMatchObject({ value: { name: "c" } });
    await all.return?.();
  });

  test("a client that cannot listen looks each third of the lease, or each second", async () => {
    const clock = new VirtualClock();
    const inner = client();
    const deaf: RedisClient = { run: (...command) => inner.run(...command) };
    const follower = new Follower(new Locker(deaf, { clock }));
    await follower.sees(undefined);
    const lock = await locker().obtain("k", 30_000, { metadata: "a" });
    clock.advance(1_000);
    await follower.sees(undefined, "a");
    await lock.release();
    clock.advance(9_000);
    await follower.sees(undefined, "a");
    clock.advance(1_001);
    await follower.sees(undefined, "a", undefined);
  });

  test("a channel on which nothing comes is noticed at the next leader, and replaced", async () => {
    const clock = new VirtualClock();
    const { counted, untilReplies } = counting();
    let subscriptions = 0;
    const deafAtFirst: RedisClient = {
      run: (...command) => counted.run(...command),
      subscribe: (channel, listener) => {
        const swallows = { ...listener, message: () => undefined };
        return counted.subscribe(channel, ++subscriptions > 1 ? listener : swallows);
      },
    };
    const { events, onEvent } = recorder();
    const [a, b] = [new Candidate(locker(), "a"), new Candidate(locker(), "b")];
    await a.leads();
    const follower = new Follower(new Locker(deafAtFirst, { clock, onEvent }));
    await follower.sees("a");
    await untilReplies(2); // Of the first look, and of that when it listened.
    a.resolve();
    await b.leads();
    clock.advance(60_001);
    await follower.sees("a", "b");
    await waitUntil(
      () => {
        clock.advance(100);
        return subscriptions === 2;
      },
      { what: "another subscription" },
    );
    expect(events).toMatchObject([
      { type: "subscribeFailed", error: { message: "messages are sent, but do not arrive" } },
    ]);
    await untilSubscribed();
    b.resolve();
    await follower.sees("a", "b", undefined);
  });

  test("a channel on which something comes is kept, however busy the process was when it came", async () => {
    const clock = new VirtualClock();
    const { counted, untilReplies } = counting();
    const kept: (() => void)[] = [];
    let [isKept, subscriptions] = [false, 0];
    const slow: RedisClient = {
      run: (...command) => counted.run(...command),
      subscribe: (channel, listener) => {
        subscriptions++;
        const message = (text: string): void => {
          if (isKept) kept.push(() => listener.message(text));
          else listener.message(text);
        };
        return counted.subscribe(channel, { ...listener, message });
      },
    };
    const { events, onEvent } = recorder();
    const [a, b] = [new Candidate(locker(), "a"), new Candidate(locker(), "b")];
    await a.leads();
    const follower = new Follower(new Locker(slow, { clock, onEvent }));
    await follower.sees("a");
    await untilReplies(2); // Of the first look, and of that when it listened.
    isKept = true;
    a.resolve();
    await b.leads();
    clock.advance(60_001);
    await follower.sees("a", "b");
    const missed = kept.length;
    clock.advance(1_000); // It has a message sent, to see whether it hears.
    await untilReplies(4);
    await waitUntil(() => kept.length > missed, { what: "the message" });
    clock.stall(1_500);
    clock.advance(0); // What is due is done first, and only then is read what came meanwhile.
    await turn();
    for (const deliver of kept) deliver();
    clock.advance(1_000);
    await turn();
    expect([events, subscriptions]).toEqual([[], 1]);
    b.resolve();
  });

  test("a channel that cannot be opened is told, and tried again", async () => {
    const clock = new VirtualClock();
    const inner = client();
    let refuse = true;
    const picky: RedisClient = {
      run: (...command) => inner.run(...command),
      subscribe: (...listen) => {
        if (refuse) throw new Error("no channel for you");
        return inner.subscribe(...listen);
      },
    };
    const { events, onEvent } = recorder();
    const follower = new Follower(new Locker(picky, { clock, onEvent }));
    await follower.sees(undefined);
    await waitUntil(() => events.length > 0, { what: "the event" });
    expect(events).toMatchObject([
      { type: "subscribeFailed", error: { message: "no channel for you" } },
    ]);
    refuse = false;
    await waitUntil(
      async () => {
        clock.advance(1_000);
        return (await listening()) === "redislock:leader:k,1";
      },
      { what: "the follower to listen" },
    );
  });

  test("while Redis is silent, the leader is known until its lease is over, then nobody", async () => {
    const clock = new VirtualClock();
    const { events, onEvent } = recorder();
    await locker().obtain("k", 60_000, { metadata: "a" });
    const { counted, untilReplies } = counting();
    const follower = new Follower(new Locker(counted, { clock, onEvent }));
    await untilReplies(2);
    const silence = proxy.silence();
    await server.command("PUBLISH", "redislock:leader:k", "look");
    clock.advance(60_001);
    await silence.happened;
    clock.advance(2_000);
    await follower.sees("a", undefined);
    expect(events).toMatchObject([
      { type: "electionFailed", keys: ["k"], error: { code: "UNKNOWN", operation: "inspect" } },
    ]);
    proxy.speak();
    await waitUntil(
      () => {
        clock.advance(100);
        return follower.told.length === 3;
      },
      { what: "the leader to be known again" },
    );
    expect(follower.told[2]).toEqual(follower.told[0]);
  });

  test("a connection that was lost and is back is a reason to look", async () => {
    const clock = new VirtualClock();
    const lock = await locker().obtain("k", 60_000, { metadata: "a" });
    const follower = new Follower(locker({ clock }));
    await follower.sees("a");
    await untilSubscribed();
    await server.command("DEL", "k");
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await follower.sees("a", undefined);
    expect(await failure(lock.release())).toBeDefined();
  });

  test("ends with the signal, with the locker, and with the loop", async () => {
    const one = locker();
    const reason = new Error("enough");
    const [first, second] = [new Follower(one), new Follower(one)];
    await Promise.all([first.sees(undefined), second.sees(undefined)]);
    await untilSubscribed(2);
    first.stop.abort(reason);
    expect(await first.ended).toBe(reason);
    await untilSubscribed(1);
    await one.close();
    expect(await second.ended).toBeInstanceOf(LockerClosedError);
    await untilSubscribed(0);
    for await (const leader of locker().leader("k")) {
      expect(leader).toBeUndefined();
      break;
    }
    await untilSubscribed(0);
    expect(await new Follower(one).ended).toBeInstanceOf(LockerClosedError);
  });

  test("ends at once, also while Redis is silent", async () => {
    const follower = new Follower(locker());
    await follower.sees(undefined);
    await untilSubscribed();
    const silence = proxy.silence();
    await locker()
      .forceRelease("k")
      .catch(() => undefined);
    await silence.happened;
    const reason = new Error("enough");
    follower.stop.abort(reason);
    expect(await follower.ended).toBe(reason);
  });

  test("each namespace has elections of its own", async () => {
    const follower = new Follower(locker({ namespace: "shop:" }));
    await follower.sees(undefined);
    const other = new Candidate(locker(), "other");
    await other.leads();
    const own = new Candidate(locker({ namespace: "shop:" }), "own");
    await own.leads();
    await follower.sees(undefined, "own");
    expect(await server.command("EXISTS", companion("shop:k", "fence"))).toBe(0);
  });
});

test("an announcement that is refused is told, and disturbs nobody", async () => {
  const { events, onEvent } = recorder();
  const user = ["app", "reset", "on", ">secret", "~*", "+@all", "resetchannels"];
  await server.command("ACL", "SETUSER", ...user);
  const one = new Locker(client(["AUTH", "app", "secret"]), { onEvent });
  expect(await one.lead("k", 10_000, {}, () => "done")).toBe("done");
  expect(events.filter(({ type }) => type === "electionFailed")).toMatchObject(
    [1, 2].map(() => ({ error: { code: "REFUSED", reply: "NOPERM", operation: "announce" } })),
  );
  await one.obtain("k", 10_000);
  expect(await one.forceRelease("k")).toBe(true);
});

describe("bad arguments are an error that names them, before anything is sent", () => {
  interface Untyped {
    lead(key: unknown, ttl: unknown, options: unknown, fn: unknown): Promise<unknown>;
    leader(key: unknown, options?: unknown): AsyncIterable<unknown>;
  }
  const untyped = locker() as Untyped;
  const fn = (): number => 1;

  test.each([
    [["k", 10_000, { metadata: "a" }, fn], TypeError, /options has no "metadata"/],
    [["k", 10_000, { name: 5 }, fn], TypeError, /name must be a string, got number/],
    [["k", 10_000, { name: "n".repeat(4097) }, fn], RangeError, /name must have at most 4096 byt/],
    [["k", 10_000, { signal: {} }, fn], TypeError, /signal must be an AbortSignal/],
    [["k", 10_000, { signal: {} }, undefined], TypeError, /signal must be an AbortSignal/],
    [["k", 10_000, fn, undefined], TypeError, /options must be an object, got function/],
    [["k", 10_000, {}, undefined], TypeError, /fn must be a function that takes the term/],
    [["k", 5, {}, fn], RangeError, /ttl must be a whole number of 10/],
    [[["k"], 10_000, {}, fn], TypeError, /key must be a string/],
  ] as const)("lead(%j)", async ([key, ttl, options, run], type, message) => {
    const error = await failure(untyped.lead(key, ttl, options, run));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(message);
    expect(asked()).toEqual([]);
  });

  test.each([
    [["", {}], /key must not be empty/],
    [[["k"], {}], /key must be a string/],
    [["k", { signals: 1 }], /options has no "signals": did you mean "signal"\?/],
    [["k", { signal: {} }], /signal must be an AbortSignal/],
    [["k", null], /options must be an object, got null/],
  ] as const)("leader(%j)", ([key, options], message) => {
    expect(() => untyped.leader(key, options)).toThrow(message);
    expect(asked()).toEqual([]);
  });
});
