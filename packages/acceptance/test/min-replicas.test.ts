/** `minReplicas`: a lock, and each lease of it, counts only once so many replicas have it. */
import { afterAll, afterEach, describe, expect, test } from "@jest/globals";
import { LockLostError, OutcomeUnknownError, RefusedError, type LockEvent } from "@redislock/core";
import {
  companion,
  compilePackage,
  failure,
  follow,
  startProcess,
  startProxy,
  startReplicated,
  untilInLine,
  waitUntil,
  type RedisServer,
  type Replicated,
} from "@redislock/test-kit";
import { once } from "node:events";

import { cast, ioredis, kinds, nodeRedis, nodeRedisPool, type Kind, type User } from "./clients.js";

const standalone = kinds.filter(({ cluster }) => !cluster);
const FEW = { code: "REFUSED", reply: "NOREPLICAS", operation: "obtain" };

const home = await startReplicated(1);
const { master } = home;
const [replica] = home.replicas;
if (!replica) throw new Error("never");
const users: User[] = [];
const others: Replicated[] = [];

afterEach(async () => {
  replica.resume();
  for (const user of users.splice(0)) user.destroy();
  await Promise.all(others.splice(0).map((one) => one.stop()));
  await waitUntil(async () => (await master.command("WAIT", "1", "1000")) === 1, {
    what: "the replica to be back",
    timeout: 30_000,
  });
  await master.command("FLUSHALL");
});
afterAll(() => home.stop());

async function open(kind: Kind, port: number = master.port): Promise<User> {
  const user = await kind.connect(port);
  users.push(user);
  return user;
}

async function another(replicas: number): Promise<Replicated> {
  const one = await startReplicated(replicas);
  others.push(one);
  return one;
}

/** Resolves when a server has nothing of any lock but fences, which stay. */
async function untilClean(server: RedisServer): Promise<void> {
  const isClean = async (): Promise<boolean> => {
    const keys = [await server.command("KEYS", "*")].flat().map(String);
    return keys.every((key) => key.includes("redislock{"));
  };
  await waitUntil(isClean, { what: "nothing to be left" });
}

async function countOf(server: RedisServer, command: string): Promise<number> {
  const stats = String(await server.command("INFO", "commandstats"));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
}

/** How much was written. WAIT may count by the last write of its connection: there must be one. */
async function changes(server: RedisServer): Promise<number> {
  const info = String(await server.command("INFO", "persistence"));
  return Number(/rdb_changes_since_last_save:(\d+)/.exec(info)?.[1]);
}

/** How many scripts a server was sent. */
async function scriptsRun(server: RedisServer): Promise<number> {
  return (await countOf(server, "eval")) + (await countOf(server, "evalsha"));
}

describe.each(standalone)("$name", (kind) => {
  test("who is told of a lock or a longer lease can look at the replica: it is there", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1, namespace: "app:" });
    for (const options of [{}, { mode: "shared" }, { limit: 3 }] as const) {
      const lock = await one.obtain("k", 10_000, options);
      expect(await replica.command("EXISTS", `${kind.prefix}app:k`)).toBe(1);
      await lock.refresh(60_000);
      expect(await replica.command("PTTL", `${kind.prefix}app:k`)).toBeGreaterThan(20_000);
      await lock.release();
    }
    await one.close();
  });
});

