/** How often a command is sent, and when it is given up: to the millisecond, without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import { ServerError } from "../src/adapter.js";
import {
  detailed,
  Locker,
  type LockerOptions,
  type LockEvent,
  type RedisClient,
  type Reply,
} from "../src/index.js";

const TTL = 60_000;
const FREE: Reply = [null, null, null, "0"];
const refused = (answer: string) => (): Promise<Reply> => Promise.reject(new ServerError(answer));
const loading = refused("LOADING Redis is loading");
const lost = (): Promise<Reply> => Promise.reject(new Error("the connection was lost"));
const silence = (): Promise<Reply> => new Promise(() => undefined);
const reply = (what: Reply) => (): Promise<Reply> => Promise.resolve(what);

/** Answers one after the other, the last for ever; knows when it was asked, and for what. */
class Scripted implements RedisClient {
  readonly clock: VirtualClock = new VirtualClock();
  readonly sent: number[] = [];
  readonly names: string[] = [];
  connection: string | undefined;
  epoch: number | undefined = 1;
  closed = false;
  readonly #answers: readonly (() => Promise<Reply>)[];

  constructor(...answers: readonly (() => Promise<Reply>)[]) {
    this.#answers = answers;
  }

  run: RedisClient["run"] = ({ name }) => {
    const answer = this.#answers[Math.min(this.sent.length, this.#answers.length - 1)] ?? silence;
    this.sent.push(this.clock.now());
    this.names.push(name);
    return answer();
  };

  locker(options: LockerOptions = {}): Locker {
    return new Locker(this, { clock: this.clock, ...options });
  }

  /** What comes of a call, while time passes until it is settled. */
  async outcome(call: Promise<unknown>): Promise<unknown> {
    const settled = { done: false };
    const end = (): void => void (settled.done = true);
    call.then(end, end);
    for (let ms = 0; ms < 100_000; ms++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled.done) return call.catch((error: unknown) => error);
      this.clock.advance(1);
    }
    throw new Error("it never ends");
  }

  inspect(options: LockerOptions = {}): Promise<unknown> {
    return this.outcome(this.locker(options).inspect("k"));
  }
}

describe("a command that is refused for now", () => {
  const times = [0, 10, 30, 70, 150, 310, 560, 810, 1_060, 1_310, 1_560];

  test("is sent again, after pauses that double up to a quarter of a second", async () => {
    const client = new Scripted(loading);
    expect(await client.inspect()).toMatchObject({ code: "REFUSED", reply: "LOADING" });
    expect(client.sent).toEqual(times);
    expect(client.clock.now()).toBe(1_560);
  });

  test("is not sent again where there would be no time for a reply", async () => {
    const client = new Scripted(loading);
    await client.inspect({ commandTimeout: 2_060 });
    expect(client.sent).toEqual(times);
    const later = new Scripted(loading);
    await later.inspect({ commandTimeout: 2_061 });
    expect(later.sent).toEqual([...times, 1_810]);
  });

  test.each([
    ["was refused", loading],
    ["was not answered", lost],
  ])("is not sent again once nobody wants it, if it %s", async (_, answer) => {
    const client = new Scripted(answer, answer, reply(FREE));
    const caller = new AbortController();
    const call = client.locker().obtain("k", TTL, { signal: caller.signal });
    const outcome = client.outcome(call);
    client.clock.after(15, () => caller.abort());
    expect(await outcome).toBe(caller.signal.reason);
    await client.outcome(new Promise((resolve) => client.clock.after(1_000, () => resolve(null))));
    expect(client.names).toEqual(["obtain", "obtain", "leave"]);
  });

  test.each([
    ...["LOADING", "BUSY", "READONLY", "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN"],
    ...["MISCONF", "NOSCRIPT", "MOVED", "ASK"],
  ])("%s", async (word) => {
    const client = new Scripted(refused(`${word} not now`), reply(FREE));
    expect(await client.inspect()).toMatchObject({ held: 0 });
    expect(client.sent).toEqual([0, 10]);
  });

  test("is answered when it is not refused any more", async () => {
    const client = new Scripted(loading, loading, reply(FREE));
    expect(await client.inspect()).toMatchObject({ held: 0 });
    expect(client.sent).toEqual([0, 10, 30]);
  });

  test("is given up with the client", async () => {
    const client = new Scripted(loading);
    const call = client
      .locker()
      .inspect("k")
      .catch((error: unknown) => error);
    client.closed = true;
    expect(await client.outcome(call)).toMatchObject({ code: "REFUSED" });
    expect(client.sent).toEqual([0]);
  });
});

