/** What waiters hear, and what they make of it: without a server, whose messages a test could not choose. */
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import {
  type ChannelListener,
  detailed,
  type Lock,
  Locker,
  type LockEvent,
  type RedisClient,
  type Reply,
  type Subscription,
} from "../src/index.js";

const TTL = 60_000;
const NOTHING_LEFT: Reply = [null, null, null, "0", "0", "0"];

/** What somebody who waits says of itself. */
interface Standing {
  readonly id: string;
  readonly ticket: string;
  readonly reach: string;
  readonly proof: string;
  readonly echo: string;
}

let clock: VirtualClock;
let client: Client;
let events: LockEvent[];
let locker: Locker;

/** Answers that the lock is taken, and may be subscribed to. */
class Client implements RedisClient {
  closed = false;
  readonly sent: { readonly name: string; readonly args: readonly string[] }[] = [];
  place: Reply = ["-1", "1", "9", "0"];
  /** What a `leave` is answered. */
  left: (() => Promise<Reply>) | undefined;
  readonly channels: string[] = [];
  readonly listeners: ChannelListener[] = [];
  /** How often a subscription was closed. */
  closings = 0;
  /** What comes of the next subscriptions; the last for ever. */
  outcomes: readonly ("open" | "fails" | "hangs" | "throws")[] = ["open"];

  /** Answers no obtain until it is told to. */
  pending: ((reply: Reply) => void) | undefined;
  holdsBack = false;

  run({ name }: { readonly name: string }, _: unknown, args: readonly string[]): Promise<Reply> {
    this.sent.push({ name, args });
    if (this.holdsBack && name.startsWith("obtain")) {
      return new Promise((resolve) => (this.pending = resolve));
    }
    if (name.startsWith("leave")) return this.left?.() ?? Promise.resolve(NOTHING_LEFT);
    return Promise.resolve(name.startsWith("obtain") ? this.place : "1");
  }

  readonly subscription: Subscription = {
    close: () => {
      this.closings++;
      return Promise.resolve();
    },
  };
  /** In place of what `outcomes` says. */
  opening: (() => Promise<Subscription>) | undefined;

  subscribe(channel: string, listener: ChannelListener): Promise<Subscription> {
    const outcome = this.outcomes[Math.min(this.channels.length, this.outcomes.length - 1)];
    this.channels.push(channel);
    this.listeners.push(listener);
    if (this.opening) return this.opening();
    if (outcome === "throws") throw new Error("no more connections");
    if (outcome === "fails") return Promise.reject(new Error("no more connections"));
    if (outcome === "hangs") return new Promise(() => undefined);
    return Promise.resolve(this.subscription);
  }

  /** Those who asked to stand in line, so far. */
  get standing(): readonly Standing[] {
    return this.sent
      .filter(({ name }) => name.startsWith("obtain"))
      .map(({ args }) => {
        const [id = "", ticket = "", , reach = "", , proof = "", echo = ""] = args.slice(5);
        return { id, ticket, reach, proof, echo };
      });
  }

  get last(): Standing {
    const last = this.standing.at(-1);
    if (!last) throw new Error("nobody stands in line");
    return last;
  }

  say(text: string): void {
    this.listeners.at(-1)?.message(text);
  }
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await turn();
}

beforeEach(() => {
  clock = new VirtualClock(1_000);
  client = new Client();
  events = [];
  locker = new Locker(client, { clock, onEvent: (event) => events.push(event) });
});

afterEach(() => locker.close());

/** An obtain that waits, and has asked a second time since it hears messages. */
async function wait(signal?: AbortSignal, key = "k"): Promise<{ readonly lock: Promise<Lock> }> {
  const lock = locker.obtain(key, TTL, { wait: Infinity, ...(signal && { signal }) });
  lock.catch(() => undefined);
  await turn();
  return { lock };
}

const count = (): number => client.standing.length;