describe.each(cast(standalone))("$name", (kind) => {
  test("a waiter that is told by message has the lock once the replica has it", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    const held = await one.obtain("k", 60_000);
    const waiting = one.obtain("k", 60_000, { wait: 60_000 });
    await untilInLine(master, "k", 1, { told: true });
    await held.release();
    const lock = await waiting;
    expect(await replica.command("GET", "k")).toBe(lock.token);
    await lock.release();
    await one.close();
  });

  test("a waiter that is told while the replica hangs is not told that it has the lock", async () => {
    const { locker } = await open(kind);
    const events: LockEvent[] = [];
    const one = locker({ minReplicas: 1, onEvent: (event) => events.push(event) });
    const held = await locker().obtain("k", 60_000);
    const waiting = one.obtain("k", 60_000, { wait: 60_000 });
    await untilInLine(master, "k", 1, { told: true });
    const before = await countOf(master, "wait");
    replica.pause();
    await held.release();
    await waitUntil(async () => (await countOf(master, "wait")) > before, { what: "a WAIT" });
    expect(events.map(({ type }) => type)).not.toContain("obtained");
    replica.resume();
    const lock = await waiting;
    expect(await replica.command("GET", "k")).toBe(lock.token);
    await lock.release();
    await one.close();
  });

  test("while the replica hangs, a lock is refused and given back, and nobody else kept waiting", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    const before = await countOf(master, "wait");
    replica.pause();
    let settled = false;
    const refused = failure(one.obtain("k", 60_000)).finally(() => (settled = true));
    await waitUntil(async () => (await countOf(master, "wait")) > before, { what: "a WAIT" });
    // The same client, behind it.
    expect(await locker().inspect("k")).toMatchObject({ held: 1 });
    expect(settled).toBe(false);
    expect(await refused).toBeInstanceOf(RefusedError);
    expect(await refused).toMatchObject(FEW);
    // Who is told so finds it given back already, as far as a server can be heard in 50 ms.
    await untilClean(master);
    // Who does not ask for replicas gets it.
    await (await locker().obtain("k", 60_000)).release();
    replica.resume();
    await (await one.obtain("k", 60_000, { retry: () => 50 })).release();
    await one.close();
  });

  test("once replicas are asked for, the next lock is one command, and proved all the same", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    await (await one.obtain("k", 60_000)).release();
    for (const options of [{}, { wait: 1_000 }, { mode: "shared" }, { limit: 3 }] as const) {
      // Whatever script it is has been sent as text by then.
      await (await one.obtain("k", 60_000, options)).release();
      const before = await scriptsRun(master);
      const lock = await one.obtain("k", 60_000, options);
      expect((await scriptsRun(master)) - before).toBe(1);
      expect(await replica.command("EXISTS", "k")).toBe(1);
      expect(await one.tryObtain("k", 60_000)).toBeNull();
      await lock.release();
    }
    await one.close();
  });

  test("one command that too few replicas confirm is refused, and given back", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    await (await one.obtain("k", 60_000)).release();
    const before = await countOf(master, "wait");
    replica.pause();
    const refused = ["k", "l"].map((key) => failure(one.obtain(key, 60_000)));
    await waitUntil(async () => (await countOf(master, "wait")) > before, { what: "a WAIT" });
    // The same client, behind it.
    expect(await locker().inspect("k")).toMatchObject({ held: 1 });
    for (const one of await Promise.all(refused)) expect(one).toMatchObject(FEW);
    await untilClean(master);
    expect(await failure(one.obtain("k", 60_000, { wait: 100 }))).toMatchObject(FEW);
    await untilClean(master);
    replica.resume();
    await (await one.obtain("k", 60_000, { retry: () => 50 })).release();
    await one.close();
  });

  test("a lock that is found to be ours counts only once replicas have it", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    await (await one.obtain("k", 60_000)).release();
    const token = "a-token-of-our-own";
    const alone = await locker().obtain("k", 60_000, { token });
    await locker().obtain("k", 60_000, { token });
    // Its lease is long enough as it is.
    const before = await changes(master);
    await one.obtain("k", 10_000, { token });
    expect(await changes(master)).toBeGreaterThan(before);
    replica.pause();
    expect(await failure(one.obtain("k", 10_000, { token }))).toMatchObject(FEW);
    replica.resume();
    await alone.release();
    await one.close();
  });

  test("a master that is cut off from its replica does not renew, and the holder is told in time", async () => {
    const { locker } = await open(kind);
    const events: LockEvent[] = [];
    const one = locker({ minReplicas: 1, onEvent: (event) => events.push(event) });
    const lock = await one.obtain("k", 2_000, { renew: true });
    await waitUntil(() => events.some(({ type }) => type === "renewed"), { what: "a renewal" });
    replica.pause();
    const renewed = (): number => events.filter(({ type }) => type === "renewed").length;
    const before = renewed();
    if (!lock.signal.aborted) await once(lock.signal, "abort");
    expect(lock.held).toBe(false);
    // The one that was under way when the replica began to hang may have got through.
    expect(renewed()).toBeLessThanOrEqual(before + 1);
    expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    expect(lock.signal.reason).toMatchObject({
      reason: "unreachable",
      cause: { reply: FEW.reply },
    });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "renewalFailed",
        error: expect.objectContaining({ reply: FEW.reply, operation: "refresh" }),
      }),
    );
    // The master itself has it still: it is no proof of anything.
    expect(await master.command("GET", "k")).toBe(lock.token);
    await one.close();
  });

  test("a replica that is promoted has the lock, and renewal goes on there", async () => {
    const set = await another(2);
    const [first, second] = set.replicas;
    if (!first || !second) throw new Error("never");
    const proxy = await startProxy(set.master.port);
    try {
      const { locker } = await open(kind, proxy.port);
      const one = locker({ minReplicas: 2, commandTimeout: 10_000 });
      const lock = await one.obtain("k", 60_000);
      await set.master.crash();
      await first.command("REPLICAOF", "NO", "ONE");
      await follow(second, first);
      proxy.lead(first.port);
      expect(await first.command("GET", "k")).toBe(lock.token);
      // Of what went down with the old connection, nobody knows what came.
      let few: unknown;
      const isKnown = async (): Promise<boolean> => {
        few = await failure(lock.refresh());
        return !(few instanceof OutcomeUnknownError);
      };
      await waitUntil(isKnown, { what: "an answer over the new connection" });
      expect(few).toMatchObject({ reply: FEW.reply });
      expect(lock.held).toBe(true);
      const other = locker({ minReplicas: 1, commandTimeout: 10_000 });
      expect(await other.tryObtain("k", 60_000)).toBeNull();
      await lock.release();
      await (await other.obtain("k", 60_000)).release();
      await Promise.all([one.close(), other.close()]);
    } finally {
      await proxy.stop();
    }
  });

  test("a renewal follows to the promoted replica", async () => {
    const set = await another(2);
    const [first, second] = set.replicas;
    if (!first || !second) throw new Error("never");
    const proxy = await startProxy(set.master.port);
    try {
      const { locker } = await open(kind, proxy.port);
      const one = locker({ minReplicas: 1, commandTimeout: 10_000 });
      const lock = await one.obtain("k", 60_000);
      // Both have it, so it does not matter which one is promoted.
      for (const server of [first, second]) {
        await waitUntil(async () => (await server.command("EXISTS", "k")) === 1, {
          what: "the replica to have it",
        });
      }
      await set.master.crash();
      await first.command("REPLICAOF", "NO", "ONE");
      await follow(second, first);
      proxy.lead(first.port);
      await lock.refresh(90_000);
      expect(await second.command("PTTL", "k")).toBeGreaterThan(60_000);
      expect(lock.held).toBe(true);
      await lock.release();
      await one.close();
    } finally {
      await proxy.stop();
    }
  });

  test("a master that has not got the lock, but replicas, proves nothing", async () => {
    const set = await another(1);
    const proxy = await startProxy(master.port);
    try {
      const { locker } = await open(kind, proxy.port);
      await (await locker().obtain("k", 60_000)).release();
      // As after a failover that the client has not noticed: only new connections lead to the new master.
      proxy.lead(set.master.port);
      const one = locker({ minReplicas: 1 });
      const error = await failure(one.obtain("k", 60_000));
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(await countOf(set.master, "wait")).toBeGreaterThan(0);
      await untilClean(master);
      await untilClean(set.master);
      await one.close();
    } finally {
      await proxy.stop();
    }
  });

  test("many at once use few WAIT", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    await (await one.obtain("k", 60_000)).release();
    const before = await countOf(master, "wait");
    const locks = await Promise.all(
      Array.from({ length: 64 }, (_, index) => one.obtain(`k ${index}`, 60_000)),
    );
    expect((await countOf(master, "wait")) - before).toBeLessThanOrEqual(8);
    const there = locks.map(({ key }) => key);
    expect(await replica.command("EXISTS", ...there)).toBe(64);
    await Promise.all(locks.map((lock) => lock.release()));
    await one.close();
  });

  test("replicas are asked for on one connection, which is closed with the locker", async () => {
    const proxy = await startProxy(master.port);
    try {
      const { locker } = await open(kind, proxy.port);
      await (await locker().obtain("k", 60_000)).release();
      const before = proxy.connections;
      const one = locker({ minReplicas: 1 });
      expect(proxy.connections).toBe(before);
      await (await one.obtain("k", 60_000)).release();
      await (await one.obtain("k", 60_000)).release();
      expect(proxy.connections).toBe(before + 1);
      // It may be lost, and is opened anew.
      await proxy.cutAll();
      const lock = await one.obtain("k", 60_000, { retry: () => 50 });
      await one.close();
      await waitUntil(() => proxy.connections <= before, { what: "it to be closed" });
      await lock.refresh();
      await waitUntil(() => proxy.connections <= before, { what: "it to be closed again" });
      await lock.release();
    } finally {
      await proxy.stop();
    }
  });

  test("a script that the server forgot is sent again, and counts only then", async () => {
    const { locker } = await open(kind);
    const one = locker({ minReplicas: 1 });
    const lock = await one.obtain("k", 10_000);
    await master.command("SCRIPT", "FLUSH");
    await lock.refresh(60_000);
    expect(await replica.command("PTTL", "k")).toBeGreaterThan(20_000);
    await lock.release();
    await one.close();
  });
});

