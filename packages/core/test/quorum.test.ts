/** A lock that a majority of several independent servers keeps. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import {
  companion,
  connect,
  failure,
  line,
  loadScripts,
  startProxiedServer,
  startServer,
  untilInLine,
  VirtualClock,
  waitUntil,
  type ProxiedServer,
  type RedisServer,
} from "@redislock/test-kit";

import { scripts } from "../src/adapter.js";
import { Acquisition } from "../src/acquire/acquisition.js";
import {
  detailed,
  linearBackoff,
  NotObtainedError,
  OutcomeUnknownError,
  RefusedError,
} from "../src/index.js";
import type { DetailedLockEvent, LockEvent, RedisClient, Reply } from "../src/index.js";
import {
  QuorumError,
  QuorumLocker,
  quorumScripts,
  type QuorumLockerOptions,
} from "../src/quorum/index.js";
import { RespClient } from "./resp-client.js";

const TTL = 4_000;
/** The servers vote from their sixth second on. */
const MAX_TTL = 4_000;
const servers = await Promise.all(Array.from({ length: 3 }, () => startProxiedServer()));
const [first, second, third] = [at(0), at(1), at(2)];
const { vote } = quorumScripts;
const opened: { close(): unknown }[] = [];

beforeAll(() => Promise.all(servers.map(({ server }) => untilOld(server))));

afterEach(async () => {
  for (const { server, proxy } of servers) {
    server.resume();
    await proxy.heal();
  }
  await Promise.all(opened.splice(0).map((one) => one.close()));
  for (const { server, proxy } of servers) {
    // What was under way is done by then, and not after it.
    await waitUntil(() => isAlone(server), { what: "all connections to be closed" });
    await server.command("FLUSHALL");
    proxy.commands.clear();
  }
});

afterAll(() => Promise.all(servers.map((one) => one.stop())));

/** Nobody is connected but the test itself. */
async function isAlone(server: RedisServer): Promise<boolean> {
  return (
    String(await server.command("CLIENT", "LIST"))
      .trim()
      .split("\n").length === 1
  );
}

function at(index: number): ProxiedServer {
  const server = servers[index];
  if (!server) throw new Error(`there is no server ${index}`);
  return server;
}

async function untilOld(server: RedisServer): Promise<void> {
  const isOld = async (): Promise<boolean> => {
    const [, seconds] = /uptime_in_seconds:(\d+)/.exec(String(await server.command("INFO"))) ?? [];
    return Number(seconds) > MAX_TTL / 1_000;
  };
  await waitUntil(isOld, { what: "the server to be old enough to vote" });
}

function client({ proxy }: { readonly proxy: { readonly port: number } }): RespClient {
  const one = new RespClient(() => connect(proxy.port));
  opened.push(one);
  return one;
}

/** A locker with clients of its own. */
function locker(options: QuorumLockerOptions = {}): QuorumLocker {
  const one = new QuorumLocker(servers.map(client), { maxTtl: MAX_TTL, ...options });
  opened.push(one);
  return one;
}

let lastKnown = 0;

/** Such a locker that knows its servers already. */
async function known(options?: QuorumLockerOptions): Promise<QuorumLocker> {
  const one = locker(options);
  const key = `known-${++lastKnown}`;
  await one.using(key, TTL, () => undefined);
  await untilFree(key);
  return one;
}

async function holders(key: string): Promise<boolean[]> {
  const found = servers.map(({ server }) => server.command("EXISTS", key));
  return (await Promise.all(found)).map((count) => count === 1);
}

/** Resolves when no server has anything of a lock but its fence. */
function untilFree(key: string): Promise<unknown> {
  const kinds = ["grant", "line", "waiters"] as const;
  const names = [key, ...kinds.map((kind) => companion(key, kind))];
  const isFree = async (): Promise<boolean> => {
    const counts = servers.map(({ server }) => server.command("EXISTS", ...names));
    return (await Promise.all(counts)).every((count) => count === 0);
  };
  return waitUntil(isFree, { what: `nothing to be left of ${key}` });
}

function said(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof QuorumError ? cause : cause instanceof Error && cause.cause;
  return inner instanceof QuorumError ? inner.servers.map((server) => server.said) : inner;
}