describe("the channel", () => {
  test("is one for all who wait by a client, and nobody can guess it", async () => {
    await wait();
    await wait(undefined, "l");
    expect(client.channels).toEqual([expect.stringMatching(/^redislock:inbox:[\w-]{22}$/)]);
    const name = client.channels[0]?.slice("redislock:inbox:".length);
    expect(client.standing.map(({ id }) => id)).toEqual([`${name}:1`, `${name}:1`, `${name}:2`]);
    const other = new Locker(client, { clock });
    const third = failure(other.obtain("m", TTL, { wait: Infinity }));
    await turn();
    expect(client.channels).toHaveLength(1);
    expect(client.last.id).toBe(`${name}:3`);
    await other.close();
    await third;
  });

  test("is not needed by who does not wait", async () => {
    await failure(locker.obtain("k", TTL));
    expect(client.channels).toEqual([]);
  });

  test("is open when whoever waits asks again, and says so", async () => {
    client.outcomes = ["hangs"];
    await wait();
    expect(client.standing.map(({ reach }) => reach)).toEqual(["0"]);
    await locker.close();
    client.outcomes = ["open"];
    locker = new Locker(client, { clock });
    await wait();
    expect(client.standing.map(({ reach }) => reach)).toEqual(["0", "0", "1"]);
  });
});

describe("while a client begins to listen", () => {
  test("what it hears is heard", async () => {
    client.opening = () => {
      client.say("come 1");
      return new Promise(() => undefined);
    };
    await wait();
    expect(client.standing.map(({ reach }) => reach)).toEqual(["0", "0"]);
  });

  test("it may say that it does", async () => {
    client.opening = () => {
      client.listeners[0]?.resumed();
      return new Promise(() => undefined);
    };
    await wait();
    expect(client.standing.map(({ reach }) => reach)).toEqual(["0", "1"]);
  });

  test("it may say that it does no more", async () => {
    client.opening = () => {
      client.listeners[0]?.lost?.(new Error("no more connections"));
      return new Promise(() => undefined);
    };
    await wait();
    expect(events).toMatchObject([{ type: "subscribeFailed" }]);
  });
});

describe("a message", () => {
  test("that grants the lock with the proof of the last command is the lock, without another", async () => {
    const { lock } = await wait();
    await pass(500);
    const asked = count();
    client.say(`grant 1 18 ${client.last.proof}`);
    await turn();
    const { fencingToken, remaining } = await lock;
    expect([fencingToken, count()]).toEqual([18, asked]);
    // By the lease that this command asked for, counted from then.
    expect(remaining).toBe(TTL - TTL / 100 - 2 - 500);
  });

  test.each([
    ["of an earlier command", () => `grant 1 18 ${client.standing[0]?.proof}`],
    ["of nobody", () => "grant 1 18 x"],
    ["that is missing", () => "grant 1 18"],
  ])("that grants it with a proof %s has the waiter ask", async (_, text) => {
    await wait();
    const asked = count();
    client.say(text());
    await turn();
    expect(count()).toBe(asked + 1);
    // It was told to come, so it misses nothing.
    expect(client.last).toMatchObject({ echo: "", ticket: "9" });
  });

  test.each([
    ["come", "come 1"],
    ["of a later version", "later 1 and more"],
    ["of a later version that is like one of this", "later 1 18 PROOF"],
    ["with a fencing token that is none", "grant 1 0 PROOF"],
    ["with a fencing token that is no number", "grant 1 x PROOF"],
  ])("%s has the waiter ask", async (_, text) => {
    await wait();
    const asked = count();
    client.say(text.replace("PROOF", client.last.proof));
    await turn();
    expect(count()).toBe(asked + 1);
  });

  test("that comes with another has the waiter ask for each", async () => {
    await wait();
    const asked = count();
    client.say("come 1");
    client.say("come 1");
    await turn();
    expect(count()).toBe(asked + 2);
    client.say("come 1");
    await turn();
    expect(count()).toBe(asked + 3);
  });

  test("to somebody else is nothing to the waiter", async () => {
    const { lock } = await wait();
    const asked = count();
    for (const text of [`grant 2 18 ${client.last.proof}`, "come 2", "come", "", "come x"]) {
      client.say(text);
    }
    await turn();
    expect(count()).toBe(asked);
    client.say(`grant 1 18 ${client.last.proof}`);
    expect((await lock).fencingToken).toBe(18);
  });

  test("that comes when the lease that it grants would be over has the waiter ask", async () => {
    await wait();
    const asked = count();
    clock.stall(TTL - TTL / 100 - 2);
    client.say(`grant 1 18 ${client.last.proof}`);
    await turn();
    expect(count()).toBe(asked + 1);
  });

  test("that it is not seen to listen has the waiter tell so, until it listens anew", async () => {
    await wait();
    expect(client.last.reach).toBe("1");
    client.say("unseen 1");
    await turn();
    expect(client.last.reach).toBe("2");
    client.listeners[0]?.resumed();
    await turn();
    expect(client.last.reach).toBe("1");
  });

  test("to one who shares the lock tells which of the grants is its own", async () => {
    const token = "a token of my own".replaceAll(" ", "-");
    const lock = locker.obtain("k", TTL, { mode: "shared", wait: Infinity, token });
    await turn();
    client.say(`grant 1 18 ${client.last.proof} 3`);
    await (await lock).release();
    const last = client.sent.at(-1);
    expect([last?.name, last?.args[1]]).toEqual(["releaseShared", "18 3"]);
  });
});