describe("a command that is refused for good", () => {
  test.each(["NOPERM", "OOM", "NOAUTH", "ERR"])("%s: is not sent again", async (word) => {
    const client = new Scripted(refused(`${word} no`));
    expect(await client.inspect()).toMatchObject({ code: "REFUSED", reply: word });
    expect(client.sent).toEqual([0]);
  });

  test("of a key that is no lock", async () => {
    const client = new Scripted(refused("WRONGTYPE Operation against a key"));
    expect(await client.inspect()).toMatchObject({ code: "NOT_A_LOCK", keys: ["k"] });
  });

  test("after one that was not answered: nobody knows", async () => {
    const client = new Scripted(lost, refused("NOPERM no"));
    const message = /unknown: the connection was lost; sent again, it was refused: NOPERM no$/;
    const error = await client.inspect();
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "inspect" });
    expect(String(error)).toMatch(message);
    expect(client.sent).toEqual([0, 10]);
  });

  test("for now, after one that was not answered: nobody knows either", async () => {
    const client = new Scripted(lost, loading);
    const error = await client.inspect({ commandTimeout: 50 });
    expect(error).toMatchObject({ code: "UNKNOWN" });
    expect(String(error)).toMatch(/the connection was lost; sent again, it was refused: LOADING/);
  });
});

describe("a command that is not answered", () => {
  test("is given up when its time is over", async () => {
    const client = new Scripted(silence);
    const error = await client.inspect();
    expect(error).toMatchObject({ code: "UNKNOWN" });
    expect(String(error)).toMatch(/outcome unknown: no answer in 2000 ms$/);
    expect([client.sent, client.clock.now()]).toEqual([[0], 2_000]);
  });

  test("tells of a client that is not connected", async () => {
    const client = new Scripted(silence);
    client.connection = "reconnecting";
    const error = await client.inspect({ commandTimeout: 30 });
    expect(String(error)).toMatch(
      /no answer in 30 ms: the client is not connected \(reconnecting\)$/,
    );
  });

  test("is sent again when it fails, and then has what is left of its time", async () => {
    const client = new Scripted(lost, silence);
    const error = await client.inspect({ commandTimeout: 100 });
    expect(String(error)).toMatch(/no answer in 90 ms$/);
    expect([client.sent, client.clock.now()]).toEqual([[0, 10], 100]);
  });

  test("because its script was cut off in its middle, is sent again", async () => {
    const cut = refused("ERR Script attempted to access a non local key in a cluster node");
    const client = new Scripted(cut, refused("NOPERM no"));
    expect(await client.inspect()).toMatchObject({ code: "UNKNOWN" });
    expect(client.sent).toEqual([0, 10]);
  });

  test("as its script would, is not sent again", async () => {
    const client = new Scripted(reply("QUEUED"), reply(FREE));
    expect(await client.inspect()).toMatchObject({ code: "UNKNOWN" });
    expect(client.sent).toEqual([0]);
  });

  test("by a client that throws, is sent again", async () => {
    const thrown = (): Promise<Reply> => {
      throw new Error("not ready");
    };
    const client = new Scripted(thrown, reply(FREE));
    expect(await client.inspect()).toMatchObject({ held: 0 });
    expect(client.sent).toEqual([0, 10]);
  });
});