test("a lock is at all servers, with one token, and nothing is left when it is released", async () => {
  const events: LockEvent[] = [];
  const one = await known({ onEvent: (event) => events.push(event) });
  const lock = await one.obtain("k", TTL, { metadata: "me" });
  await waitUntil(async () => (await holders("k")).every(Boolean));
  for (const { server } of servers) {
    expect(await server.command("GET", "k")).toBe(`${lock.token}me`);
  }
  expect(lock).toMatchObject({ key: "k", metadata: "me", mode: "exclusive", held: true });
  expect([...one.held]).toEqual([lock]);
  expect(await lock.ttl()).toBeGreaterThan(TTL / 2);
  await lock.refresh();
  expect(await one.inspect("k")).toMatchObject({
    holder: { metadata: "me", fencingToken: lock.fencingToken },
    held: 1,
    waiters: 0,
  });
  await lock.release();
  await untilFree("k");
  expect((await one.inspect("k")).holder).toBeUndefined();
  expect(events.map(({ type }) => type).slice(-2)).toEqual(["obtained", "released"]);
  expect(await failure(lock.release())).toMatchObject({ code: "NOT_HELD" });
});

test("takes one command at each server to obtain, and one to release", async () => {
  const one = await known();
  const lap = async (): Promise<void> => {
    const lock = await one.obtain("k", TTL);
    await lock.release();
    await untilFree("k");
  };
  await lap();
  await lap();
  for (const { proxy } of servers) proxy.commands.clear();
  await lap();
  // Where machine or clocks were slow for a moment, a server must be told the token of the others.
  const asked = ({ proxy }: ProxiedServer): number =>
    proxy.commands.all.filter(([, sha1]) => sha1 !== quorumScripts.lift.sha1).length;
  expect(servers.map(asked)).toEqual([2, 2, 2]);
});

test("two have it never: who has a majority keeps others out, who has not gives all back", async () => {
  const [one, other] = [await known(), await known()];
  const lock = await one.obtain("k", TTL, { metadata: "me" });
  const refused = await failure(other.obtain("k", TTL));
  expect(refused).toBeInstanceOf(NotObtainedError);
  expect(refused).toMatchObject({ holder: { metadata: "me" } });
  expect(await other.tryObtain("k", TTL)).toBeNull();
  await lock.release();
  await untilFree("k");
  await third.server.command("SET", "k", "another", "PX", String(TTL));
  await second.server.command("SET", "k", "another", "PX", String(TTL));
  const error = await failure(one.obtain("k", TTL));
  expect(error).toBeInstanceOf(NotObtainedError);
  await waitUntil(async () => !(await holders("k"))[0], { what: "the one vote to be given back" });
});

test("a server that hangs is not waited for, and has nothing left when it goes on", async () => {
  const one = await known({ commandTimeout: 60_000 });
  third.server.pause();
  const lock = await one.obtain("k", TTL);
  await lock.refresh();
  await lock.release();
  const again = await one.obtain("k", TTL, { token: "a-token-of-my-own", wait: 60_000 });
  await again.release();
  third.server.resume();
  await untilFree("k");
});

test("a vote that comes late is part of the lock, and goes back with it", async () => {
  const one = await known();
  third.proxy.silence();
  const lock = await one.obtain("k", TTL, { token: "a-token-of-my-own" });
  third.proxy.speak({ deliver: true });
  await waitUntil(async () => (await holders("k"))[2], { what: "the late vote" });
  await lock.release();
  await untilFree("k");
});

test("who is told no gives back also what it never heard of, without waiting for that", async () => {
  const one = await known();
  // A server that does not know the script of the leave would have to be heard saying so.
  await loadScripts(third.server, Object.values(scripts));
  for (const { server } of [first, second]) {
    await server.command("SET", "k", "another", "PX", String(10 * TTL));
  }
  third.proxy.silenceReplies();
  expect(await failure(one.obtain("k", TTL))).toBeInstanceOf(NotObtainedError);
  // Before its ttl would free it.
  const isFree = async (): Promise<boolean> => (await holders("k"))[2] === false;
  await waitUntil(isFree, { what: "the vote to be given back", timeout: TTL / 2 });
});

