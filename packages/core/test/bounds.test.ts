/** Numbers by which the docs bind the library, each at its edge; without a server. */
import { describe, expect, test } from "@jest/globals";
import { failure, VirtualClock } from "@redislock/test-kit";

import { type Clock, Locker, type RedisClient, type Reply, type Script } from "../src/index.js";
import { Timers } from "../src/time/timers.js";

/** What was sent: the script's name, and how many keys it had. */
type Sent = readonly [name: string, keys: number];

/** A server that has every lock to give; what it says can be changed by script. */
class Generous implements RedisClient {
  readonly cluster: boolean;
  readonly sent: Sent[] = [];
  readonly says = new Map<string, (args: readonly string[]) => Reply | Promise<Reply>>([
    ["obtain", () => "7"],
    ["refresh", () => "1"],
    ["release", () => "1"],
    ["leave", () => [null, null, null, "0", "0", "0"]],
  ]);

  constructor(cluster = false) {
    this.cluster = cluster;
  }

  async run({ name }: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    this.sent.push([name, keys.length]);
    const say = this.says.get(name.replace(/Many$/, ""));
    const reply = (await say?.(args)) ?? null;
    if (!name.endsWith("Many")) return reply;
    return Array.from({ length: keys.length / Number(args[0]) }, () => String(reply));
  }

  countOf(name: string): number {
    return this.sent.filter(([one]) => one === name).length;
  }
}