test.each(cast(standalone))(
  "$name: a process ends that has nothing more to do",
  async (kind) => {
    const compiled = await compilePackage(new URL("..", import.meta.url));
    try {
      await using child = startProcess(compiled.file("replicated"), {
        args: [kind.name, String(master.port), "k"],
      });
      await child.waitForLine("done", { timeout: 60_000 });
      expect(await child.exited).toEqual({ code: 0, signal: null });
      expect(child.stderr).toBe("");
    } finally {
      await compiled.remove();
    }
  },
  90_000,
);

test("a lock stays given back when the answer of a hung master comes late", async () => {
  const set = await another(1);
  for (const kind of [ioredis(6), nodeRedis(6)]) {
    const { locker } = await open(kind, set.master.port);
    const one = locker({ minReplicas: 1, commandTimeout: 1_000 });
    await (await one.obtain("k", 60_000)).release();
    const before = await countOf(set.master, "wait");
    set.replicas[0]?.pause();
    const asked = failure(one.obtain("k", 60_000));
    await waitUntil(async () => (await countOf(set.master, "wait")) > before, { what: "a WAIT" });
    set.master.pause();
    expect(await asked).toBeInstanceOf(OutcomeUnknownError);
    set.replicas[0]?.resume();
    set.master.resume();
    await untilClean(set.master);
    await one.close();
  }
});