test("what is to give back a vote and comes late leaves the vote that was given since", async () => {
  let late: (() => Promise<Reply>) | undefined;
  const own = servers.map(client);
  const clients = own.map((real, index) => ({
    run: async (...of: Parameters<RedisClient["run"]>): Promise<Reply> => {
      if (index !== 2 || late || of[0].name !== "leave") return real.run(...of);
      late = () => real.run(...of);
      await first.server.command("DEL", "k");
      return new Promise(() => undefined); // Lost, and nobody is told.
    },
  }));
  const one = new QuorumLocker(clients, { maxTtl: MAX_TTL });
  opened.push(one);
  await one.using("known", TTL, () => undefined);
  await untilFree("known");
  for (const { server } of [first, second]) {
    await server.command("SET", "k", "another", "PX", String(10 * TTL));
  }
  const lock = await one.obtain("k", TTL, { retry: linearBackoff(20) });
  await late?.();
  expect(await third.server.command("GET", "k")).toBe(lock.token);
  expect(await failure((await known()).obtain("k", TTL))).toBeInstanceOf(NotObtainedError);
  await lock.release();
  await second.server.command("DEL", "k");
  await untilFree("k");
});

test.each(["of an obtain that was given up", "of a lock that was released"])(
  "a vote over a slow connection of a pool, which what gives it back has overtaken, goes back, %s",
  async (what) => {
    let overtaken: () => void = () => undefined;
    const isOvertaken = new Promise<void>((resolve) => (overtaken = resolve));
    let given: (reply: Reply) => void = () => undefined;
    const isGiven = new Promise<Reply>((resolve) => (given = resolve));
    const clients = servers.map(client).map((real, index) => ({
      run: async (...of: Parameters<RedisClient["run"]>): Promise<Reply> => {
        const [{ name }, [key]] = of;
        const isVote = name === "vote";
        if (index !== 2 || key !== "k") return real.run(...of);
        if (isVote) await isOvertaken;
        const reply = await real.run(...of);
        if (isVote) given(reply);
        else overtaken();
        return reply;
      },
    }));
    const one = new QuorumLocker(clients, { maxTtl: MAX_TTL });
    opened.push(one);
    await one.using("known", TTL, () => undefined);
    await untilFree("known");
    if (what === "of a lock that was released") {
      const lock = await one.obtain("k", TTL);
      await lock.release();
    } else {
      for (const { server } of [first, second]) await server.command("SET", "k", "another");
      expect(await one.tryObtain("k", TTL)).toBeNull();
    }
    expect(await isGiven).toMatch(/^\d+$/);
    // Before its ttl would free it.
    const isFree = async (): Promise<boolean> => (await holders("k"))[2] === false;
    await waitUntil(isFree, { what: "the vote to be given back", timeout: TTL / 2 });
  },
);

test("a token is above that of the lock before, which only the last of the votes remembers", async () => {
  const fenceOf = (keys: readonly string[]): string => keys[2] ?? "";
  const ahead = Date.now() * 1_000 + 10_000_000;
  let tellSecond: () => void = () => undefined;
  const isSecondTold = new Promise<void>((resolve) => (tellSecond = resolve));
  let lift: () => void = () => undefined;
  const isLifting = new Promise<void>((resolve) => (lift = resolve));
  const clients = servers.map((own, index) => {
    const real = client(own);
    const { server } = own;
    return {
      run: async (...of: Parameters<RedisClient["run"]>): Promise<Reply> => {
        const [{ name }, keys] = of;
        const isOfK = keys[0] === "k";
        if (isOfK && name === "vote" && index > 0) {
          const fence = ahead + (index === 1 ? 20_000_000 : 0);
          await server.command("SET", fenceOf(keys), String(fence));
        }
        if (index === 0 && isOfK && name === "lift") {
          // The first majority was of this server, whose vote is gone, and of the third.
          await server.command("DEL", "k");
          lift();
          await isSecondTold;
        }
        const reply = await real.run(...of);
        if (index === 1 && isOfK && name === "vote") {
          await isLifting;
          setImmediate(tellSecond);
        }
        return reply;
      },
    };
  });
  const one = new QuorumLocker(clients, { maxTtl: MAX_TTL });
  opened.push(one);
  await one.using("known", TTL, () => undefined);
  await untilFree("known");
  const lock = await one.obtain("k", TTL);
  expect(lock.fencingToken).toBeGreaterThan(ahead + 20_000_000);
  await lock.release();
  await untilFree("k");
});