describe("messages that do not arrive", () => {
  test("are asked for when nothing was heard for a while, and not by who was told to come", async () => {
    await wait();
    expect(client.last).toMatchObject({ echo: "", ticket: "9" });
    await pass(15_000);
    expect(client.last).toMatchObject({ echo: "1", ticket: "9", reach: "1" });
    client.say("come 1");
    await turn();
    expect(client.last.echo).toBe("");
  });

  test("though they were sent: a second later the channel is opened anew", async () => {
    await wait();
    client.place = ["-1", "1", "9", "1"];
    await pass(15_000);
    client.place = ["-1", "1", "9", "0"];
    expect(events).toEqual([]);
    await pass(999);
    expect([client.channels.length, client.closings]).toEqual([1, 0]);
    await pass(1);
    expect([client.channels.length, client.closings]).toEqual([2, 1]);
    expect(events).toMatchObject([{ type: "subscribeFailed" }]);
    expect(String(events[0] && "error" in events[0] && events[0].error)).toMatch(
      /messages are sent, but do not arrive/,
    );
    // What the old one says now is nobody's business.
    const asked = count();
    client.listeners[0]?.message("come 1");
    client.listeners[0]?.resumed();
    client.listeners[0]?.lost?.(new Error("lost"));
    await turn();
    expect([count(), events.length]).toEqual([asked, 1]);
  });

  test("on the next channel either: it is opened anew ten seconds later, and all ask until then", async () => {
    const findDeaf = async (): Promise<void> => {
      client.place = ["-1", "1", "9", "1"];
      await pass(15_000);
      client.place = ["-1", "1", "9", "0"];
      await pass(1_000);
    };
    await wait();
    await findDeaf();
    expect([client.channels.length, client.last.reach]).toEqual([2, "1"]);
    await findDeaf();
    expect([client.channels.length, client.closings, client.last.reach]).toEqual([2, 2, "0"]);
    expect(events.map(({ type }) => type)).toEqual(["subscribeFailed", "subscribeFailed"]);
    for (let n = 0; n < 199; n++) await pass(50);
    expect([client.channels.length, client.last.reach]).toEqual([2, "0"]);
    for (let n = 0; n < 2; n++) await pass(50);
    expect([client.channels.length, client.last.reach]).toEqual([3, "1"]);
    // Once one is heard, all is well, and the next time is the first.
    client.say("come 1");
    await pass(0);
    await findDeaf();
    expect([client.channels.length, client.last.reach]).toEqual([4, "1"]);
  });

  test("are there, if one was heard since the command was sent", async () => {
    await wait();
    client.place = ["-1", "1", "9", "1"];
    await pass(15_000);
    client.say("later 7");
    await pass(1_000);
    expect([client.channels.length, client.closings, events]).toEqual([1, 0, []]);
  });
});

