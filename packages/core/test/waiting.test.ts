/** What a waiter does by itself, when messages are lost or late, or there are none. */
import { expect, test } from "@jest/globals";
import { companion, VirtualClock, waitUntil } from "@redislock/test-kit";
import { setImmediate as turn } from "node:timers/promises";

import { Locker, type RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, client, locker, asked, untilInLine } = await startRedis();

const TTL = 30_000;

interface Lossy extends RedisClient {
  readonly lost: string[];
  /** Resolves when there is a message to let through. */
  untilLost(): Promise<unknown>;
  letThrough(): void;
}

/** A client whose messages are kept from the locker, until they are let through. */
function lossyClient(): Lossy {
  const inner = client();
  const lost: string[] = [];
  let deliver: ((text: string) => void) | undefined;
  return {
    lost,
    untilLost: () => waitUntil(() => lost.length > 0, { what: "a message" }),
    letThrough: () => lost.splice(0).forEach((text) => deliver?.(text)),
    run: (...question) => inner.run(...question),
    subscribe: (channel, listener) => {
      deliver = (text) => listener.message(text);
      return inner.subscribe(channel, { ...listener, message: (text) => lost.push(text) });
    },
  };
}

/** Time passes a second at a time, and every question on the way is answered. */
async function pass(clock: VirtualClock, seconds: number, underWay: () => number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1_000);
    await turn();
    await waitUntil(() => underWay() === 0, { what: "the answers", interval: 1 });
    await turn();
  }
}

test("an idle waiter asks four times a minute, and sends nothing else", async () => {
  const clock = new VirtualClock();
  const held = await locker().obtain("a", 2 * TTL);
  const inner = client();
  let underWay = 0;
  const watched: RedisClient = {
    run: (...question) => {
      underWay++;
      return inner.run(...question).finally(() => underWay--);
    },
    subscribe: (...listen) => inner.subscribe(...listen),
  };
  const waiter = new Locker(watched, { clock });
  const waiting = waiter.obtain("a", TTL, { wait: Infinity });
  await untilInLine("a", 1, "told");
  await waitUntil(() => underWay === 0, { what: "the first answers" });
  proxy.commands.clear();
  await pass(clock, 60, () => underWay);
  expect(proxy.commands.all.length).toBeGreaterThanOrEqual(3);
  expect(proxy.commands.all.length).toBeLessThanOrEqual(5);
  expect(new Set(asked())).toEqual(new Set(["obtain"]));
  await held.release();
  await (await waiting).release();
  await waiter.close();
});

test("a grant whose message never comes is found by the waiter's own question", async () => {
  const holder = locker();
  const held = await holder.obtain("a", TTL);
  const lossy = lossyClient();
  const waiter = new Locker(lossy);
  const waiting = waiter.obtain("a", 3_000, { wait: TTL });
  await untilInLine("a", 1, "told");
  await held.release();
  const lock = await waiting; // At half its ttl.
  expect(lossy.lost[0]).toMatch(new RegExp(`^grant 1 ${lock.fencingToken} .+`));
  expect(lock.held).toBe(true);
  await lock.release();
  await waiter.close();
});

test("a message that comes when its lease is over gives no lock", async () => {
  const clock = new VirtualClock();
  const held = await locker().obtain("a", TTL);
  const lossy = lossyClient();
  const waiter = new Locker(lossy, { clock });
  const waiting = waiter.obtain("a", 1_000, { wait: Infinity });
  await untilInLine("a", 1, "told");
  await held.release();
  await untilInLine("a", 0);
  // The process stood still, and another has the lock meanwhile.
  clock.stall(5_000);
  const rival = locker();
  await rival.forceRelease("a");
  const other = await rival.obtain("a", TTL);
  await lossy.untilLost();
  proxy.commands.clear();
  lossy.letThrough();
  await proxy.commands.waitFor("EVALSHA");
  await untilInLine("a", 1);
  expect(other.held).toBe(true);
  await other.refresh();
  await other.release();
  await untilInLine("a", 0);
  await lossy.untilLost();
  lossy.letThrough();
  const lock = await waiting;
  expect(lock.fencingToken).toBeGreaterThan(other.fencingToken);
  await lock.release();
  await waiter.close();
});

test("a locker that is closed leaves the line before it says so", async () => {
  const held = await locker().obtain("a", TTL);
  const waiter = locker();
  const waits = [1, 2, 3].map(() => waiter.obtain("a", TTL, { wait: Infinity }));
  const ends = Promise.allSettled(waits);
  await untilInLine("a", 3, "told");
  await waiter.close();
  expect(await server.command("EXISTS", companion("a", "line"))).toBe(0);
  expect(await ends).toMatchObject(waits.map(() => ({ reason: { code: "CLOSED" } })));
  await held.release();
});

test("a client whose subscribe throws leaves its waiters to their timers", async () => {
  const inner = client();
  const errors: Error[] = [];
  const waiter = new Locker(
    {
      run: (...question) => inner.run(...question),
      subscribe: () => {
        throw new Error("no subscriptions today");
      },
    },
    { onEvent: (event) => event.type === "subscribeFailed" && errors.push(event.error) },
  );
  const held = await locker().obtain("a", TTL);
  const waiting = waiter.obtain("a", TTL, { wait: TTL });
  await untilInLine("a", 1);
  await held.release();
  await (await waiting).release();
  expect(errors.map(({ message }) => message)).toEqual(["no subscriptions today"]);
  await waiter.close();
});