test("a server that was silent at first votes when it is back, though another is gone by then", async () => {
  const one = locker({ commandTimeout: 60_000 });
  third.server.pause();
  await one.using("known", TTL, () => undefined);
  first.server.pause();
  third.server.resume();
  // Its first answer came late, so it is called anew.
  const lock = await one.obtain("k", TTL, { wait: 60_000 });
  expect(lock.held).toBe(true);
  await lock.release();
  first.server.resume();
  await untilFree("k");
});

test("too few answers are unknown, with what each server said, and nothing is left", async () => {
  const one = await known({ commandTimeout: 1_000 });
  second.proxy.silenceReplies();
  third.proxy.silenceReplies();
  const error = await failure(one.obtain("k", TTL));
  expect(error).toBeInstanceOf(OutcomeUnknownError);
  expect(said(error)).toEqual(["yes", "unknown", "unknown"]);
  second.proxy.speak({ deliver: true });
  third.proxy.speak({ deliver: true });
  await untilFree("k");
});

test("too many refusals are one refusal, with what each server said", async () => {
  const one = await known();
  for (const { server } of [first, third]) {
    await server.command("ACL", "SETUSER", "default", "-info");
  }
  const error = await failure(one.obtain("k", TTL));
  for (const { server } of [first, third]) {
    await server.command("ACL", "SETUSER", "default", "+info");
  }
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ reply: "NOPERM" });
  expect(said(error)).toEqual(["refused", expect.stringMatching(/yes|unknown/), "refused"]);
  await untilFree("k");
});

test("one server that loses everything harms nobody, and votes again when the lock is renewed", async () => {
  const [one, other] = [await known(), await known()];
  const lock = await one.obtain("k", TTL);
  await waitUntil(async () => (await holders("k")).every(Boolean));
  await first.server.command("FLUSHALL");
  expect(await other.tryObtain("k", TTL)).toBeNull();
  await untilHolders("k", [false, true, true]);
  await lock.refresh();
  await untilHolders("k", [true, true, true]);
  await third.server.command("FLUSHALL");
  await lock.refresh();
  expect(lock.held).toBe(true);
  await lock.release();
  await untilFree("k");
});

test("a lock outlives that a server which has it hangs, where another has only missed it", async () => {
  const told: string[] = [];
  const one = await known({ onEvent: ({ type }) => told.push(type) });
  const lock = await one.obtain("k", TTL, { renew: true });
  await untilHolders("k", [true, true, true]);
  await third.server.command("FLUSHALL");
  second.server.pause();
  const isTold = (): boolean => told.includes("renewed") || told.includes("lost");
  await waitUntil(isTold, { what: "the renewal", timeout: 2 * TTL });
  expect(lock.held).toBe(true);
  expect(await third.server.command("GET", "k")).toBe(lock.token);
  second.server.resume();
  await lock.release();
  await untilFree("k");
});

test("what a release leaves taken is taken back for no longer than that, where a server has missed it", async () => {
  const one = await known();
  const lock = await one.obtain("k", TTL, { holdAtLeast: TTL / 2 });
  await untilHolders("k", [true, true, true]);
  // Waits for all servers, so that no vote is on its way any more.
  await one.inspect("k");
  await third.server.command("FLUSHALL");
  third.proxy.commands.clear();
  await lock.release();
  const vote = await third.proxy.commands.waitFor(([, sha1]) => sha1 === quorumScripts.vote.sha1);
  const [, , , , , , , , , , , ttl] = vote;
  expect(Number(ttl)).toBeLessThanOrEqual(TTL / 2);
  await untilFree("k");
});

test("a vote that was taken back is none once a majority says that it has nothing, and goes back", async () => {
  const one = await known({ clock: new VirtualClock() });
  const lock = await one.obtain("k", TTL);
  await untilHolders("k", [true, true, true]);
  for (const { server } of [second, third]) await server.command("FLUSHALL");
  second.proxy.silence();
  const refreshing = failure(lock.refresh());
  await untilHolders("k", [true, false, true]);
  second.proxy.speak({ deliver: true });
  expect(await refreshing).toMatchObject({ code: "NOT_HELD" });
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
  await untilHolders("k", [true, false, false]);
});

function untilHolders(key: string, expected: readonly boolean[]): Promise<unknown> {
  const isSo = async (): Promise<boolean> => String(await holders(key)) === String(expected);
  return waitUntil(isSo, { what: `the holders ${String(expected)}` });
}