describe("messages that do not arrive on a channel", () => {
  test("that was lost meanwhile are no reason to open another: the client does so", async () => {
    await wait();
    client.place = ["-1", "1", "9", "1"];
    await pass(15_000);
    client.listeners[0]?.lost?.(new Error("the line is cut"));
    await pass(1_000);
    expect([client.channels.length, client.closings]).toEqual([1, 0]);
  });

  test("that was opened anew meanwhile are no reason to do so again", async () => {
    await wait();
    await pass(10);
    await wait(undefined, "l");
    client.place = ["-1", "1", "9", "1"];
    await pass(14_990);
    await pass(10);
    client.place = ["-1", "1", "9", "0"];
    await pass(990);
    expect(client.channels).toHaveLength(2);
    await pass(10);
    await pass(10);
    expect([client.channels.length, client.closings]).toEqual([2, 1]);
  });

  test("are not asked for by who has no place yet, nor by whom none reaches", async () => {
    await wait();
    await wait(undefined, "l");
    expect(client.last).toMatchObject({ reach: "1", ticket: "", echo: "" });
    client.listeners[0]?.lost?.(new Error("the line is cut"));
    await pass(50);
    await pass(50);
    expect(client.last).toMatchObject({ reach: "0", ticket: "9", echo: "" });
  });
});

describe("a channel that cannot be opened", () => {
  test.each(["fails", "throws"] as const)(
    "is told of, and tried again after 10 s: %s",
    async (how) => {
      client.outcomes = [how, "open"];
      await wait();
      const error = { message: "no more connections" };
      expect(events).toMatchObject([{ type: "subscribeFailed", error }]);
      expect(client.last.reach).toBe("0");
      for (let n = 0; n < 199; n++) await pass(50);
      expect(client.channels).toHaveLength(1);
      for (let n = 0; n < 2; n++) await pass(50);
      expect(client.channels).toHaveLength(2);
      expect(client.last.reach).toBe("1");
      expect(events).toHaveLength(1);
    },
  );

  test("is told of without its name, which nobody else may know", async () => {
    client.opening = () => Promise.reject(new Error(`no access to ${client.channels[0]}`));
    await wait();
    const error = { message: "no access to redislock:inbox:…" };
    expect(events).toMatchObject([{ type: "subscribeFailed", error }]);
  });

  test("is none where the client says that it is open while it is being opened", async () => {
    client.opening = () => {
      client.listeners[0]?.resumed();
      return Promise.resolve(client.subscription);
    };
    await wait();
    expect(events.filter(({ type }) => type === "subscribeFailed")).toEqual([]);
    expect(client.last.reach).toBe("1");
  });

  test("or was lost, is told of; until it is back, whoever waits asks often", async () => {
    await wait();
    const asked = count();
    client.listeners[0]?.lost?.(new Error("the line is cut"));
    await turn();
    expect(count()).toBe(asked + 1);
    expect(client.last.reach).toBe("0");
    expect(events).toMatchObject([{ type: "subscribeFailed" }]);
    await pass(50);
    expect(count()).toBe(asked + 2);
    // The client opens it again by itself.
    expect(client.channels).toHaveLength(1);
    client.listeners[0]?.resumed();
    await turn();
    expect(client.last.reach).toBe("1");
    expect(count()).toBe(asked + 3);
  });
});