/** All that is to be done now is done. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function start(cluster = false): { clock: VirtualClock; client: Generous; locker: Locker } {
  const clock = new VirtualClock();
  const client = new Generous(cluster);
  return { clock, client, locker: new Locker(client, { clock }) };
}

describe("a batch", () => {
  test("is for 32 obtains, or 64 of one hash slot, and another one for the next", async () => {
    for (const [cluster, count, sizes] of [
      [false, 33, [5, 160]],
      [false, 34, [5, 160, 5]],
      [true, 65, [5, 320]],
      [true, 66, [5, 320, 5]],
    ] as const) {
      const { client, locker } = start(cluster);
      const keys = Array.from({ length: count }, (_, n) => `{k}${n}`);
      await Promise.all(keys.map((key) => locker.obtain(key, 1_000)));
      expect(client.sent.map(([, keys]) => keys)).toEqual(sizes);
    }
  });

  test("is for 106 renewals, and another one for the next", async () => {
    for (const [count, sizes] of [
      [106, [318]],
      [107, [318, 3]],
    ] as const) {
      const { clock, client, locker } = start();
      const keys = Array.from({ length: count }, (_, n) => `k${n}`);
      const locks = await Promise.all(
        keys.map((key) => locker.obtain(key, 9_000, { renew: true })),
      );
      client.sent.length = 0;
      clock.advance(3_000);
      await turn();
      expect(client.sent.map(([, keys]) => keys)).toEqual(sizes);
      for (const lock of locks) expect(lock.remaining).toBe(9_000 - 90 - 2);
    }
  });
});

describe("a lock", () => {
  test.each([
    [1_000, 0],
    [1_001, 1],
  ])("of which the obtain took %i of 4000 ms is refreshed at once %i times", async (ms, times) => {
    const { clock, client, locker } = start();
    client.says.set("obtain", () => {
      clock.stall(ms);
      return "7";
    });
    await locker.obtain("k", 4_000);
    expect(client.countOf("refresh")).toBe(times);
  });

  test("is renewed each third of its ttl, and not before", async () => {
    const { clock, client, locker } = start();
    await locker.obtain("k", 9_000, { renew: true });
    for (let renewals = 0; renewals < 5; renewals++) {
      clock.advance(2_999);
      await turn();
      expect(client.countOf("refresh")).toBe(renewals);
      clock.advance(1);
      await turn();
      expect(client.countOf("refresh")).toBe(renewals + 1);
    }
  });

  test.each([
    ["a thirtieth of its ttl", 9_000, 300],
    ["ten milliseconds, if that is more", 240, 10],
  ])("whose renewal failed is renewed again after %s", async (_, ttl, pause) => {
    const { clock, client, locker } = start();
    client.says.set("refresh", () => "what?");
    await locker.obtain("k", ttl, { renew: true });
    clock.advance(ttl / 3);
    await turn();
    for (let tries = 1; tries < 5; tries++) {
      expect(client.countOf("refresh")).toBe(tries);
      clock.advance(pause - 1);
      await turn();
      expect(client.countOf("refresh")).toBe(tries);
      clock.advance(1);
      await turn();
    }
  });

  test("that is refused is so within 50 ms, though no reply comes to what leaves the line", async () => {
    const { clock, client, locker } = start();
    client.says.set("obtain", () => ["5", "1", "9", "0"]);
    client.says.set("leave", () => new Promise(() => undefined));
    let isOver = false;
    const refused = failure(locker.obtain("k", 1_000, { wait: 0 })).finally(() => (isOver = true));
    await turn();
    clock.advance(0); // Its time to wait is over.
    await turn();
    clock.advance(49);
    await turn();
    expect(isOver).toBe(false);
    clock.advance(1);
    expect(await refused).toMatchObject({ code: "NOT_OBTAINED", position: 1 });
  });
});

describe("a pause that only the wall clock sees", () => {
  test("counts once it exceeds 20 ms, and then all of it", () => {
    const clock = new VirtualClock();
    const timers = new Timers(clock);
    const before = timers.now();
    clock.suspend(20);
    expect(timers.now() - before).toBe(0);
    clock.suspend(1);
    expect(timers.now() - before).toBe(21);
  });

  test.each([
    [500, 500],
    [1_000, 1_000],
    [30_000, 1_000],
    [30_030, 1_001],
    [60_000, 2_000],
  ])("is looked for, %i ms before something is due, within %i ms", (left, look) => {
    const clock = new VirtualClock();
    const delays: number[] = [];
    const watched: Clock = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (ms, run) => {
        delays.push(ms);
        return clock.after(ms, run);
      },
    };
    new Timers(watched).set(left, () => undefined);
    expect(delays).toEqual([look]);
  });
});

describe("a subscription that is refused", () => {
  test("is tried again after ten seconds by whoever waits, and not before", async () => {
    const { clock, client, locker } = start();
    client.says.set("obtain", () => [null, "1", "9", "0"]);
    const tried: number[] = [];
    const deaf = new Locker(
      {
        run: (...command) => client.run(...command),
        subscribe: () => {
          tried.push(clock.now());
          return Promise.reject(new Error("no channel for you"));
        },
      },
      { clock },
    );
    const over = failure(deaf.obtain("k", 60_000, { wait: Infinity }));
    await turn();
    for (let ms = 0; ms < 20_000; ms += 50) {
      clock.advance(50);
      await turn();
    }
    expect(tried).toEqual([0, 10_000, 20_000]);
    await Promise.all([deaf.close(), locker.close()]);
    expect(await over).toMatchObject({ code: "CLOSED" });
  });

  test("is tried again after ten seconds by whoever follows an election", async () => {
    const clock = new VirtualClock();
    const client = new Generous();
    client.says.set("inspect", () => ["6000", "7", "me", "0"]);
    const tried: number[] = [];
    const deaf = new Locker(
      {
        run: (...command) => client.run(...command),
        subscribe: () => {
          tried.push(clock.now());
          return Promise.reject(new Error("no channel for you"));
        },
      },
      { clock },
    );
    const { over } = await follow(deaf);
    for (let ms = 0; ms < 20_000; ms += 100) {
      clock.advance(100);
      await turn();
    }
    // It looks each third of 6000 ms, and tries again with the first look that comes late enough.
    expect(tried.map((ms) => Math.round(ms))).toEqual([0, 10_000, 20_000]);
    await deaf.close();
    expect(await over).toMatchObject({ code: "CLOSED" });
  });
});

/** Has somebody follow an election who has seen who leads. Resolves with the end of that. */
async function follow(locker: Locker): Promise<{ readonly over: Promise<unknown> }> {
  const leaders = locker.leader("k")[Symbol.asyncIterator]();
  await leaders.next();
  const over = failure(leaders.next());
  await turn();
  return { over };
}

describe("whoever follows an election", () => {
  test.each([
    ["each 15 s, if nobody leads and it hears messages", true, null, 15_000],
    ["each second, if nobody leads and it hears none", false, null, 1_000],
    ["when the lease is over, if it hears messages", true, "6000", 6_000],
    ["each third of the lease, if it hears none", false, "6000", 2_000],
    ["but not within 100 ms, if that is less", false, "270", 100],
    ["or with the end of the lease, if that is sooner", false, "70", 70],
  ])("looks %s", async (_, listens, left, ms) => {
    const { clock, client, locker } = start();
    client.says.set("inspect", () => [left, left && "7", left && "me", "0"]);
    const listening = new Locker(
      {
        run: (...command) => client.run(...command),
        subscribe: () => Promise.resolve({ close: () => Promise.resolve() }),
      },
      { clock },
    );
    const { over } = await follow(listens ? listening : locker);
    for (let looks = client.countOf("inspect"), n = 0; n < 3; n++, looks++) {
      expect(client.countOf("inspect")).toBe(looks);
      clock.advance(ms - 1);
      await turn();
      expect(client.countOf("inspect")).toBe(looks);
      clock.advance(1);
      await turn();
    }
    await Promise.all([listening.close(), locker.close()]);
    expect(await over).toMatchObject({ code: "CLOSED" });
  });
});
