import { companion } from "@redislock/test-kit";
import { expect, test } from "@jest/globals";

import {
  createLocker,
  type Locker,
  LockLostError,
  LockNotHeldError,
  ManualClock,
  memoryClient,
  type MemoryClient,
  MemoryServer,
  NotObtainedError,
  OutcomeUnknownError,
  RefusedError,
} from "../src/index.js";

function setUp(): {
  clock: ManualClock;
  client: MemoryClient;
  locker: Locker;
  other: Locker;
} {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock });
  const client = memoryClient(server);
  return {
    clock,
    client,
    locker: createLocker(client, { clock }),
    other: createLocker(memoryClient(server), { clock }),
  };
}

test("a request that is lost was not done, and is sent again", async () => {
  const { clock, client, locker } = setUp();
  client.loseNextRequest();
  const obtaining = locker.obtain("a", 1_000);
  expect(client.server.command("KEYS", "*")).toEqual([]);
  await clock.advance(20);
  expect((await obtaining).held).toBe(true);
});

test("a reply that is lost was done, and the question is sent again", async () => {
  const { clock, client, locker } = setUp();
  client.loseNextReply();
  const obtaining = locker.obtain("a", 1_000);
  expect(client.server.command("KEYS", "*")).toContain("a");
  await clock.advance(20);
  expect((await obtaining).held).toBe(true);
});

test("a refusal is final, or not, as its first word says", async () => {
  const { clock, client, locker } = setUp();
  client.refuseNext("NOPERM this user has no permissions");
  await expect(locker.obtain("a", 1_000)).rejects.toBeInstanceOf(RefusedError);
  client.refuseNext("LOADING Redis is loading the dataset in memory", 2);
  const obtaining = locker.obtain("a", 1_000);
  await clock.advance(50);
  expect((await obtaining).held).toBe(true);
});

test("silence leaves the outcome unknown, and what is heard in the end is undone", async () => {
  const { clock, client, locker } = setUp();
  client.silence();
  const obtaining = locker.obtain("a", 10_000).catch((error: unknown) => error);
  await clock.advance(2_000);
  expect(await obtaining).toBeInstanceOf(OutcomeUnknownError);
  expect(client.server.command("KEYS", "*")).toEqual([]);
  client.speak();
  await clock.advance(0);
  expect(client.server.command("KEYS", "*")).toEqual([companion("a", "fence")]);
});

test("when only the replies are silent, the lock is taken, and given back in the end", async () => {
  const { clock, client, locker } = setUp();
  client.silenceReplies();
  const obtaining = locker.obtain("a", 10_000).catch((error: unknown) => error);
  await clock.advance(2_000);
  expect(await obtaining).toBeInstanceOf(OutcomeUnknownError);
  client.speak();
  await clock.advance(0);
  expect(client.server.command("GET", "a")).toBeNull();
});

test("what was held back in a silence can be lost with the connection", async () => {
  const { clock, client, locker } = setUp();
  client.silence();
  const obtaining = locker.obtain("a", 10_000);
  client.speak({ lose: true });
  expect(client.server.command("KEYS", "*")).toEqual([]);
  await clock.advance(20);
  expect((await obtaining).held).toBe(true);
});

test("a holder that Redis does not answer any more stops by itself, in time", async () => {
  const { clock, client, locker, other } = setUp();
  const lock = await locker.obtain("a", 1_000, { renew: true });
  client.silence();
  await clock.advance(987);
  expect(lock.signal.aborted).toBe(false);
  await clock.advance(1);
  expect(lock.signal.reason).toBeInstanceOf(LockLostError);
  await clock.advance(1_000);
  expect((await other.obtain("a", 1_000)).held).toBe(true);
});

test("a lock that expired is known to be lost at the next contact", async () => {
  const { clock, client, locker } = setUp();
  const lock = await locker.obtain("a", 3_000, { renew: true });
  client.expireNow("a");
  expect(lock.held).toBe(true);
  await clock.advance(1_000);
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
});

test("a lock that somebody else took is theirs", async () => {
  const { client, locker } = setUp();
  const lock = await locker.obtain("a", 3_000);
  client.takeAway("a");
  await expect(lock.refresh()).rejects.toBeInstanceOf(LockNotHeldError);
  await expect(lock.release()).rejects.toBeInstanceOf(LockNotHeldError);
  await expect(locker.obtain("a", 1_000)).rejects.toBeInstanceOf(NotObtainedError);
  expect(client.server.command("GET", "a")).toBe("somebody else");
});

test("a waiter whose message was lost finds the lock by asking", async () => {
  const { clock, client, locker, other } = setUp();
  const held = await other.obtain("a", 1_000);
  const waiting = locker.obtain("a", 1_000, { wait: 5_000 });
  await clock.advance(10);
  client.loseNextMessage();
  await held.release();
  await clock.advance(1_000);
  expect((await waiting).held).toBe(true);
});

test("replies and messages take the time that they are given", async () => {
  const { clock, client, locker, other } = setUp();
  client.delayReplies(100);
  const held = await other.obtain("a", 1_000);
  let lock: unknown;
  void locker.obtain("a", 1_000, { wait: 5_000 }).then((obtained) => (lock = obtained));
  await clock.advance(400);
  await held.release();
  await clock.advance(99);
  expect(lock).toBeUndefined();
  await clock.advance(1);
  expect(lock).toMatchObject({ held: true });
});
