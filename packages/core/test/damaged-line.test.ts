/** Lines that were damaged, or are full of the dead: those who live are served in time all the same. */
import { describe, expect, test } from "@jest/globals";
import { companion, failure, VirtualClock, waitUntil } from "@redislock/test-kit";
import v8 from "node:v8";
import vm from "node:vm";

import { scripts } from "../src/adapter.js";
import { Locker, type LockEvent, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

const TTL = 30_000;

/** A locker whose waiters ask only when they are told to, or when its clock is moved. */
function still(): { readonly one: Locker; readonly clock: VirtualClock } {
  const clock = new VirtualClock();
  return { one: locker({ clock }), clock };
}

/** Puts waiters into the line who will never ask again; those who were silent too long with `stale`. */
async function bury(count: number, how: "stale" | "fresh" = "fresh"): Promise<void> {
  const at = how === "stale" ? 1_000 : Date.now();
  await server.command(
    "EVAL",
    `for n = 1, ARGV[1] do
      redis.call('ZADD', KEYS[1], n, 'dead:' .. n)
      redis.call('HSET', KEYS[2], 'dead:' .. n, ARGV[2])
    end
    redis.call('PEXPIRE', KEYS[1], 60000)
    redis.call('PEXPIRE', KEYS[2], 60000)`,
    "2",
    companion("k", "line"),
    companion("k", "waiters"),
    String(count),
    `${at} 30000 1 1 30000 86400000 22 proof  AAAAAAAAAAAAAAAAAAAAAA`,
  );
}

/** How many commands ran in Redis, those of scripts included, while something was done. */
async function commandsOf(work: () => Promise<unknown>): Promise<number> {
  await server.command("CONFIG", "RESETSTAT");
  await work();
  const stats = String(await server.command("INFO", "commandstats"));
  return [...stats.matchAll(/calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function keysWithoutTtl(): Promise<string[]> {
  const keys = await server.command("KEYS", "*");
  const names = Array.isArray(keys) ? keys.map(String) : [];
  const left = await Promise.all(names.map((name) => server.command("PTTL", name)));
  return names.filter((_, index) => left[index] === -1);
}

describe("behind the dead", () => {
  test("whoever lives asks soon after the lease's end, however many died before it", async () => {
    await server.command("SET", "k", "of the dead", "PX", "60000");
    await bury(500);
    const { one, clock } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await waitUntil(() => asked().filter((name) => name === "obtain").length === 2, {
      what: "it to be counted",
    });
    await server.command("DEL", "k"); // Nobody is told, as at the end of a lease.
    proxy.commands.clear();
    clock.advance(15_000 - 1); // What is left of the lease is more than half its own: it checks in.
    const checkedIn = (): boolean => {
      clock.advance(1);
      return asked().length > 0;
    };
    await waitUntil(checkedIn, { what: "its check-in" });
    const lock = await waiting;
    expect(asked()).toEqual(["obtain"]);
    expect(await server.command("GET", "k")).toBe(lock.token);
  });

  test("the lease's end is followed by its command within 250 ms, from place 501", async () => {
    const { untilTurn } = await import("../src/acquire/waiter.js");
    for (const position of [1, 2, 11, 12, 501, 100_001]) {
      expect(untilTurn("counted", position, 1_000)).toBeGreaterThan(1_000);
      expect(untilTurn("counted", position, 1_000)).toBeLessThan(1_250);
    }
    expect(untilTurn("counted", 2, 1_000)).toBeGreaterThan(untilTurn("counted", 1, 1_000));
  });

  test.each(["stale", "fresh"] as const)(
    "a try takes a free lock, though more %s ones stand in line than one script drops",
    async (how) => {
      await bury(2_500, how);
      const lock = await locker().obtain("k", TTL);
      expect(await server.command("GET", "k")).toBe(lock.token);
      expect(asked()).toEqual(["obtain", "obtain", "obtain"]);
      expect(await server.command("EXISTS", companion("k", "line"))).toBe(0);
    },
  );

  test("a release serves the line to its end", async () => {
    const lock = await locker().obtain("k", TTL);
    await bury(2_500);
    const { one } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await waitUntil(() => asked().filter((name) => name === "obtain").length === 3, {
      what: "it to be counted",
    });
    await lock.release();
    expect((await waiting).held).toBe(true);
  });

  test("so does a locker that gives back what it held, before it is closed", async () => {
    const inner = client();
    const closed = new Locker(inner);
    await closed.obtain("k", TTL);
    await bury(2_500);
    const { one } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await waitUntil(() => asked().filter((name) => name === "obtain").length === 3, {
      what: "it to be counted",
    });
    await closed.close({ grace: 0 });
    await inner.close();
    expect((await waiting).held).toBe(true);
  });

  test("so does a forced release, and takes the lock away from nobody else", async () => {
    await locker().obtain("k", TTL);
    await bury(2_500);
    const { one } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await waitUntil(() => asked().filter((name) => name === "obtain").length === 3, {
      what: "it to be counted",
    });
    expect(await locker().forceRelease("k")).toBe(true);
    const lock = await waiting;
    expect(await server.command("GET", "k")).toBe(lock.token);
  });

  test("so does a waiter that leaves", async () => {
    const holder = await locker().obtain("k", TTL);
    const { one: first } = still();
    const control = new AbortController();
    const leaving = failure(first.obtain("k", TTL, { wait: Infinity, signal: control.signal }));
    await untilInLine("k", 1, "told");
    await bury(2_500);
    const { one } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await waitUntil(() => asked().filter((name) => name === "obtain").length >= 5, {
      what: "it to be counted",
    });
    await server.command("DEL", "k");
    control.abort();
    await leaving;
    expect((await waiting).held).toBe(true);
    await failure(holder.release());
  });

  test("who went stale is told of neither as waiting nor in a position", async () => {
    await locker().obtain("k", TTL);
    await bury(300, "stale");
    const { one, clock } = still();
    const failed = failure(one.obtain("k", TTL, { wait: 1_000 }));
    await waitUntil(async () => (await locker().inspect("k")).waiters === 1, { what: "its place" });
    // Redis has all the time to say what place that is.
    clock.advance(1_000);
    expect(await failed).toMatchObject({ code: "NOT_OBTAINED", position: 1 });
    const waiting = failure(one.obtain("k", TTL, { wait: Infinity, metadata: "alive" }));
    await waitUntil(async () => (await locker().inspect("k")).waiters === 1, {
      what: "the one who lives",
    });
    const { line } = await locker().inspect("k");
    expect(line.map(({ position, metadata }) => [position, metadata])).toEqual([[1, "alive"]]);
    await one.close();
    await waiting;
  });

  test.each([20_000, 100_000])("no script walks a line of %i to its end", async (count) => {
    const lock = await locker().obtain("k", TTL);
    await bury(count);
    const most = 8_000; // A thousand are dropped, with some commands each.
    expect(await commandsOf(() => locker().tryObtain("k", TTL))).toBeLessThan(most);
    expect(await commandsOf(() => locker().inspect("k"))).toBeLessThan(most);
    expect(await commandsOf(() => lock.refresh(3_000))).toBeLessThan(100);
    const { one } = still();
    const waiting = failure(one.obtain("k", TTL, { wait: Infinity }));
    expect(
      await commandsOf(() =>
        waitUntil(() => asked().filter((name) => name === "obtain").length >= 3, {
          what: "it to be counted",
        }),
      ),
    ).toBeLessThan(most);
    await one.close();
    await waiting;
  });

  test("a check-in clears away who died in front", async () => {
    await locker().obtain("k", TTL);
    await bury(2_500);
    const { one, clock } = still();
    const waiting = failure(one.obtain("k", TTL, { wait: Infinity }));
    await waitUntil(() => asked().filter((name) => name === "obtain").length === 3, {
      what: "it to be counted",
    });
    for (let round = 1; round <= 3; round++) {
      clock.advance(15_000 - 1);
      const checkedIn = (): boolean => {
        clock.advance(1);
        return asked().filter((name) => name === "obtain").length === 3 + round;
      };
      await waitUntil(checkedIn, { what: "its check-in" });
    }
    await waitUntil(async () => (await server.command("ZCARD", companion("k", "line"))) === 1, {
      what: "the dead to be gone",
    });
    await one.close();
    await waiting;
  });
});

describe("where a part of it was lost", () => {
  test.each([
    ["the line", (key: string) => ["DEL", companion(key, "line")] as const],
    ["the waiters' records", (key: string) => ["DEL", companion(key, "waiters")] as const],
    ["both", (key: string) => ["DEL", companion(key, "line"), companion(key, "waiters")] as const],
    ["the grant", (key: string) => ["DEL", companion(key, "grant")] as const],
    ["the fence", (key: string) => ["DEL", companion(key, "fence")] as const],
  ])("%s: those in it are served, and nothing stays for ever", async (what, damage) => {
    const lock = await locker().obtain("k", TTL);
    const { one, clock } = still();
    const { one: two, clock: clockOfTwo } = still();
    const first = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    const second = two.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 2, "told");
    await server.command(...damage("k"));
    await lock.release();
    if (what === "both") {
      // Nothing tells of them any more: they check in.
      clock.advance(15_000);
      clockOfTwo.advance(15_000);
    }
    const winner = await Promise.race([first, second]);
    expect(await server.command("GET", "k")).toBe(winner.token);
    expect(await keysWithoutTtl()).toEqual([]);
    await winner.release();
    const [loser] = [await first, await second].filter((one) => one !== winner);
    expect(loser?.fencingToken).toBeGreaterThan(winner.fencingToken);
    await loser?.release();
    expect(await keysWithoutTtl()).toEqual([]);
  });

  test.each([
    ["the line", "line"],
    ["the records", "waiters"],
  ] as const)("%s: who comes later writes both with a ttl", async (_, part) => {
    await locker().obtain("k", TTL);
    const { one } = still();
    const first = failure(one.obtain("k", TTL, { wait: Infinity }));
    await untilInLine("k", 1, "told");
    await server.command("DEL", companion("k", part));
    const { one: other } = still();
    const second = failure(other.obtain("k", TTL, { wait: Infinity }));
    await waitUntil(() => asked().filter((name) => name === "obtain").length >= 5, {
      what: "both to have asked",
    });
    expect(await keysWithoutTtl()).toEqual([]);
    await Promise.all([one.close(), other.close()]);
    await Promise.all([first, second]);
  });
});

test.each([
  ["the grant was lost", companion("k", "grant")],
  ["one of several locks was lost", "l"],
])("where %s, a late copy of the obtain cuts no lease that was refreshed", async (_, lost) => {
  const copies: Parameters<RedisClient["run"]>[] = [];
  const inner = client();
  const one = new Locker({
    run(...command) {
      copies.push(command);
      return inner.run(...command);
    },
  });
  const lock = await one.obtain(lost === "l" ? ["k", "l"] : "k", 10_000);
  await lock.refresh(60_000);
  await server.command("DEL", lost);
  const [copy] = copies;
  if (copy) await inner.run(...copy);
  for (const key of lock.keys) {
    expect(await server.command("GET", key)).toBe(lock.token);
    expect(await server.command("PTTL", key)).toBeGreaterThan(lock.remaining);
    expect(await server.command("PTTL", companion(key, "grant"))).toBeGreaterThan(lock.remaining);
  }
  await one.close();
});

test("a server's clock that was set back does not let the dead hold up a free lock", async () => {
  await server.command("SET", "k", "held", "PX", "60000");
  const line = companion("k", "line");
  const waiters = companion("k", "waiters");
  await server.command("ZADD", line, "1", "dead:1");
  // No channel, so the lock would be kept for it; asked an hour from now.
  const record = `${Date.now() + 3_600_000} 2000 0 1 30000 86400000 22 proof  AAAAAAAAAAAAAAAAAAAAAA`;
  await server.command("HSET", waiters, "dead:1", record);
  const { one } = still();
  const waiting = one.obtain("k", TTL, { wait: Infinity });
  await waitUntil(() => asked().filter((name) => name === "obtain").length === 2, {
    what: "it to be counted",
  });
  expect(await locker().forceRelease("k")).toBe(true);
  const lock = await waiting;
  expect(await server.command("GET", "k")).toBe(lock.token);
});

describe("with memory full", () => {
  async function full(work: () => Promise<void>): Promise<void> {
    await server.command("CONFIG", "SET", "maxmemory", "1");
    try {
      await work();
    } finally {
      await server.command("CONFIG", "SET", "maxmemory", "0");
    }
  }

  test("whoever is in line is served all the same", async () => {
    const lock = await locker().obtain("k", TTL);
    const { one } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    await full(async () => {
      await lock.release();
      const next = await waiting;
      expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
      expect(await server.command("GET", "k")).toBe(next.token);
      await next.release();
    });
  });

  test("a lease is cut, and goes on being renewed", async () => {
    const lock = await locker().obtain("k", 60_000);
    await full(async () => {
      await lock.refresh(30_000);
      expect(await lock.ttl()).toBeLessThanOrEqual(30_000);
      await lock.refresh(90_000);
      expect(await lock.ttl()).toBeGreaterThan(80_000);
      await lock.release();
    });
  });

  test("it may check in", async () => {
    await locker().obtain("k", TTL);
    const { one, clock } = still();
    const waiting = failure(one.obtain("k", TTL, { wait: Infinity }));
    await untilInLine("k", 1, "told");
    proxy.commands.clear();
    await full(async () => {
      clock.advance(15_000);
      await proxy.commands.waitFor("EVALSHA");
      await waitUntil(async () => (await locker().inspect("k")).waiters === 1, {
        what: "its place",
      });
    });
    await one.close();
    await waiting;
  });

  test("whoever comes keeps asking, and has the lock once there is memory", async () => {
    const lock = await locker().obtain("k", TTL);
    let waiting: ReturnType<Locker["obtain"]> | undefined;
    await full(async () => {
      waiting = locker().obtain("k", TTL, { wait: Infinity });
      await waitUntil(() => asked().filter((name) => name === "obtain").length >= 4, {
        what: "it to ask again",
      });
    });
    await untilInLine("k", 1, "told");
    await lock.release();
    expect((await waiting)?.held).toBe(true);
  });
});

describe("a lease that is shortened", () => {
  test("is told to the first in line, who has the lock soon after its end", async () => {
    const lock = await locker().obtain("k", 60_000);
    const { one, clock } = still();
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    proxy.commands.clear();
    await lock.refresh(1_000);
    await waitUntil(() => asked().includes("obtain"), { what: "the waiter to ask" });
    await waitUntil(async () => (await server.command("EXISTS", "k")) === 0, {
      what: "the lease to end",
    });
    clock.advance(1_010);
    const next = await waiting;
    expect(await server.command("GET", "k")).toBe(next.token);
  });

  test("is not shortened again by a late copy, once it was made longer", async () => {
    const copies: Parameters<RedisClient["run"]>[] = [];
    const inner = client();
    const one = new Locker({
      run(...command) {
        copies.push(command);
        return inner.run(...command);
      },
    });
    const lock = await one.obtain("k", 60_000);
    await lock.refresh(5_000);
    const copy = copies.at(-1);
    await lock.refresh(60_000);
    if (copy) expect(await inner.run(...copy)).toBe("1");
    expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
    // Nor does the first command that was done last, or one that was never done before the longer one.
    await lock.refresh(20_000);
    await lock.refresh(60_000);
    for (const late of copies.slice(1)) await inner.run(...late);
    expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
    await lock.refresh(4_000);
    expect(await server.command("PTTL", "k")).toBeLessThanOrEqual(4_000);
    await one.close();
  });

  test("starts anew with a copy that is sent because the first was not answered", async () => {
    const inner = client();
    let lost = 0;
    const one = new Locker({
      async run(...command) {
        const reply = await inner.run(...command);
        if (!command[0].name.startsWith("shorten") || lost > 0) return reply;
        // As if the reply was lost: until it is sent again, most of the lease goes by.
        lost = Number(await server.command("PEXPIRE", "k", "10000"));
        await server.command("PEXPIRE", companion("k", "grant"), "10000");
        throw new Error("connection lost");
      },
    });
    const lock = await one.obtain("k", 60_000);
    await lock.refresh(30_000);
    expect(lost).toBe(1);
    expect(await server.command("PTTL", "k")).toBeGreaterThan(lock.remaining);
    expect(await server.command("PTTL", companion("k", "grant"))).toBeGreaterThan(lock.remaining);
    await one.close();
  });

  test("only grows where the grant was lost", async () => {
    const lock = await locker().obtain("k", 60_000);
    await server.command("DEL", companion("k", "grant"));
    await lock.refresh(1_000);
    expect(await server.command("PTTL", "k")).toBeGreaterThan(50_000);
    expect(lock.remaining).toBeLessThan(1_000);
  });
});

describe("what stands where a lock's own keys should", () => {
  test("a value of any length is another's lock, and is not read to its end", async () => {
    await server.command("EVAL", "redis.call('SET', KEYS[1], string.rep('x', 50000000))", "1", "k");
    const error = await failure(locker().obtain("k", TTL));
    expect(error).toMatchObject({
      code: "NOT_OBTAINED",
      holder: { metadata: undefined, fencingToken: undefined, remaining: Infinity },
    });
    for (const { source } of Object.values(scripts)) {
      expect(source).not.toMatch(/call\('(GET|MGET|HGETALL|HVALS|HKEYS)'/);
    }
  });

  test.each([
    ["text", (key: string) => ["SET", key, "garbage"] as const],
    ["a number beyond all fencing tokens", (key: string) => ["SET", key, "9".repeat(20)] as const],
    ["a list", (key: string) => ["RPUSH", key, "x"] as const],
  ])("%s is no fence", async (_, put) => {
    await server.command(...put(companion("k", "fence")));
    const lock = await locker().obtain("k", TTL);
    expect(lock.fencingToken / 1_000).toBeGreaterThan(Date.now() - 60_000);
    expect(lock.fencingToken / 1_000).toBeLessThan(Date.now() + 60_000);
    await lock.release();
    expect((await locker().obtain("k", TTL)).fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(await keysWithoutTtl()).toEqual([]);
  });

  test.each(["grant", "line", "waiters"] as const)("an error names the %s", async (what) => {
    const name = companion("k", what);
    await server.command("SADD", name, "x");
    await server.command("SET", "k", "foreign", "PX", "60000");
    const options = what === "grant" ? {} : { wait: TTL };
    const error = await failure(locker().obtain("k", TTL, options));
    expect(error).toMatchObject({ code: "NOT_A_LOCK" });
    expect(String(error)).toContain(`${name} holds a set`);
  });
});

test("what is left of many names is little", async () => {
  const used = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(String(await server.command("INFO", "memory")))?.[1]);
  const count = 10_000;
  const one = locker();
  const before = await used();
  for (let n = 0; n < count; n += 100) {
    const names = Array.from({ length: 100 }, (_, i) => `name-${String(n + i).padStart(5, "0")}`);
    const locks = await Promise.all(names.map((name) => one.obtain(name, TTL)));
    await Promise.all(locks.map((lock) => lock.release()));
  }
  expect(((await used()) - before) / count).toBeLessThan(120);
  expect(await keysWithoutTtl()).toEqual([]);
});

test("for how long the fence is remembered can be set, and does not shorten what others remember", async () => {
  const fence = companion("k", "fence");
  await (await locker({ rememberFence: 60_000 }).obtain("k", 1_000)).release();
  expect(await server.command("PTTL", fence)).toBeLessThanOrEqual(60_000);
  await (await locker().obtain("k", 1_000)).release();
  expect(await server.command("PTTL", fence)).toBeGreaterThan(86_000_000);
  const short = locker({ rememberFence: 60_000 });
  const lock = await short.obtain("k", 1_000);
  await lock.refresh();
  await lock.release();
  expect(await server.command("PTTL", fence)).toBeGreaterThan(86_000_000);
});

describe("a subscription that leads nowhere", () => {
  /** A client whose messages are swallowed: by something that the server still counts, or does not. */
  function deaf(counted: boolean): RedisClient & { subscriptions: number } {
    const inner = client();
    const redis = {
      subscriptions: 0,
      run: (...command: Parameters<RedisClient["run"]>) => inner.run(...command),
      async subscribe(...[channel, listener]: Parameters<NonNullable<RedisClient["subscribe"]>>) {
        redis.subscriptions++;
        if (redis.subscriptions > 1) return inner.subscribe(channel, listener);
        if (!counted) return { close: () => Promise.resolve() };
        return inner.subscribe(channel, { ...listener, message: () => undefined });
      },
    };
    return redis;
  }

  test.each([
    ["which the server counts", true],
    ["which the server does not know of", false],
  ])("%s, is noticed after the first late hand-off", async (_, counted) => {
    const redis = deaf(counted);
    const events: LockEvent[] = [];
    const one = new Locker(redis, { onEvent: (event) => events.push(event) });
    const held = await locker().obtain("k", TTL);
    const waiting = one.obtain("k", 1_000, { wait: Infinity });
    await waitUntil(() => redis.subscriptions === 1, { what: "it to subscribe" });
    await waitUntil(() => asked().filter((name) => name === "obtain").length >= 3, {
      what: "it to be told that messages come",
    });
    await held.release();
    const lock = await waiting;
    expect(await server.command("GET", "k")).toBe(lock.token);
    await lock.release();
    await waitUntil(() => events.some(({ type }) => type === "subscribeFailed"), {
      what: "the event",
    });
    await waitUntil(() => redis.subscriptions === 2, { what: "another subscription" });
    // And hears again: on a lease that it could not have asked in the meantime.
    const again = await locker().obtain("k", TTL);
    const next = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    proxy.commands.clear();
    await again.release();
    await next;
    expect(asked().filter((name) => name === "obtain")).toEqual([]);
    await one.close();
  });

  test("does not starve behind a busy locker", async () => {
    const redis = deaf(false);
    const one = new Locker(redis);
    const busy = locker();
    let rounds = 0;
    let done = false;
    const held = await busy.obtain("k", 5_000);
    const waiting = one.obtain("k", 1_000, { wait: Infinity }).then((lock) => {
      done = true;
      return lock.release();
    });
    await waitUntil(() => redis.subscriptions === 1, { what: "it to subscribe" });
    const take = async (): Promise<void> => {
      while (!done) {
        await busy.using("k", 5_000, { wait: Infinity }, () => rounds++);
      }
    };
    const taking = [take(), take()];
    await held.release();
    await waiting;
    await Promise.all(taking);
    expect(rounds).toBeGreaterThan(0);
    await one.close();
  });

  test("as does each that replaces it, does not starve either: its place is kept", async () => {
    const inner = client();
    let subscriptions = 0;
    const redis: RedisClient = {
      run: (...command) => inner.run(...command),
      subscribe: () => {
        subscriptions++;
        return Promise.resolve({ close: () => Promise.resolve() });
      },
    };
    const clock = new VirtualClock();
    const one = new Locker(redis, { clock });
    for (let round = 0; round < 2; round++) {
      await server.command("SET", "k", "another's", "PX", "60000");
      const waiting = one.obtain("k", TTL, { wait: Infinity });
      await untilInLine("k", 1, "told");
      await server.command("DEL", "k"); // Nobody is told, as at the end of a lease.
      const lock = await clock.until(waiting, 1_000);
      clock.advance(1_000); // It should have heard by now.
      await lock.release();
    }
    const held = await locker().obtain("k", TTL);
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1);
    await held.release();
    expect(await locker().tryObtain("k", TTL)).toBeNull();
    expect(await server.command("EXISTS", "k")).toBe(0);
    await clock.until(waiting);
    expect(subscriptions).toBe(2);
    await one.close();
  });

  /** A waiter that found the lock free by itself, and a message sent to it, which is kept back so far. */
  async function unheard(): Promise<{
    readonly one: Locker;
    readonly clock: VirtualClock;
    readonly events: LockEvent[];
    readonly subscriptions: () => number;
    readonly resumed: () => number;
    /** What was kept back arrives, and all that comes later does at once. */
    readonly deliver: () => void;
  }> {
    const inner = client();
    const heard: string[] = [];
    let subscriptions = 0;
    let resumed = 0;
    let isKept = true;
    let pass: (text: string) => void = () => undefined;
    const redis: RedisClient = {
      run: (...command) => inner.run(...command),
      subscribe: (channel, listener) => {
        subscriptions++;
        pass = (text) => listener.message(text);
        return inner.subscribe(channel, {
          message: (text) => {
            heard.push(text);
            if (!isKept) pass(text);
          },
          resumed: () => {
            resumed++;
            listener.resumed();
          },
        });
      },
    };
    const clock = new VirtualClock();
    const events: LockEvent[] = [];
    const one = new Locker(redis, { clock, onEvent: (event) => events.push(event) });
    await server.command("SET", "k", "another's", "PX", "60000");
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    await server.command("DEL", "k"); // Nobody is told, as at the end of a lease.
    await clock.until(waiting, 1_000);
    await waitUntil(() => heard.length > 0, { what: "the message" });
    const deliver = (): void => {
      isKept = false;
      for (const text of heard) pass(text);
    };
    const counts = { subscriptions: () => subscriptions, resumed: () => resumed };
    return { one, clock, events, deliver, ...counts };
  }

  const isDeafness = ({ type }: LockEvent): boolean => type === "subscribeFailed";

  test("is none because the process was busy for longer than a message may take", async () => {
    const { one, clock, events, subscriptions, deliver } = await unheard();
    clock.stall(1_500);
    clock.advance(0); // What is due is done first, and only then is read what came meanwhile.
    deliver();
    clock.advance(1_000);
    expect([events.filter(isDeafness), subscriptions()]).toEqual([[], 1]);
    await one.close();
  });

  test("is none because the message was sent just when the connection was lost", async () => {
    const { one, clock, events, subscriptions, resumed } = await unheard();
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await waitUntil(() => resumed() > 0, { what: "it to listen again" });
    clock.advance(1_000);
    expect([events.filter(isDeafness), subscriptions()]).toEqual([[], 1]);
    await one.close();
  });

  test("costs no command where all is well", async () => {
    const held = await locker().obtain("k", TTL);
    const { one, clock } = still();
    const waiting = failure(one.obtain("k", TTL, { wait: Infinity }));
    await untilInLine("k", 1, "told");
    await server.command("CONFIG", "RESETSTAT");
    for (let round = 0; round < 4; round++) {
      const before = asked().length;
      clock.advance(15_000 - 1);
      const checkedIn = (): boolean => {
        clock.advance(1);
        return asked().length > before;
      };
      await waitUntil(checkedIn, { what: "a check-in" });
    }
    const stats = String(await server.command("INFO", "commandstats"));
    expect(stats).not.toContain("cmdstat_publish");
    expect(stats).not.toContain("cmdstat_subscribe");
    await one.close();
    await waiting;
    await held.release();
  });
});

describe("lockers that share a client", () => {
  test("share one subscription, which ends with the last of them", async () => {
    const redis = client();
    const lockers = Array.from({ length: 100 }, () => new Locker(redis));
    const held = await locker().obtain("k", TTL);
    const waiting = lockers.map((one) => one.obtain("k", TTL, { wait: Infinity }));
    await untilInLine("k", 100, "told");
    expect(await openInboxes()).toHaveLength(1);
    await held.release();
    for (const next of waiting) await (await next).release();
    const [last, ...others] = lockers;
    await Promise.all(others.map((one) => one.close()));
    expect(await openInboxes()).toHaveLength(1);
    await last?.close();
    await waitUntil(async () => (await openInboxes()).length === 0, { what: "it to be closed" });
  });

  test("are forgotten with their requests, though somebody waits all the time", async () => {
    v8.setFlagsFromString("--expose-gc");
    const collect: unknown = vm.runInNewContext("gc");
    const redis = client();
    await server.command("SET", "other", "another's", "PX", "60000");
    const always = new Locker(redis);
    const waiting = failure(always.obtain("other", TTL, { wait: Infinity }));
    await untilInLine("other", 1, "told");
    const request = async (): Promise<WeakRef<object>> => {
      const onEvent = (): void => undefined;
      const held = await locker().obtain("k", TTL);
      const using = new Locker(redis, { onEvent }).using("k", TTL, { wait: TTL }, () => undefined);
      await untilInLine("k", 1, "told");
      await held.release();
      await using;
      return new WeakRef(onEvent);
    };
    const requests = [await request(), await request(), await request()];
    const areForgotten = (): boolean => {
      if (typeof collect === "function") Reflect.apply(collect, undefined, []);
      return requests.every((one) => one.deref() === undefined);
    };
    // Each look takes the longer the more there is to collect.
    await waitUntil(areForgotten, { what: "them to be forgotten", interval: 300 });
    expect(await openInboxes()).toHaveLength(1);
    await always.close();
    expect(await openInboxes()).toHaveLength(0);
    await waiting;
  });

  test("leave it when nobody has waited for half a minute, and open it again when somebody does", async () => {
    const redis = client();
    const clock = new VirtualClock();
    const one = new Locker(redis, { clock });
    for (let round = 0; round < 2; round++) {
      const held = await locker().obtain("k", TTL);
      const waiting = one.obtain("k", TTL, { wait: Infinity });
      await untilInLine("k", 1, "told");
      await held.release();
      await (await waiting).release();
      clock.advance(25_000);
      expect(await openInboxes()).toHaveLength(1);
      clock.advance(10_000);
      await waitUntil(async () => (await openInboxes()).length === 0, { what: "it to be closed" });
    }
  });

  test("leave it when the client is closed", async () => {
    const redis = client();
    const clock = new VirtualClock();
    const one = new Locker(redis, { clock });
    const held = await locker().obtain("k", TTL);
    const waiting = one.obtain("k", TTL, { wait: Infinity });
    await untilInLine("k", 1, "told");
    await held.release();
    await (await waiting).release();
    await redis.close();
    clock.advance(2_000);
    await waitUntil(async () => (await openInboxes()).length === 0, { what: "it to be closed" });
  });

  async function openInboxes(): Promise<unknown[]> {
    const channels = await server.command("PUBSUB", "CHANNELS", "redislock:inbox:*");
    return Array.isArray(channels) ? channels : [];
  }
});