describe("a channel that is opened when nobody needs it any more", () => {
  interface Opening {
    readonly open: (subscription: Subscription) => void;
    readonly fail: (error: Error) => void;
  }

  /** One that was given up while it was opened, and another that is being opened. */
  async function twoOpenings(): Promise<readonly [Opening, Opening]> {
    const openings: Opening[] = [];
    client.opening = () => new Promise((open, fail) => openings.push({ open, fail }));
    await wait();
    await locker.close();
    locker = new Locker(client, { clock, onEvent: (event) => events.push(event) });
    await wait(undefined, "l");
    const [first, second] = openings;
    if (!first || !second) throw new Error("it was not opened anew");
    events.length = 0;
    return [first, second];
  }
  test("is not the one that whoever waits now listens to", async () => {
    const [first, second] = await twoOpenings();
    const asked = count();
    first.open(client.subscription);
    await turn();
    expect([count(), client.closings]).toEqual([asked, 1]);
    second.open(client.subscription);
    await turn();
    expect([count(), client.last.reach, client.closings]).toEqual([asked + 1, "1", 1]);
  });

  test("and fails, is nobody's trouble", async () => {
    const [first, second] = await twoOpenings();
    const asked = count();
    first.fail(new Error("no more connections"));
    await turn();
    expect([count(), events]).toEqual([asked, []]);
    second.open(client.subscription);
    await turn();
    expect([client.last.reach, events]).toEqual(["1", []]);
  });
});

test("whoever closes a locker waits until whoever waits has left the line", async () => {
  let answer: (reply: Reply) => void = () => undefined;
  const { lock } = await wait();
  client.left = () => new Promise((resolve) => (answer = resolve));
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  await failure(lock);
  await turn();
  expect(isClosed).toBe(false);
  answer(NOTHING_LEFT);
  await closed;
});

test("whoever closes the last locker waits until the channel is closed", async () => {
  let end: () => void = () => undefined;
  client.opening = () =>
    Promise.resolve({ close: () => new Promise<void>((resolve) => (end = resolve)) });
  await wait();
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  await turn();
  expect(isClosed).toBe(false);
  end();
  await closed;
});

describe("a channel that nobody needs", () => {
  async function waitAndGoHome(): Promise<void> {
    const control = new AbortController();
    const { lock } = await wait(control.signal);
    control.abort(new Error("enough"));
    await failure(lock);
    await turn();
  }

  test("is closed after half a minute", async () => {
    await waitAndGoHome();
    await pass(29_999);
    expect(client.closings).toBe(0);
    await pass(1);
    expect(client.closings).toBe(1);
    // Whoever waits then opens one of its own.
    await wait();
    expect([client.channels.length, client.last.reach]).toEqual([2, "1"]);
  });

  test("is closed half a minute after the last who waited has its lock", async () => {
    const { lock } = await wait();
    client.say(`grant 1 18 ${client.last.proof}`);
    await lock;
    await pass(29_999);
    expect(client.closings).toBe(0);
    await pass(1);
    expect(client.closings).toBe(1);
  });

  test("is closed after a second if the client is", async () => {
    await waitAndGoHome();
    client.closed = true;
    await pass(999);
    expect(client.closings).toBe(0);
    await pass(1);
    expect(client.closings).toBe(1);
  });

  test("is kept while one of several waits", async () => {
    await wait(undefined, "l");
    await waitAndGoHome();
    await pass(40_000);
    expect(client.closings).toBe(0);
  });

  test("is kept if somebody waits again meanwhile", async () => {
    await waitAndGoHome();
    await pass(29_999);
    await wait();
    await pass(10_000);
    expect([client.channels.length, client.closings]).toEqual([1, 0]);
  });

  test("is kept for half a minute from the last who leaves", async () => {
    await waitAndGoHome();
    await pass(20_000);
    await waitAndGoHome();
    await pass(29_999);
    expect(client.closings).toBe(0);
    await pass(1);
    expect(client.closings).toBe(1);
  });

  test("is closed with the last locker", async () => {
    const other = new Locker(client, { clock });
    await wait();
    const failed = failure(other.obtain("l", TTL, { wait: Infinity }));
    await turn();
    await locker.close();
    expect(client.closings).toBe(0);
    await other.close();
    expect(client.closings).toBe(1);
    await failed;
  });

  test("is closed as soon as it is there, by a locker that waits for it no longer", async () => {
    let open: (subscription: Subscription) => void = () => undefined;
    client.opening = () => new Promise((resolve) => (open = resolve));
    await wait();
    await locker.close();
    expect(client.closings).toBe(0);
    open(client.subscription);
    await turn();
    expect(client.closings).toBe(1);
  });
});