test("a lock that a majority has lost is lost", async () => {
  const one = await known();
  const lock = await one.obtain("k", TTL);
  await first.server.command("DEL", "k");
  await second.server.command("DEL", "k");
  expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
});

test("a lock whose majority does not answer is lost at its deadline", async () => {
  const one = await known({ commandTimeout: 1_000 });
  const lock = await one.obtain("k", 3_000, { renew: true });
  first.proxy.silence();
  second.proxy.silence();
  await waitUntil(() => lock.signal.aborted, { what: "the loss" });
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "unreachable" });
});

describe("restarts", () => {
  test("a server that came back empty gives no vote to a second holder", async () => {
    const [one, other] = [await known(), await known()];
    await third.server.command("SET", "k", "somebody else's");
    third.proxy.commands.clear();
    const lock = await one.obtain("k", TTL);
    await third.proxy.commands.waitFor((command) => command.includes("k"));
    await first.server.restart({ empty: true });
    await third.server.command("DEL", "k");
    const error = await failure(other.obtain("k", TTL));
    expect(await holders("k")).toEqual([false, true, expect.any(Boolean)]);
    expect(said(error)).toEqual([expect.stringMatching(/refused|unknown/), "no", "yes"]);
    expect(String(error)).toContain("YOUNG");
    // The proof goes on for as long as it did; but of what was to be released, most is gone.
    expect(lock.held).toBe(true);
    expect(await failure(lock.release())).toMatchObject({ code: "UNKNOWN" });
    await untilOld(first.server);
    // It votes again.
    first.proxy.commands.clear();
    const again = await other.obtain("k", TTL, { wait: 20_000 });
    await untilHolders("k", [true, true, true]);
    await again.release();
  });

  test("what a release leaves taken for as long as may be keeps others out, whichever server forgets", async () => {
    const [one, other] = [await known(), await known()];
    const lock = await one.obtain("k", TTL - 500, { holdAtLeast: MAX_TTL });
    const obtained = performance.now();
    await untilHolders("k", [true, true, true]);
    // Waits for all servers, so that no vote is on its way any more.
    await one.inspect("k");
    // As if the command of one server had been lost: only these two have it.
    await third.server.command("DEL", "k");
    await lock.release();
    await first.server.restart({ empty: true });
    const next = await other.obtain("k", TTL, { wait: 5 * MAX_TTL });
    // But for what clocks may be apart.
    expect(performance.now() - obtained).toBeGreaterThan(0.98 * MAX_TTL);
    await next.release();
    await untilOld(first.server);
  });

  test("all servers can be restarted, one after the other, under a lock that is renewed", async () => {
    const one = await known();
    const lock = await one.obtain("k", TTL, { renew: true });
    for (const { server } of servers) {
      await server.restart({ empty: true });
      await untilOld(server);
      await untilHolders("k", [true, true, true]);
    }
    expect(lock.held).toBe(true);
    await lock.release();
    await untilFree("k");
  }, 90_000);
});