describe("a command that the client itself may have sent again, over another connection", () => {
  /** Answered when the client has connected anew. */
  const anew = (answer: () => Promise<Reply>): Scripted => {
    const client: Scripted = new Scripted(
      () => {
        client.epoch = (client.epoch ?? 0) + 1;
        client.connection = undefined;
        return answer();
      },
      reply([null, null, null, "0", "0", "0"]),
    );
    return client;
  };
  const noPerm = refused("NOPERM no");

  test("is unknown where it was refused then", async () => {
    const client = anew(noPerm);
    const error = await client.inspect();
    expect(error).toMatchObject({ code: "UNKNOWN" });
    expect(String(error)).toMatch(
      /unknown: the connection was lost; sent again, it was refused: NOPERM no$/,
    );
    expect(client.sent).toEqual([0]);
  });

  test("is refused where the client does not know its connection before its first answer", async () => {
    const client = anew(noPerm);
    client.epoch = undefined;
    expect(await client.inspect()).toMatchObject({ code: "REFUSED" });
  });

  test("is refused where it had waited for its first connection", async () => {
    const client = anew(noPerm);
    client.connection = "connecting";
    expect(await client.inspect()).toMatchObject({ code: "REFUSED" });
  });

  test("may have taken away what the copy does not find", async () => {
    const nothing = reply(["0", "0"]);
    expect(await anew(nothing).locker().forceRelease("k")).toBe(true);
    expect(await new Scripted(nothing).locker().forceRelease("k")).toBe(false);
  });

  test("leaves what it may have taken, though the copy is told that it is another's", async () => {
    const taken = reply(["5", "7", "m"]);
    const client = anew(taken);
    expect(await client.locker().tryObtain("k", TTL)).toBeNull();
    expect(client.names).toEqual(["obtain", "leave"]);
    const once = new Scripted(taken);
    expect(await once.locker().tryObtain("k", TTL)).toBeNull();
    expect(once.names).toEqual(["obtain"]);
  });
});