describe("whoever waits no longer, and was not confirmed to have left the line", () => {
  async function giveUp(): Promise<{ readonly proof: string }> {
    client.left = () => new Promise(() => undefined);
    const control = new AbortController();
    const { lock } = await wait(control.signal);
    const { proof } = client.last;
    control.abort(new Error("enough"));
    await failure(lock);
    await pass(2_000);
    client.left = () => Promise.resolve([null, null, null, "0", "1", "0"]);
    client.sent.length = 0;
    return { proof };
  }

  test("gives back what it is granted then", async () => {
    const { proof } = await giveUp();
    client.say(`grant 1 18 ${proof}`);
    await turn();
    expect(client.sent.map(({ name }) => name)).toEqual(["leave"]);
    expect(events.at(-1)).toEqual({ type: "lateGrantReleased", keys: ["k"] });
  });

  test("gives nothing back for a message that does not say what it is granted for", async () => {
    await giveUp();
    client.say("grant 1 18");
    await turn();
    expect(client.sent).toEqual([]);
  });

  test.each([
    [TTL + 30_000 - 1, 1],
    [TTL + 30_000, 0],
  ])("until it could not be granted any more: after %i ms", async (ms, times) => {
    const { proof } = await giveUp();
    await pass(ms);
    client.say(`grant 1 18 ${proof}`);
    await turn();
    expect(client.sent.map(({ name }) => name)).toEqual(Array<string>(times).fill("leave"));
  });

  test("if they are very many, all but the first of them do", async () => {
    client.left = () => new Promise(() => undefined);
    client.outcomes = ["open"];
    const control = new AbortController();
    const waiting = Array.from({ length: 1_001 }, (_, n) =>
      failure(locker.obtain(`k${n}`, TTL, { wait: Infinity, signal: control.signal })),
    );
    await turn();
    const proofs = new Map(client.standing.map(({ id, proof }) => [id.split(":")[1], proof]));
    control.abort(new Error("enough"));
    await Promise.all(waiting);
    await pass(2_000);
    client.left = () => Promise.resolve(NOTHING_LEFT);
    for (const [number, times] of [
      [1, 0],
      [2, 1],
      [1_001, 1],
    ] as const) {
      client.sent.length = 0;
      client.say(`grant ${number} 18 ${proofs.get(String(number))}`);
      await turn();
      expect(client.sent.map(({ name }) => name)).toEqual(Array<string>(times).fill("leave"));
    }
  });

  test("also when another locker of the client is closed", async () => {
    const { proof } = await giveUp();
    const other = new Locker(client, { clock });
    await wait(undefined, "l");
    await other.close();
    client.sent.length = 0;
    client.say(`grant 1 18 ${proof}`);
    await turn();
    expect(client.sent.map(({ name }) => name)).toEqual(["leave"]);
  });

  test("until its locker is closed: then the channel is kept for nobody", async () => {
    await giveUp();
    await locker.close();
    client.closings = 0;
    locker = new Locker(client, { clock });
    // To where it would have listened no longer.
    await pass(TTL);
    const control = new AbortController();
    client.left = undefined;
    const { lock } = await wait(control.signal, "l");
    await pass(15_000);
    control.abort(new Error("enough"));
    await failure(lock);
    await turn();
    await pass(29_999);
    expect(client.closings).toBe(0);
    await pass(1);
    expect(client.closings).toBe(1);
  });

  test("or until its locker is closed before that was found out", async () => {
    const other = new Locker(client, { clock });
    const failed = failure(other.obtain("l", TTL, { wait: Infinity }));
    await turn();
    client.left = () => new Promise(() => undefined);
    const { lock } = await wait();
    const { proof, id } = client.last;
    const closed = locker.close();
    await failure(lock);
    await pass(2_000);
    await closed;
    client.left = () => Promise.resolve(NOTHING_LEFT);
    client.sent.length = 0;
    client.say(`grant ${id.split(":")[1]} 18 ${proof}`);
    await turn();
    expect(client.sent).toEqual([]);
    await other.close();
    await failed;
  });

  test("or until its locker is closed", async () => {
    const { proof } = await giveUp();
    const [listener] = client.listeners;
    const other = new Locker(client, { clock });
    const failed = failure(other.obtain("l", TTL, { wait: Infinity }));
    await turn();
    await locker.close();
    client.sent.length = 0;
    listener?.message(`grant 1 18 ${proof}`);
    await turn();
    expect(client.sent).toEqual([]);
    await other.close();
    await failed;
  });
});