test.each([
  // The side connection is given up after 1,500 ms, what gives back after 2,000.
  ["before", 1_750],
  ["after", 2_500],
])(
  "a lock stays given back when a master that hung does late what it was sent, and is heard %s the deadline",
  async (_, hangsFor) => {
    const set = await another(1);
    for (const kind of [ioredis(6), nodeRedis(6)]) {
      const { locker } = await open(kind, set.master.port);
      const one = locker({ minReplicas: 1, commandTimeout: 2_000 });
      const held = await one.obtain("k", 60_000);
      // By then the server knows all scripts.
      await failure(one.obtain("k", 60_000, { wait: 1 }));
      await held.release();
      set.master.pause();
      // The connection that has something to be read first is read first, with all that is there by then.
      const first = failure(locker({ commandTimeout: hangsFor }).inspect("k"));
      const left = failure(one.obtain("k", 60_000, { signal: AbortSignal.timeout(50) }));
      expect(await left).toMatchObject({ name: "TimeoutError" });
      expect(await first).toBeInstanceOf(OutcomeUnknownError);
      set.master.resume();
      await untilClean(set.master);
      await one.close();
    }
  },
);

const as = { username: "app", password: "the password" };
const restricted: readonly Kind[] = [ioredis(6, as), nodeRedis(6, as), nodeRedisPool(5, as)];

test.each(restricted)("$name: a user who may not WAIT is told so", async (kind) => {
  await master.command(
    "ACL",
    "SETUSER",
    as.username,
    "on",
    ">the password",
    "~*",
    "+@all",
    "-wait",
  );
  const { locker } = await open(kind);
  const one = locker({ minReplicas: 1 });
  const error = await failure(one.obtain("k", 60_000));
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ reply: "NOPERM" });
  expect(String(error)).toMatch(/minReplicas needs the command WAIT/);
  await untilClean(master);
  await master.command("ACL", "SETUSER", as.username, "+wait");
  await (await one.obtain("k", 60_000)).release();
  await master.command("ACL", "SETUSER", as.username, "-wait");
  expect(await failure(one.obtain("k", 60_000))).toMatchObject({ reply: "NOPERM" });
  await untilClean(master);
  await one.close();
});

test("the fence is not there, and the lock is confirmed all the same", async () => {
  const { locker } = await open(ioredis(6));
  const one = locker({ minReplicas: 1 });
  const lock = await one.obtain("k", 60_000);
  await master.command("DEL", companion("k", "fence"));
  await master.command("PEXPIRE", "k", "120000"); // Longer than is asked for, so there is nothing to do.
  const before = await changes(master);
  await lock.refresh();
  expect(await changes(master)).toBeGreaterThan(before);
  replica.pause();
  expect(await failure(lock.refresh())).toMatchObject({ reply: FEW.reply });
  replica.resume();
  await lock.refresh();
  await lock.release();
  await one.close();
});