describe("an obtain", () => {
  test("does not wait longer for a reply than its lease would last", async () => {
    const client = new Scripted(silence);
    const error = await client.outcome(client.locker().obtain("k", 1_000));
    expect(error).toMatchObject({ code: "UNKNOWN" });
    // A reply that comes later would be of a lease that is over: 1 % and 2 ms of it do not count.
    expect(String(error)).toMatch(/no answer in 988 ms$/);
  });

  test("that is answered too late gives back what it was granted, and leaves", async () => {
    const events: LockEvent[] = [];
    let answer: (reply: Reply) => void = () => undefined;
    const late = (): Promise<Reply> => new Promise((resolve) => (answer = resolve));
    const owned: Reply = [null, null, null, "0", "1", "0"];
    const client = new Scripted(late, reply([null, null, null, "0", "0", "0"]), reply(owned));
    const locker = client.locker({ onEvent: (event) => events.push(event) });
    const error = await client.outcome(locker.obtain("k", 1_000));
    expect(error).toMatchObject({ code: "UNKNOWN" });
    answer("7");
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.names).toEqual(["obtain", "leave", "leave"]);
    expect(events).toEqual([{ type: "lateGrantReleased", keys: ["k"] }]);
  });

  test("whose leaving, too, is answered late tells of what that gave back", async () => {
    const events: LockEvent[] = [];
    const answers: ((reply: Reply) => void)[] = [];
    const late = (): Promise<Reply> => new Promise((resolve) => answers.push(resolve));
    const client = new Scripted(late, late, reply([null, null, null, "0", "0", "0"]));
    const locker = client.locker({ onEvent: (event) => events.push(event) });
    await client.outcome(locker.obtain("k", 1_000));
    client.clock.advance(10_000);
    const [granted, left] = answers;
    granted?.("7");
    left?.([null, null, null, "0", "1", "0"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.names).toEqual(["obtain", "leave", "leave"]);
    expect(events).toEqual([{ type: "lateGrantReleased", keys: ["k"] }]);
  });

  test("whose leaving is answered late and oddly knows no more than before", async () => {
    const answers: ((reply: Reply) => void)[] = [];
    const late = (): Promise<Reply> => new Promise((resolve) => answers.push(resolve));
    const client = new Scripted(late, late);
    const told: unknown[] = [];
    const tell = (reason: unknown): void => void told.push(reason);
    process.on("unhandledRejection", tell);
    const onEvent = (event: LockEvent): void => void told.push(event);
    await client.outcome(client.locker({ onEvent }).obtain("k", 1_000));
    client.clock.advance(10_000);
    answers[1]?.("QUEUED");
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", tell);
    expect(told).toEqual([]);
  });

  test("that is answered late that it is taken has nothing to give back", async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const late = (): Promise<Reply> => new Promise((resolve) => (answer = resolve));
    const client = new Scripted(late, reply([null, null, null, "0", "0", "0"]));
    await client.outcome(client.locker().obtain("k", 1_000));
    answer(["5", "7", "m"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.names).toEqual(["obtain", "leave"]);
  });

  test("that is granted after its lease would be over is none", async () => {
    const client = new Scripted(
      () => {
        client.clock.stall(988);
        return Promise.resolve("7");
      },
      reply([null, null, null, "0", "1", "0"]),
    );
    const error = await client.outcome(client.locker().obtain("k", 1_000));
    expect(error).toMatchObject({ code: "UNKNOWN", operation: "obtain" });
    expect(String(error)).toMatch(/the answer took longer than the lease$/);
    expect(client.names).toEqual(["obtain", "leave"]);
  });

  test("that is granted after its lease would be over is tried again, if it polls", async () => {
    const late = (): Promise<Reply> => {
      client.clock.stall(988);
      return Promise.resolve("7");
    };
    const client = new Scripted(late, reply("8"));
    const lock = await client.outcome(client.locker().obtain("k", 1_000, { retry: () => 5 }));
    expect(lock).toMatchObject({ fencingToken: 8 });
  });

  test("that is told late that the lock is taken is told so", async () => {
    const client = new Scripted(() => {
      client.clock.stall(1_500);
      return Promise.resolve(["5", "7", "m"]);
    });
    const error = await client.outcome(client.locker().obtain("k", 1_000));
    expect(error).toMatchObject({ code: "NOT_OBTAINED", holder: { metadata: "m" } });
  });

  test("that is answered oddly when nobody waits any more leaves once more", async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const late = (): Promise<Reply> => new Promise((resolve) => (answer = resolve));
    const client = new Scripted(late, reply([null, null, null, "0", "0", "0"]));
    await client.outcome(client.locker().obtain("k", 1_000));
    answer("QUEUED");
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.names).toEqual(["obtain", "leave", "leave"]);
  });

  test("that is aborted in whatever moment is had, or given back", async () => {
    const outcomes = new Set<string>();
    for (let moment = 0; moment < 40; moment++) {
      const control = new AbortController();
      const client = new Scripted(reply("7"), reply([null, null, null, "0", "1", "0"]));
      const obtaining = client.locker().obtain("k", TTL, { signal: control.signal });
      const had = obtaining.then(
        () => "had",
        () => "aborted",
      );
      for (let turn = 0; turn < moment; turn++) await Promise.resolve();
      control.abort(new Error("enough"));
      const outcome = await had;
      await new Promise((resolve) => setImmediate(resolve));
      const left = outcome === "had" ? [] : ["leave"];
      expect(client.names.slice(0, 2)).toEqual(["obtain", ...left]);
      outcomes.add(outcome);
    }
    expect([...outcomes].sort()).toEqual(["aborted", "had"]);
  });

  test("that is granted just before that is one", async () => {
    const client = new Scripted(() => {
      client.clock.stall(987);
      return Promise.resolve("7");
    }, silence);
    const lock = await client.locker().obtain("k", 1_000);
    expect([lock.held, lock.remaining]).toEqual([true, 1]);
  });

  test("that polls goes on after what may be free in a moment, and ends after what lasts", async () => {
    for (const [word, tries] of [
      ["OOM", 3],
      ["YOUNG", 3],
      ["NOPERM", 1],
    ] as const) {
      const client = new Scripted(refused(`${word} no`));
      const told: string[] = [];
      const locker = client.locker({ onEvent: detailed(({ type }) => told.push(type)) });
      const retry = (count: number): number => (count < 3 ? 100 : 0);
      const error = await client.outcome(locker.obtain("k", TTL, { retry }));
      expect(error).toMatchObject({ code: "REFUSED", reply: word });
      expect(client.sent).toEqual([0, 100, 200].slice(0, tries));
      // It was never told that the lock is taken.
      expect(told).not.toContain("waiting");
    }
  });
});

