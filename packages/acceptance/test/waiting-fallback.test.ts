/** Standing in line without messages: the same line, the same order, woken by timers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Locker, type LockEvent, type LockerOptions, type RedisClient } from "@redislock/core";
import { ioredisClient } from "@redislock/ioredis";
import {
  companion,
  line,
  openInboxes,
  startServer,
  textsOf,
  untilInLine,
  waitUntil,
  type RedisServer,
} from "@redislock/test-kit";
import { Redis } from "ioredis-6";

import { ioredis, nodeRedis, type User } from "./clients.js";
import { loadScripts } from "./scenes.js";

const KEY = "job";
const LONG = 30_000;
const UNTOLD = { told: false };

let server: RedisServer;
const users: User[] = [];
const lockers: Locker[] = [];
const clients: Redis[] = [];

beforeAll(async () => {
  server = await startServer();
});

beforeEach(async () => {
  await server.command("FLUSHALL");
  await loadScripts(server);
});

afterEach(async () => {
  await Promise.all(lockers.splice(0).map((locker) => locker.close()));
  for (const user of users.splice(0)) user.destroy();
  for (const client of clients.splice(0)) client.disconnect();
});

afterAll(async () => {
  await server.stop();
});

function ours(locker: Locker): Locker {
  lockers.push(locker);
  return locker;
}

type Run = (...question: Parameters<RedisClient["run"]>) => ReturnType<RedisClient["run"]>;

/** A client that cannot subscribe. */
function deafClient(): { readonly run: Run; readonly redis: Redis } {
  const redis = new Redis({ host: "127.0.0.1", port: server.port, disconnectTimeout: 1 });
  clients.push(redis);
  const client = ioredisClient(redis);
  return { run: (...question) => client.run(...question), redis };
}

function deafLocker(): Locker {
  return ours(new Locker(deafClient()));
}

async function locker(kind = ioredis(6), options?: LockerOptions): Promise<Locker> {
  const user = await kind.connect(server.port);
  users.push(user);
  return ours(user.locker(options));
}

/** A user that may do everything but what the rules say. */
async function restrict(...rules: string[]): Promise<{ username: string; password: string }> {
  const [username, password] = ["locks", "secret"];
  await server.command("ACL", "SETUSER", username, "reset", "on", `>${password}`);
  await server.command("ACL", "SETUSER", username, "~*", "+@all", ...rules);
  return { username, password };
}

/** Three stand in line, and are served in the order in which they came. */
async function expectOrder(holder: Locker, waiters: readonly Locker[]): Promise<void> {
  const held = await holder.obtain(KEY, LONG);
  const served: number[] = [];
  const waits = [];
  for (const [index, one] of waiters.entries()) {
    const serve = (): number => served.push(index);
    waits.push(one.using(KEY, LONG, { wait: LONG }, serve));
    await untilInLine(server, KEY, index + 1, UNTOLD);
  }
  await held.release();
  await Promise.all(waits);
  expect(served).toEqual(waiters.map((_, index) => index));
  expect(await server.command("EXISTS", KEY)).toBe(0);
  expect(await line(server, KEY)).toEqual([]);
}

describe("a client that cannot subscribe", () => {
  test("is served in its turn, behind and before those who can", async () => {
    const told = await locker();
    await expectOrder(told, [deafLocker(), told, deafLocker(), await locker(nodeRedis(6))]);
  });

  test("has a free lock kept for it until it asks: nobody overtakes it", async () => {
    const [holder, rival] = [await locker(), await locker(nodeRedis(6))];
    const held = await holder.obtain(KEY, LONG);
    const { run } = deafClient();
    let questions = 0;
    let go: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow: RedisClient = {
      run: async (...question) => {
        if (questions++ > 0) await gate;
        return run(...question);
      },
    };
    const waiting = ours(new Locker(slow)).obtain(KEY, LONG, { wait: LONG });
    await untilInLine(server, KEY, 1, UNTOLD);
    await held.release();
    expect(await rival.tryObtain(KEY, LONG)).toBeNull();
    expect(await holder.tryObtain(KEY, LONG, { wait: 10 })).toBeNull();
    expect(await server.command("EXISTS", KEY)).toBe(0);
    go?.();
    const lock = await waiting;
    expect(lock.held).toBe(true);
    await lock.release();
  });

  test("and is gone keeps a free lock from the others for two seconds at most", async () => {
    const [holder, told] = [await locker(), await locker()];
    const held = await holder.obtain(KEY, LONG);
    const { run, redis } = deafClient();
    for (const count of [1, 2]) {
      new Locker({ run }).obtain(KEY, LONG, { wait: LONG }).catch(() => undefined);
      await untilInLine(server, KEY, count, UNTOLD);
    }
    const waiting = told.obtain(KEY, LONG, { wait: LONG });
    const isTold = async (): Promise<boolean> => {
      const waiters = textsOf(await server.command("HVALS", companion(KEY, "waiters")));
      return waiters.some((one) => /^\d+ \d+ 1 /.test(one));
    };
    await waitUntil(isTold, { what: "the one behind them to hear" });
    redis.disconnect();
    const before = performance.now();
    await held.release();
    await (await waiting).release();
    // Whoever waits for its own time to ask does so after 15 s.
    expect(performance.now() - before).toBeLessThan(12_000);
  });
});

describe.each([ioredis, nodeRedis])("%p: a user without permission", (kindOf) => {
  test("to subscribe stands in the same line, and is told of in an event", async () => {
    const user = await restrict("&*", "-subscribe");
    const events: LockEvent[] = [];
    const kind = kindOf(6, user);
    const onEvent = (event: LockEvent): number => events.push(event);
    const restricted = await locker(kind, { onEvent });
    await expectOrder(await locker(), [restricted, restricted, await locker(kind)]);
    const failures = events.filter(({ type }) => type === "subscribeFailed");
    expect(failures).toHaveLength(1);
    expect(JSON.stringify(failures)).not.toContain("secret");
  });

  test("to publish serves the same line in the same order", async () => {
    const user = await restrict("-publish");
    const restricted = await locker(kindOf(6, user));
    const held = await restricted.obtain(KEY, LONG);
    const told = await locker(kindOf(5));
    const served: string[] = [];
    // So short that they ask again soon: nobody can tell them.
    const waits = ["Ann", "Bob"].map(async (name, index) => {
      await waitUntil(async () => (await line(server, KEY)).length === index);
      const lock = await told.obtain(KEY, 1_000, { wait: LONG });
      served.push(name);
      await lock.release();
    });
    await untilInLine(server, KEY, 2);
    expect(await openInboxes(server)).toHaveLength(1);
    await held.release();
    expect(await restricted.tryObtain(KEY, LONG)).toBeNull();
    await Promise.all(waits);
    expect(served).toEqual(["Ann", "Bob"]);
  });
});