describe("what is answered when it is over", () => {
  test("puts nobody in line again", async () => {
    const control = new AbortController();
    const { lock } = await wait(control.signal);
    client.holdsBack = true;
    client.say("come 1");
    await turn();
    control.abort(new Error("enough"));
    await failure(lock);
    await turn();
    client.sent.length = 0;
    client.holdsBack = false;
    client.pending?.(client.place);
    await turn();
    await pass(60_000);
    expect(client.sent.map(({ name }) => name)).toEqual(["leave"]);
  });

  test("is given back, once the lock was granted and released", async () => {
    const { lock } = await wait();
    client.holdsBack = true;
    client.say("come 1");
    await turn();
    client.say(`grant 1 18 ${client.last.proof}`);
    await (await lock).release();
    client.sent.length = 0;
    client.left = () => Promise.resolve([null, null, null, "0", "1", "0"]);
    client.pending?.("19");
    await turn();
    expect(client.sent.map(({ name }) => name)).toEqual(["leave"]);
    expect(events.at(-1)).toEqual({ type: "lateGrantReleased", keys: ["k"] });
  });

  test.each([
    [4_999, ["shorten"]],
    [5_000, ["leave"]],
  ])("is given back if the lock need not stay taken any more: after %i ms", async (ms, names) => {
    const lock = locker.obtain("k", TTL, { wait: Infinity, holdAtLeast: 5_000 });
    await turn();
    client.holdsBack = true;
    client.say("come 1");
    await turn();
    client.say(`grant 1 18 ${client.last.proof}`);
    await (await lock).release();
    client.sent.length = 0;
    await pass(ms);
    client.pending?.("19");
    await turn();
    expect(client.sent.map(({ name }) => name)).toEqual(names);
  });

  test("is the lock that it has, while it has it", async () => {
    const { lock } = await wait();
    client.holdsBack = true;
    client.say("come 1");
    await turn();
    client.say(`grant 1 18 ${client.last.proof}`);
    await lock;
    client.sent.length = 0;
    client.pending?.("18");
    await turn();
    expect(client.sent).toEqual([]);
  });
});

test("who is told to come while it asks asks again at once", async () => {
  await wait();
  client.holdsBack = true;
  client.say("come 1");
  await turn();
  const asked = count();
  client.say("come 1");
  await turn();
  expect(count()).toBe(asked);
  client.pending?.(client.place);
  await turn();
  expect(count()).toBe(asked + 1);
  client.pending?.(client.place);
  await turn();
  await pass(14_999);
  expect(count()).toBe(asked + 1);
});

test("who is told to come before it has its first answer asks again at once", async () => {
  await wait();
  client.holdsBack = true;
  await wait(undefined, "l");
  const asked = count();
  client.say("come 2");
  client.pending?.(client.place);
  await turn();
  expect(count()).toBe(asked + 1);
  expect(client.last).toMatchObject({ ticket: "9", echo: "" });
});

test("who has waited for as long as it would asks no more", async () => {
  const failed = failure(locker.obtain("k", TTL, { wait: 100 }));
  await turn();
  const asked = count();
  await pass(99);
  expect(client.sent).toHaveLength(asked);
  await pass(1);
  expect(await failed).toMatchObject({ code: "NOT_OBTAINED", waited: 100 });
  expect(client.sent.slice(asked).map(({ name }) => name)).toEqual(["leave"]);
});