test("many commands at once share what they can, and fail each by itself", async () => {
  const answers: Record<string, () => Promise<Reply>> = {
    obtain: reply("7"),
    obtainMany: refused("NOPERM no"),
  };
  const client = new Scripted();
  client.run = ({ name }) => {
    client.names.push(name);
    return (answers[name] ?? silence)();
  };
  const locker = client.locker();
  const obtainAll = (): Promise<unknown> =>
    Promise.all(["a", "b", "c"].map((key) => locker.obtain(key, TTL)));
  await obtainAll();
  expect(client.names).toEqual(["obtain", "obtainMany", "obtain", "obtain"]);
  // The server refuses some because of others' keys: each goes by itself from now on.
  client.names.length = 0;
  await obtainAll();
  expect(client.names).toEqual(["obtain", "obtain", "obtain"]);
});

test.each([
  ["ERR", ["obtain", "obtainMany", "obtain", "obtain"]],
  ["CROSSSLOT", ["obtain", "obtain", "obtain"]],
])("commands that were refused together by %s", async (word, next) => {
  const client = new Scripted();
  client.run = ({ name }) => {
    client.names.push(name);
    return name === "obtainMany" ? refused(`${word} no`)() : Promise.resolve("7");
  };
  const locker = client.locker();
  const obtainAll = (): Promise<unknown> =>
    Promise.all(["a", "b", "c"].map((key) => locker.obtain(key, TTL)));
  await obtainAll();
  client.names.length = 0;
  await obtainAll();
  expect(client.names).toEqual(next);
});

test("who asks for what together with others waits for nobody who asks for something else", async () => {
  const client = new Scripted();
  const keys: number[] = [];
  client.run = ({ name }, of: readonly string[], args) => {
    client.names.push(name);
    keys.push(of.length);
    if (!name.endsWith("Many")) return Promise.resolve(name === "inspect" ? FREE : "7");
    const each = Number(args[0]);
    return Promise.resolve(Array.from({ length: of.length / each }, () => "7"));
  };
  const locker = client.locker();
  const many = Array.from({ length: 80 }, (_, n) => locker.obtain(`k${n}`, TTL));
  const pairs = ["a", "b"].map((key) => locker.obtain([key, `${key}2`], TTL));
  await Promise.all([...many, ...pairs, locker.inspect("k"), locker.obtain("z", TTL)]);
  // At most 160 keys in one: 32 locks of 5.
  expect(client.names).toEqual([
    ...["obtain", "obtainMany", "obtainMany", "obtainMany", "obtainMany"],
    ...["inspect", "obtain"],
  ]);
  expect(keys).toEqual([5, 160, 160, 75, 20, 7, 5]);
});

test("commands of which some say more than others, or something else, do not leave together", async () => {
  const client = new Scripted();
  const sent: string[] = [];
  client.run = ({ name }, keys, args) => {
    sent.push(`${name} ${keys.length} ${args.length}`);
    const replies: Record<string, Reply> = {
      ...{ obtain: "7", obtainShared: ["7", "0"], refreshShared: "1", shorten: "1" },
      ...{
        obtainMany: ["7", "7"],
        obtainSharedMany: [
          ["7", "0"],
          ["7", "0"],
        ],
      },
    };
    return Promise.resolve(replies[name] ?? null);
  };
  const locker = client.locker();
  const exclusive = await locker.obtain("a", TTL);
  const shared = await locker.obtain("b", TTL, { mode: "shared" });
  sent.length = 0;
  await Promise.all([
    locker.inspect("k").catch(() => undefined), // On its way: all others wait for the same moment.
    ...["c", "d"].map((key) => locker.obtain(key, TTL)),
    locker.obtain("e", TTL, { wait: TTL }),
    // As many keys and arguments as the obtains have.
    exclusive.refresh(TTL / 2),
    ...["f", "g"].map((key) => locker.obtain(key, TTL, { mode: "shared" })),
    shared.refresh(TTL / 2),
  ]);
  expect(sent).toEqual([
    "inspect 7 1",
    "obtainMany 10 12",
    "obtain 5 12",
    "shorten 5 5",
    "obtainSharedMany 14 12",
    "refreshShared 7 5",
  ]);
});