describe("waiting", () => {
  test.each([{ wait: 60_000 }, { retry: linearBackoff(20) }])(
    "goes on when one server, which did not answer, comes back too young: %j",
    async (how) => {
      const one = await known({ commandTimeout: 1_000 });
      await third.server.command("SET", "k", "somebody else's");
      first.proxy.silence();
      third.proxy.silence();
      const waiting = one.obtain("k", TTL, how);
      await second.proxy.commands.waitFor((command) => command.includes("k"));
      await first.server.restart({ empty: true });
      const asked = [first, third].map(async ({ proxy }) => {
        proxy.commands.clear();
        await proxy.heal();
        // Some may be copies of one that was not answered.
        await proxy.commands.waitFor((command) => command.includes(vote.sha1), { count: 5 });
      });
      // On a slow machine the server may be old enough before.
      await Promise.any([Promise.all(asked), waiting]);
      await third.server.command("DEL", "k");
      const lock = await waiting;
      expect(lock.held).toBe(true);
      await lock.release();
      await untilOld(first.server);
    },
  );

  test.each([
    {
      refusal: "NOPERM",
      begin: ["ACL", "SETUSER", "default", "-info"],
      end: ["ACL", "SETUSER", "default", "+@all"],
    },
    {
      refusal: "NOREPLICAS",
      begin: ["CONFIG", "SET", "min-replicas-to-write", "1"],
      end: ["CONFIG", "SET", "min-replicas-to-write", "0"],
    },
  ])("one server that answers $refusal keeps nobody from the next line", async ({ begin, end }) => {
    const [one, other] = [await known(), await known({ commandTimeout: 1_000 })];
    const lock = await one.obtain("k", TTL, { renew: true });
    await first.server.command(...begin);
    try {
      const waiting = other.obtain("k", TTL, { wait: 60_000 });
      await untilInLine(second.server, "k", 1);
      await lock.release();
      const got = await waiting;
      expect(got.fencingToken).toBeGreaterThan(lock.fencingToken);
      await got.release();
    } finally {
      await first.server.command(...end);
    }
  });

  test("in one line, first come, first served; the next is told", async () => {
    const all = await Promise.all([known(), known(), known()]);
    const lock = await (await known()).obtain("k", TTL, { renew: true });
    const order: number[] = [];
    const waits: Promise<void>[] = [];
    for (const [index, one] of all.entries()) {
      waits.push(
        one.using("k", TTL, { wait: 60_000 }, (got) => {
          expect(got.held).toBe(true);
          order.push(index);
        }),
      );
      await untilInLine(first.server, "k", index + 1);
    }
    expect(await line(second.server, "k")).toEqual([]);
    // The server of the line is waited for, though the others are a majority.
    first.server.pause();
    const majority = [second, third];
    for (const { proxy } of majority) proxy.commands.clear();
    const inspection = all[0]?.inspect("k");
    for (const { server, proxy } of majority) {
      await proxy.commands.waitFor((command) => command.includes("k"));
      await server.command("PING");
    }
    first.server.resume();
    expect((await inspection)?.waiters).toBe(3);
    await lock.release();
    await Promise.all(waits);
    expect(order).toEqual([0, 1, 2]);
    await untilFree("k");
  });

  test("goes on in the line of the next server when the first falls silent", async () => {
    const [one, other] = [await known(), await known()];
    const lock = await one.obtain("k", TTL, { renew: true });
    const waiting = other.obtain("k", TTL, { wait: 60_000 });
    await untilInLine(first.server, "k", 1);
    first.server.pause();
    await untilInLine(second.server, "k", 1);
    await lock.release();
    const got = await waiting;
    expect(got.fencingToken).toBeGreaterThan(lock.fencingToken);
    await got.release();
    first.server.resume();
    await untilFree("k");
  });

  test("ends at its time, by its signal, and with the locker, and leaves no place", async () => {
    const [one, other] = [await known(), await known()];
    const lock = await one.obtain("k", TTL, { renew: true });
    expect(await failure(other.obtain("k", TTL, { wait: 500 }))).toMatchObject({
      code: "NOT_OBTAINED",
    });
    const control = new AbortController();
    const aborted = failure(other.obtain("k", TTL, { wait: 60_000, signal: control.signal }));
    await untilInLine(first.server, "k", 1);
    control.abort(new Error("enough"));
    expect(await aborted).toMatchObject({ message: "enough" });
    await untilInLine(first.server, "k", 0);
    const closed = failure(other.obtain("k", TTL, { wait: 60_000 }));
    await untilInLine(first.server, "k", 1);
    await other.close();
    expect(await closed).toMatchObject({ code: "CLOSED" });
    await lock.release();
    await untilFree("k");
  });

  test("a long wait keeps nothing of the places that it has left", async () => {
    const one = await known();
    for (const { server } of [second, third]) {
      await server.command("SET", "k", "another", "PX", "60000");
    }
    const told = jest.spyOn(Acquisition.prototype, "onStop");
    const ended = jest.spyOn(Acquisition.prototype, "end");
    /** How often one obtain has been asked to tell of its end. */
    const places = (): number => {
      const all = told.mock.contexts;
      return Math.max(0, ...all.map((one) => all.filter((other) => other === one).length));
    };
    const control = new AbortController();
    const waiting = failure(one.obtain("k", TTL, { wait: 60_000, signal: control.signal }));
    // It is first in line, cannot get the other votes, and stands in line anew, again and again.
    await waitUntil(() => places() >= 4, { what: "its fourth place in line" });
    ended.mockClear();
    control.abort(new Error("enough"));
    expect(await waiting).toMatchObject({ message: "enough" });
    // Of all its places, only the last one is told.
    expect(ended.mock.calls.length).toBeLessThanOrEqual(1);
    told.mockRestore();
    ended.mockRestore();
    for (const { server } of [second, third]) await server.command("DEL", "k");
    await untilFree("k");
  });

  test("a waiter that comes while the server is asked whether it is there does not have it asked twice", async () => {
    let [underWay, most, leaves] = [0, 0, 0];
    const replies: (() => void)[] = [];
    const clients = servers.map((server, index): RedisClient => {
      const real = client(server);
      const run = async (...of: Parameters<RedisClient["run"]>): Promise<Reply> => {
        if (index === 0 && of[0].name === "leave") leaves++;
        const isPulse = index === 0 && of[0].name === "member" && of[1].length === 0;
        if (!isPulse || !holdsBack) return real.run(...of);
        most = Math.max(most, ++underWay);
        await new Promise<void>((resolve) => replies.push(resolve));
        underWay--;
        return real.run(...of);
      };
      return { run, subscribe: real.subscribe.bind(real) };
    });
    let holdsBack = false;
    const one = new QuorumLocker(clients, { maxTtl: MAX_TTL });
    opened.push(one);
    await one.using("known", TTL, () => undefined);
    await untilFree("known");
    const lock = await (await known()).obtain("k", TTL, { renew: true });
    const control = new AbortController();
    const left = failure(one.obtain("k", TTL, { wait: 60_000, signal: control.signal }));
    await untilInLine(first.server, "k", 1);
    holdsBack = true;
    await waitUntil(() => replies.length === 1, { what: "a pulse" });
    control.abort(new Error("enough"));
    expect(await left).toMatchObject({ message: "enough" });
    await untilInLine(first.server, "k", 0);
    const waiting = one.obtain("k", TTL, { wait: 60_000 });
    await untilInLine(first.server, "k", 1);
    replies.shift()?.();
    await waitUntil(() => replies.length === 1, { what: "the next pulse" });
    // It is held back until the server is taken to be silent, and its line left: longer than a pulse takes.
    const before = leaves;
    await waitUntil(() => leaves > before, { what: "the line to be left" });
    expect(most).toBe(1);
    holdsBack = false;
    for (const answer of replies) answer();
    await lock.release();
    await (await waiting).release();
    await untilFree("k");
  });

  test("a forced release hands the lock on, and its holder learns of it", async () => {
    const [one, other] = [await known(), await known()];
    const lock = await one.obtain("k", TTL);
    const waiting = other.obtain("k", TTL, { wait: 60_000 });
    await untilInLine(first.server, "k", 1);
    expect(await one.forceRelease("k")).toBe(true);
    const got = await waiting;
    expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
    await got.release();
    expect(await one.forceRelease("k")).toBe(false);
  });
});