test("a command that is under way at the end of the wait is waited for as long as any other", async () => {
  client.holdsBack = true;
  const obtaining = locker.obtain("k", TTL, { wait: 100 });
  await pass(1_999);
  client.pending?.("18");
  expect((await obtaining).fencingToken).toBe(18);
});

test("who cannot be told whether it has a place asks again soon", async () => {
  await wait();
  client.place = "QUEUED";
  client.say("come 1");
  await turn();
  const asked = count();
  await pass(49);
  expect(count()).toBe(asked);
  await pass(1);
  expect(count()).toBe(asked + 1);
});

test.each([
  ["1", 2],
  ["0", 1],
] as const)("a grant that says %j of an echo: %i channels", async (flag, channels) => {
  const { lock } = await wait();
  client.place = ["18", flag];
  await pass(15_000);
  expect((await lock).fencingToken).toBe(18);
  await pass(1_000);
  expect(client.channels).toHaveLength(channels);
});

test.each([[["18", "2"]], [["18", null]], [["18", "1", "0"]], [["0", "1"]]])(
  "is not granted by %j to who asks for an echo",
  async (reply) => {
    const { lock } = await wait();
    client.place = reply;
    await pass(15_000);
    const asked = count();
    client.place = ["-1", "1", "9", "0"];
    // It knows no better than to ask again.
    await pass(50);
    expect(count()).toBe(asked + 1);
    client.say(`grant 1 18 ${client.last.proof}`);
    expect((await lock).fencingToken).toBe(18);
  },
);

test.each([
  [["18", "4", "1"], 2],
  [["18", "4", "0"], 1],
] as const)("one who shares the lock is granted it by %j: %i channels", async (reply, channels) => {
  const lock = locker.obtain("k", TTL, { mode: "shared", wait: Infinity });
  await turn();
  client.place = reply;
  await pass(15_000);
  expect((await lock).fencingToken).toBe(18);
  await pass(1_000);
  expect(client.channels).toHaveLength(channels);
});

test.each([[["18", "4", "2"]], [["18", "4"]], [["0", "4", "1"]], [["18", "-1", "1"]]])(
  "one who shares the lock, and asks for an echo, learns from %j what it must",
  async (reply) => {
    const lock = locker.obtain("k", TTL, { mode: "shared", wait: Infinity });
    await turn();
    client.place = reply;
    await pass(15_000);
    client.place = ["-1", "1", "9", "0"];
    const asked = count();
    await pass(50);
    // A grant without a word of an echo is one all the same.
    const isGranted = reply.length === 2;
    expect(count()).toBe(isGranted ? asked : asked + 1);
    if (!isGranted) client.say(`grant 1 18 ${client.last.proof} 1`);
    expect((await lock).fencingToken).toBe(18);
  },
);

test("who is granted the lock when it asks waits for no message", async () => {
  client.place = ["100", "1", "9", "0"];
  const { lock } = await wait();
  client.place = "18";
  await pass(101);
  await lock;
  await pass(2_000);
  expect([events.map(({ type }) => type), client.channels.length]).toEqual([
    ["waited", "obtained"],
    1,
  ]);
});

test("that it waits is told once, with the place at which it came", async () => {
  const told: unknown[] = [];
  const onEvent = detailed((event) => {
    if (event.type === "waiting") told.push(event.position);
  });
  locker = new Locker(client, { clock, onEvent });
  client.place = ["-1", "3", "9", "0"];
  await wait();
  client.place = ["-1", "2", "9", "0"];
  await pass(15_000);
  expect(told).toEqual([3]);
});

test("a listener that asks who has the lock learns if that could not be found out", async () => {
  let holders: (() => Promise<unknown>) | undefined;
  const onEvent = detailed((event) => {
    if (event.type === "waiting") ({ holders } = event);
  });
  locker = new Locker(client, { clock, onEvent });
  await wait();
  // What an inspection is answered is none that it could be.
  const error = await failure(holders?.() ?? Promise.resolve());
  expect(error).toMatchObject({ code: "UNKNOWN", operation: "inspect", keys: ["k"] });
});