describe("a command that is done in parts", () => {
  test("goes on at once", async () => {
    const client = new Scripted(reply("again"), reply("again"), reply("7"));
    await client.outcome(client.locker().obtain("k", TTL));
    expect(client.sent).toEqual([0, 0, 0]);
  });

  test("of which a part is answered late may have been done", async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const late = (): Promise<Reply> => new Promise((resolve) => (answer = resolve));
    const client = new Scripted(late, () => {
      answer("again");
      return refused("NOPERM no")();
    });
    const locker = client.locker({ commandTimeout: 20 });
    const error = await client.outcome(locker.obtain("k", TTL, { retry: () => 10 }));
    expect(error).toMatchObject({ code: "UNKNOWN" });
    expect(String(error)).toMatch(/an earlier command was not answered; sent again/);
  });
});

test("an obtain of which an earlier try was answered late knows what became of it", async () => {
  let answer: (reply: Reply) => void = () => undefined;
  const late = (): Promise<Reply> => new Promise((resolve) => (answer = resolve));
  const client = new Scripted(late, () => {
    answer(["5", "7", "m"]);
    return refused("NOPERM no")();
  });
  const locker = client.locker({ commandTimeout: 20 });
  const error = await client.outcome(locker.obtain("k", TTL, { retry: () => 10 }));
  expect(error).toMatchObject({ code: "REFUSED", reply: "NOPERM", operation: "obtain" });
  expect(client.sent).toEqual([0, 30]);
});

test("an obtain that waits ends with what lasts, and goes on after what does not", async () => {
  const nothing = reply([null, null, null, "0", "0", "0"]);
  const ended = new Scripted(refused("NOPERM no"), nothing);
  const error = await ended.outcome(ended.locker().obtain("k", TTL, { wait: 1_000 }));
  expect(error).toMatchObject({ code: "REFUSED", reply: "NOPERM" });
  expect([ended.clock.now(), ended.names]).toEqual([0, ["obtain", "leave"]]);
  const goesOn = new Scripted(refused("OOM no"), reply("7"));
  const lock = await goesOn.outcome(goesOn.locker().obtain("k", TTL, { wait: 1_000 }));
  expect(lock).toMatchObject({ fencingToken: 7 });
  expect(goesOn.sent).toEqual([0, 50]);
});

test("an obtain that polls asks no more once it is aborted", async () => {
  const client = new Scripted(reply(["5", "7", "m"]));
  const told: unknown[] = [];
  const onEvent = detailed((event) => {
    if (event.type === "waiting") told.push(event.position);
  });
  const control = new AbortController();
  const options = { retry: () => 10, signal: control.signal };
  const failed = failure(client.locker({ onEvent }).obtain("k", TTL, options));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  client.clock.advance(10);
  await turn();
  const reason = new Error("enough");
  control.abort(reason);
  expect(await failed).toBe(reason);
  await turn();
  client.clock.advance(1_000);
  await turn();
  expect(client.sent).toEqual([0, 10]);
  // It was told once that it waits; in no line.
  expect(told).toStrictEqual([undefined]);
});

test("an obtain that polls leaves no timer when it is aborted, however long it pauses", async () => {
  const client = new Scripted(reply(["5", "7", "m"]));
  const control = new AbortController();
  const options = { retry: () => 300_000, signal: control.signal };
  const failed = failure(client.locker().obtain("k", TTL, options));
  await new Promise((resolve) => setImmediate(resolve));
  control.abort();
  await failed;
  client.clock.advance(16_000);
  expect(client.clock.timers).toBe(0);
});

