/** Whoever hears of a grant has the lock: whatever server it listens on, whatever that server counts. */
import { afterAll, describe, expect, test } from "@jest/globals";
import {
  companion,
  connect,
  openInboxes,
  startServer,
  VirtualClock,
  waitUntil,
} from "@redislock/test-kit";
import { setImmediate as turn } from "node:timers/promises";

import { Locker, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";
import { RespClient } from "./resp-client.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();
const replica = await startServer();
await replica.command("REPLICAOF", "127.0.0.1", String(server.port));
await waitUntil(
  async () =>
    String(await replica.command("INFO", "replication")).includes("master_link_status:up"),
  { what: "the replica to follow", timeout: 20_000 },
);
const onReplica = new RespClient(() => connect(replica.port));

afterAll(async () => {
  await onReplica.close();
  await replica.stop();
});

const TTL = 30_000;

/** Runs its scripts on the master and listens on the replica, as after a failover that cut nothing. */
function listensElsewhere(): RedisClient {
  const inner = client();
  return {
    run: (...command) => inner.run(...command),
    subscribe: (channel, listener) => onReplica.subscribe(channel, listener),
  };
}

/** A client that hears everything and hands on only what `passes`; notes the rest. */
function filtered(passes: (text: string) => boolean): RedisClient & {
  readonly heard: string[];
  say(text: string): void;
} {
  const inner = client();
  const heard: string[] = [];
  let deliver: ((text: string) => void) | undefined;
  return {
    heard,
    say: (text) => deliver?.(text),
    run: (...command) => inner.run(...command),
    subscribe: (channel, listener) => {
      deliver = (text) => listener.message(text);
      const message = (text: string): void => {
        heard.push(text);
        if (passes(text)) listener.message(text);
      };
      return inner.subscribe(channel, { ...listener, message });
    },
  };
}

describe("a waiter that listens on a replica", () => {
  test("has the lock when it hears so, in every round, and is told without a timer", async () => {
    // On a clock that stands still, nothing but a message wakes it.
    const waiter = new Locker(listensElsewhere(), { clock: new VirtualClock() });
    for (let round = 0; round < 10; round++) {
      const held = await locker().obtain("a", TTL);
      const waiting = waiter.obtain("a", TTL, { wait: Infinity });
      await untilInLine("a", 1, "told");
      await held.release();
      const lock = await waiting;
      expect(await server.command("GET", "a")).toBe(lock.token);
      expect(lock.fencingToken).toBeGreaterThan(held.fencingToken);
      expect(await locker().tryObtain("a", TTL)).toBeNull();
      await lock.release();
    }
    await waiter.close();
  });

  test("is passed over once, and from then on granted the lock by message", async () => {
    const waiter = new Locker(listensElsewhere(), { clock: new VirtualClock() });
    for (const commands of [
      ["release", "obtain"],
      ["release", "refresh"],
    ]) {
      const held = await locker().obtain("a", TTL);
      const waiting = waiter.obtain("a", TTL, { wait: Infinity });
      await untilInLine("a", 1, "told");
      proxy.commands.clear();
      await held.release();
      const lock = await waiting;
      await lock.ttl();
      // It asks, or has the lock already, for a short while, and takes a whole lease.
      expect(asked()).toEqual([...commands, "ttl"]);
      await lock.release();
    }
    await waiter.close();
  });

  test("keeps its place before those who came later", async () => {
    const waiter = new Locker(listensElsewhere());
    const held = await locker().obtain("a", TTL);
    const order: string[] = [];
    const take = async (name: string, by: Locker): Promise<void> => {
      await by.using("a", TTL, { wait: Infinity }, () => void order.push(name));
    };
    const first = take("on the replica", waiter);
    await untilInLine("a", 1, "told");
    // It learns that it is not counted: from then on its place is as good as any.
    await held.release();
    await first;
    const again = await locker().obtain("a", TTL);
    const second = take("on the replica", waiter);
    await untilInLine("a", 1, "told");
    const third = take("on the master", locker());
    await untilInLine("a", 2, "told");
    await again.release();
    await Promise.all([second, third]);
    expect(order).toEqual(["on the replica", "on the replica", "on the master"]);
    await waiter.close();
  });

  test("loses nothing when several wait there", async () => {
    const waiters = Array.from({ length: 5 }, () => new Locker(listensElsewhere()));
    const held = await locker().obtain("a", TTL);
    let inside = 0;
    let most = 0;
    const all = waiters.map((one) =>
      one.using("a", TTL, { wait: Infinity }, async (lock) => {
        most = Math.max(most, ++inside);
        expect(await server.command("GET", "a")).toBe(lock.token);
        await turn();
        inside--;
      }),
    );
    await untilInLine("a", 5, "told");
    await held.release();
    await Promise.all(all);
    expect(most).toBe(1);
    await Promise.all(waiters.map((one) => one.close()));
  });
});

describe("a count that is wrong", () => {
  test("a pattern that hears everything does not make a dead waiter look alive", async () => {
    const monitor = await connect(server.port);
    await monitor.send("PSUBSCRIBE", "*");
    const dead = new RespClient(() => connect(server.port));
    const subscriptions: { close(): Promise<void> }[] = [];
    const deaf: RedisClient = {
      run: (...command) => dead.run(...command),
      subscribe: async (channel, listener) => {
        const subscription = await dead.subscribe(channel, listener);
        subscriptions.push(subscription);
        return subscription;
      },
    };
    const held = await locker().obtain("a", TTL);
    const deafLocker = new Locker(deaf);
    const lost = deafLocker.obtain("a", TTL, { wait: Infinity });
    lost.catch(() => undefined);
    await untilInLine("a", 1, "told");
    const waiting = locker({ clock: new VirtualClock() }).obtain("a", TTL, { wait: Infinity });
    await untilInLine("a", 2, "told");
    const open = (await openInboxes(server)).length;
    await Promise.all(subscriptions.map((one) => one.close())); // As when it is killed.
    await waitUntil(async () => (await openInboxes(server)).length === open - 1);
    await held.release();
    const lock = await waiting;
    expect(await server.command("GET", "a")).toBe(lock.token);
    await lock.release();
    await deafLocker.close();
    await dead.close();
    await monitor.close();
  });

  test("a grant that somebody else hears stays granted, and is found by the waiter itself", async () => {
    const lossy = filtered(() => false);
    const waiter = new Locker(lossy);
    const held = await locker().obtain("a", TTL);
    const waiting = waiter.obtain("a", 3_000, { wait: Infinity });
    await untilInLine("a", 1, "told");
    await held.release();
    await waitUntil(() => lossy.heard.length > 0, { what: "the grant to be published" });
    const value = await server.command("GET", "a");
    expect(await locker().tryObtain("a", TTL)).toBeNull();
    const lock = await waiting; // By its own command, after half its ttl.
    expect(value).toBe(lock.token);
    expect(lossy.heard[0]).toContain(String(lock.fencingToken));
    await lock.release();
    await waiter.close();
  });

  test("where it cannot be asked for, the waiter is told to come, and the lock kept for it", async () => {
    const user = ["app", "reset", "on", ">secret", "~*", "&*", "+@all", "-pubsub"];
    await server.command("ACL", "SETUSER", ...user);
    const holder = new Locker(client(["AUTH", "app", "secret"]));
    const held = await holder.obtain("a", TTL);
    const passing = filtered(() => true);
    const waiter = new Locker(passing, { clock: new VirtualClock() });
    const waiting = waiter.obtain("a", TTL, { wait: Infinity });
    await untilInLine("a", 1, "told");
    await held.release();
    const lock = await waiting;
    expect(passing.heard).toEqual(["come 1"]);
    expect(await server.command("GET", "a")).toBe(lock.token);
    await lock.release();
    await waiter.close();
    await holder.close();
  });
});

test.each([
  ["without a proof", () => "grant 1 1999999999999999"],
  ["with a proof that is made up", () => "grant 1 1999999999999999 AAAAAAAAAAAAAAAAAAAAAA1"],
  ["with an odd fencing token", (proof: string) => `grant 1 12e3 ${proof}`],
  ["with fencing token 0", (proof: string) => `grant 1 0 ${proof}`],
  ["in words of a later version", (proof: string) => `present 1 1999999999999999 ${proof}`],
])("a grant %s is not believed: the waiter asks", async (_, forged) => {
  const passing = filtered(() => true);
  const waiter = new Locker(passing, { clock: new VirtualClock() });
  const held = await locker().obtain("a", TTL);
  const waiting = waiter.obtain("a", TTL, { wait: Infinity });
  await untilInLine("a", 1, "told");
  const record = String(await server.command("HGET", companion("a", "waiters"), await headOf("a")));
  const proof = record.split(" ")[7] ?? "";
  proxy.commands.clear();
  passing.say(forged(proof));
  await proxy.commands.waitFor("EVALSHA");
  expect(asked()).toEqual(["obtain"]);
  await untilInLine("a", 1, "told");
  expect(await server.command("GET", "a")).toBe(held.token);
  await held.release();
  const lock = await waiting;
  expect(await server.command("GET", "a")).toBe(lock.token);
  await lock.release();
  await waiter.close();
});

test.each([
  ["an id without a number", "nobody", `${Date.now()} 60000 1 1 1000 1000 16 p  0123456789abcdef`],
  ["a record of too few words", "inbox:1", `${Date.now()} 60000 1 1`],
  ["no record", "inbox:1", undefined],
])("%s in the line is passed over", async (_, id, record) => {
  const held = await locker().obtain("a", TTL);
  await server.command("ZADD", companion("a", "line"), "1", id);
  if (record) await server.command("HSET", companion("a", "waiters"), id, record);
  const waiting = locker({ clock: new VirtualClock() }).obtain("a", TTL, { wait: Infinity });
  await waitUntil(async () => (await server.command("ZCARD", companion("a", "line"))) === 2, {
    what: "the waiter to stand behind it",
  });
  await waitUntil(() => proxy.commands.all.some(([name]) => name === "SUBSCRIBE"), {
    what: "the subscription",
  });
  await held.release();
  await (await waiting).release();
});

async function headOf(key: string): Promise<string> {
  const line = await server.command("ZRANGE", companion(key, "line"), "0", "0");
  return Array.isArray(line) ? String(line[0]) : "";
}