test("of two with one own token, both have the lock, and its release ends it", async () => {
  const [one, other] = [await known(), await known()];
  const token = "a-token-of-my-own";
  const [a, b] = [await one.obtain("k", TTL, { token }), await other.obtain("k", TTL, { token })];
  expect(b.fencingToken).toBeGreaterThanOrEqual(a.fencingToken);
  await b.release();
  await untilFree("k");
  expect(await failure(a.refresh())).toMatchObject({ code: "NOT_HELD" });
});

describe("refused", () => {
  const bare = (port: number): RedisClient => client({ proxy: { port } });

  test("what can be seen of the arguments", () => {
    const [a, b, c] = [client(first), client(second), client(third)];
    const make = (clients: readonly RedisClient[], options?: QuorumLockerOptions) => () =>
      new QuorumLocker(clients, options);
    expect(make([a, b])).toThrow(RangeError);
    expect(make([a, b])).toThrow("clients must be of at least 3 servers, got 2");
    expect(make([a, b, a])).toThrow("clients must be of different servers");
    const cluster = { run: (...of: Parameters<RedisClient["run"]>) => c.run(...of), cluster: true };
    expect(make([a, b, cluster])).toThrow("server 3 is a cluster");
    const replicas = { minReplicas: 1, maxTtl: MAX_TTL };
    expect(make([a, b, c], replicas)).toThrow("minReplicas is for a master with replicas");
    for (const maxTtl of [9, 2 ** 31]) expect(make([a, b, c], { maxTtl })).toThrow(RangeError);
    for (const maxTtl of [10, 2 ** 31 - 1]) expect(make([a, b, c], { maxTtl })).not.toThrow();
    // @ts-expect-error There is no such option.
    expect(make([a, b, c], { maxttl: 5_000 })).toThrow('did you mean "maxTtl"?');
  });

  test("what a quorum does not give", async () => {
    const one = locker();
    // @ts-expect-error Not for a quorum.
    expect(await failure(one.obtain("k", TTL, { mode: "shared" }))).toBeInstanceOf(TypeError);
    // @ts-expect-error Not for a quorum.
    expect(await failure(one.obtain("k", TTL, { limit: 2 }))).toBeInstanceOf(TypeError);
    // @ts-expect-error Not for a quorum.
    const several = failure(one.obtain(["k", "l"], TTL));
    expect(await several).toMatchObject({
      message: "key must be one: a quorum takes locks one by one",
    });
    expect(await failure(one.obtain("k", MAX_TTL + 1))).toMatchObject({
      name: "RangeError",
      message: "ttl must be at most maxTtl, 4000 ms, got 4001",
    });
    // What is left taken by a release is forgotten by a restart, as a lease is.
    const long = one.tryObtain("k", TTL, { holdAtLeast: MAX_TTL + 1 });
    expect(await failure(long)).toMatchObject({
      name: "RangeError",
      message: "holdAtLeast must be at most maxTtl, 4000 ms, got 4001",
    });
    expect(servers.map(({ proxy }) => proxy.commands.all)).toEqual([[], [], []]);
    // A server that forgot it would vote for another before its end.
    const lock = await one.obtain("k", TTL);
    expect(await failure(lock.refresh(MAX_TTL + 1))).toMatchObject({
      name: "RangeError",
      message: `ttl must be at most maxTtl, ${MAX_TTL} ms, got ${MAX_TTL + 1}`,
    });
    await lock.release();
    await untilFree("k");
  });

  test("one server by two addresses", async () => {
    const one = new QuorumLocker([client(first), client(second), bare(first.server.port)], {
      maxTtl: MAX_TTL,
    });
    const error = await failure(one.obtain("k", TTL));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/server [13] and server [13] are one server/);
    expect(await holders("k")).toEqual([false, false, false]);
  });

  test("a replica, also one that can be written to", async () => {
    const port = ["127.0.0.1", String(first.server.port)];
    const replica = await startServer({
      args: ["--replicaof", ...port, "--replica-read-only", "no"],
    });
    await waitUntil(async () =>
      String(await replica.command("INFO", "replication")).includes("link_status:up"),
    );
    const one = new QuorumLocker([client(second), bare(replica.port), client(third)], {
      maxTtl: MAX_TTL,
    });
    const error = await failure(one.obtain("k", TTL));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain("server 2 is a slave");
    await replica.stop();
  });

  test("a node of a cluster", async () => {
    const node = await startServer({ args: ["--cluster-enabled", "yes"] });
    const one = new QuorumLocker([client(first), client(second), bare(node.port)], {
      maxTtl: MAX_TTL,
    });
    const error = await failure(one.obtain("k", TTL));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain("server 3 is a node of a cluster");
    await node.stop();
  });
});

test("a listener that wants details is told of a wait, of who has the lock, and of each end", async () => {
  const held = await (await known()).obtain("k", TTL, { metadata: "host 7" });
  const events: DetailedLockEvent[] = [];
  const one = locker({ onEvent: detailed((event) => events.push(event)) });
  const obtaining = one.obtain("k", TTL, { wait: Infinity });
  const find = (): DetailedLockEvent | undefined => events.find(({ type }) => type === "waiting");
  await waitUntil(() => find() !== undefined, { what: "it to wait" });
  const waiting = find();
  if (waiting?.type !== "waiting") throw new Error("never");
  const { fencingToken } = held;
  expect(await waiting.holders()).toMatchObject([{ metadata: "host 7", fencingToken }]);
  await held.release();
  const lock = await obtaining;
  await lock.release();
  expect(events.map(({ type }) => type)).toEqual([
    ...["obtaining", "waiting", "waited", "obtained", "released"],
  ]);
  const { id, position } = waiting;
  const details = { id, mode: "exclusive", permits: 1, limit: undefined };
  expect(position).toBe(1);
  for (const event of events) expect(event).toMatchObject(details);
  expect(events.slice(3)).toMatchObject([1, 2].map(() => ({ fencingToken: lock.fencingToken })));
});