test("an obtain that polls ends with the lock, or where the next try would come too late", async () => {
  const taken = reply(["5", "7", "m"]);
  const had = new Scripted(taken, reply("8"));
  const lock = await had.outcome(had.locker().obtain("k", TTL, { retry: () => 400 }));
  expect(lock).toMatchObject({ fencingToken: 8 });
  expect([had.sent, had.names]).toEqual([
    [0, 400],
    ["obtain", "obtain"],
  ]);
  for (const [retry, sent] of [
    [() => 500, [0, 500]],
    [() => 499, [0, 499, 998]],
    [() => 1_000, [0]],
  ] as const) {
    const client = new Scripted(taken);
    const error = await client.outcome(client.locker().obtain("k", 1_000, { retry }));
    expect(error).toMatchObject({ code: "NOT_OBTAINED", attempts: sent.length });
    expect([client.sent, client.clock.now()]).toEqual([sent, sent.at(-1)]);
  }
});

test("an obtain that polls ends with its client", async () => {
  const client = new Scripted(() => {
    client.closed = true;
    return lost();
  });
  const error = await client.outcome(client.locker().obtain("k", TTL, { retry: () => 10 }));
  expect(error).toMatchObject({ code: "UNKNOWN" });
  expect(client.names).toEqual(["obtain", "leave"]);
});

test("an obtain that polls ends soon after its client, however long it pauses", async () => {
  const client = new Scripted(reply(["5", "7", "m"]), lost);
  const options = { retry: () => 300_000, signal: new AbortController().signal };
  let error: unknown;
  void failure(client.locker().obtain("k", TTL, options)).then((one) => (error = one));
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await turn();
  client.clock.advance(16_000);
  await turn();
  client.closed = true;
  client.clock.advance(13_999);
  await turn();
  expect(client.names).toEqual(["obtain"]);
  client.clock.advance(1);
  await turn();
  expect(error).toMatchObject({ code: "UNKNOWN" });
});

test("an obtain that was sent twice leaves, though it is told that the lock is taken", async () => {
  const client = new Scripted(
    lost,
    reply(["5", "7", "m"]),
    reply([null, null, null, "0", "0", "0"]),
  );
  const error = await client.outcome(client.locker().obtain("k", TTL));
  expect(error).toMatchObject({ code: "NOT_OBTAINED" });
  expect(client.names).toEqual(["obtain", "obtain", "leave"]);
});

test("a strategy that aborts, and throws then, disturbs nobody else", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const client = new Scripted(reply(["5", "7", "m"]), reply([null, null, null, "0", "0", "0"]));
  const control = new AbortController();
  const reason = new Error("enough");
  let calls = 0;
  const retry = (): number => {
    // The first is to see whether it is one.
    if (++calls === 1) return 10;
    control.abort(reason);
    throw new Error("and what for?");
  };
  const { signal } = control;
  expect(await failure(client.locker().obtain("k", TTL, { retry, signal }))).toBe(reason);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test.each([{}, { wait: TTL }])("whoever closes waits until %j has left", async (options) => {
  let answer: (reply: Reply) => void = () => undefined;
  const left = new Promise<Reply>((resolve) => (answer = resolve));
  const client = new Scripted(silence, () => left);
  const locker = client.locker();
  const ended = client.outcome(locker.obtain("k", TTL, options));
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  expect(await ended).toMatchObject({ code: "CLOSED" });
  await new Promise((resolve) => setImmediate(resolve));
  expect([client.names, isClosed]).toEqual([["obtain", "leave"], false]);
  answer([null, null, null, "0", "0", "0"]);
  await closed;
});

test("whoever closes waits until a line behind many dead is served", async () => {
  let answer: (reply: Reply) => void = () => undefined;
  const served = new Promise<Reply>((resolve) => (answer = resolve));
  const client = new Scripted(reply("7"), reply("more"), () => served);
  const locker = client.locker();
  await (await locker.obtain("k", TTL)).release();
  let isClosed = false;
  const closed = locker.close().then(() => (isClosed = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect([client.names, isClosed]).toEqual([["obtain", "release", "leave"], false]);
  answer([null, null, null, "0", "0", "0"]);
  await closed;
});

test("a reply that nobody waits for any more disturbs nobody", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  let answer: (reply: Reply) => void = () => undefined;
  const client = new Scripted(() => new Promise((resolve) => (answer = resolve)));
  await client.inspect();
  answer(FREE);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});
