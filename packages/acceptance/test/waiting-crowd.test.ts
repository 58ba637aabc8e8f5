/** Ten thousand stand in line for one key. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Lock, Locker } from "@redislock/core";
import {
  companion,
  openInboxes,
  startServer,
  textsOf,
  VirtualClock,
  waitUntil,
  type RedisServer,
} from "@redislock/test-kit";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { ioredis, nodeRedis, type User } from "./clients.js";
import { loadScripts } from "./scenes.js";

const KEY = "job";
const LONG = 3_600_000;
/** After so long each of them asks again, to keep its place for twice that. */
const CHECK_IN = 15_000;
/** On a machine that is slow to put them all in line. */
const PATIENCE = 120_000;

let server: RedisServer;
let users: User[];
let lockers: Locker[];
/** Theirs: what is measured must not be mixed with waiters who ask because it is time. */
const clock = new VirtualClock();

beforeAll(async () => {
  server = await startServer();
  await loadScripts(server);
  users = await Promise.all([ioredis(6), nodeRedis(6)].map((kind) => kind.connect(server.port)));
  lockers = users.map((user) => user.locker({ clock }));
});

afterAll(async () => {
  for (const user of users) user.destroy();
  await server.stop();
});

/** Those who are in line, as long as they are. */
class Crowd {
  /** In the order in which they were served. */
  readonly served: number[] = [];
  /** What the last of them has. */
  last: Lock | undefined;
  readonly #waits: Promise<void>[] = [];
  readonly #abort = new AbortController();
  #left = Infinity;
  #enough: (() => void) | undefined;
  #askedAt = performance.now();

  /** Lets others come until so many stand in line, a hundred at a time. */
  async grow(to: number): Promise<void> {
    const end = to + this.served.length;
    while (this.#waits.length < end) {
      for (let i = 0; i < 100 && this.#waits.length < end; i++) {
        this.#waits.push(this.#wait(this.#waits.length));
      }
      await untilInLine(this.#waits.length - this.served.length);
      if (performance.now() > this.#askedAt + CHECK_IN) await this.checkIn();
    }
    await this.checkIn();
  }

  /** Lets all of them ask again, so that they keep their places. */
  async checkIn(): Promise<void> {
    this.#askedAt = performance.now();
    const since = Date.now();
    let looks = 0;
    const haveAsked = async (): Promise<boolean> => {
      // One whose reply was under way when time went on does not ask until it goes on once more.
      if (looks++ % 20 === 0) clock.advance(CHECK_IN);
      const waiters = textsOf(await server.command("HVALS", companion(KEY, "waiters")));
      return waiters.every((waiter) => Number(waiter.split(" ")[0]) >= since);
    };
    await waitUntil(haveAsked, { what: "all to ask again", timeout: PATIENCE, interval: 500 });
  }

  /** Lets so many be served, one after the other; the last of them keeps the lock. */
  async serve(held: Lock, count: number): Promise<Lock> {
    this.#left = count;
    const enough = new Promise<void>((resolve) => (this.#enough = resolve));
    await held.release();
    await enough;
    if (!this.last) throw new Error("nobody was served");
    return this.last;
  }

  async disperse(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#waits);
  }

  /** Whatever goes wrong, nobody is left behind. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.disperse();
  }

  async #wait(index: number): Promise<void> {
    const locker = lockers[index % lockers.length];
    const { signal } = this.#abort;
    try {
      const lock = await locker?.obtain(KEY, LONG, { wait: Infinity, signal });
      this.served.push(index);
      this.last = lock;
      if (--this.#left === 0) this.#enough?.();
      else await lock?.release();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

test("the server's work for a section does not grow with the line, nor its memory beyond a record each", async () => {
  const [first] = lockers;
  if (!first) throw new Error("no locker");
  const before = { redis: await usedMemory(), us: heapInUse() };
  let held = await first.obtain(KEY, LONG);
  await using crowd = new Crowd();
  const micros: Record<number, number> = {};
  const commands: Record<number, number> = {};
  const measure = async (size: number): Promise<void> => {
    await crowd.grow(size);
    await server.command("CONFIG", "RESETSTAT");
    held = await crowd.serve(held, 50);
    const stats = String(await server.command("INFO", "commandstats"));
    micros[size] = figure(stats, /evalsha:.*usec_per_call=([\d.]+)/);
    commands[size] = commandsPerScript(stats);
  };
  for (const size of [100, 1_000, 10_000]) await measure(size);
  // A hundred times the line; obtains and releases are not mixed alike each time.
  const growth = (): number => (commands[10_000] ?? NaN) / (commands[100] ?? NaN);
  // On a machine so slow that some have lost their places meanwhile, those are swept up, too.
  for (let again = 0; again < 2 && growth() >= 1.5; again++) await measure(10_000);
  expect(growth()).toBeLessThan(1.5);
  const served = crowd.served.length;
  await crowd.grow(10_000);
  const each = {
    redis: ((await usedMemory()) - before.redis) / 10_000,
    us: (heapInUse() - before.us) / 10_000,
  };
  expect(await openInboxes(server)).toHaveLength(lockers.length);

  const since = performance.now();
  held = await crowd.serve(held, 2_000);
  const perSecond = 2_000 / ((performance.now() - since) / 1_000);
  expect(crowd.served).toHaveLength(served + 2_000);
  for (const locker of lockers.keys()) {
    const ours = crowd.served.filter((index) => index % lockers.length === locker);
    expect(ours).toEqual(ours.map((_, turn) => turn * lockers.length + locker));
  }
  console.log(
    `µs a script by length of the line: ${JSON.stringify(micros)}; bytes a waiter: ` +
      `${Math.round(each.redis)} in Redis, ${Math.round(each.us)} here; ` +
      `${Math.round(perSecond)} sections a second with 10 000 in line`,
  );
  expect(each.redis).toBeLessThan(1_000);

  await crowd.disperse();
  await held.release();
  await untilInLine(0); // Nobody waits until its leaving is confirmed.
  expect(await server.command("KEYS", "*")).toEqual([companion(KEY, "fence")]);
  await Promise.all(lockers.map((locker) => locker.close()));
  await waitUntil(async () => (await openInboxes(server)).length === 0);
}, 600_000);

async function untilInLine(count: number): Promise<void> {
  const waiters = companion(KEY, "waiters");
  const areThere = async (): Promise<boolean> => (await server.command("HLEN", waiters)) === count;
  await waitUntil(areThere, { what: `${count} to stand in line`, timeout: PATIENCE });
}

async function usedMemory(): Promise<number> {
  return figure(await server.command("INFO", "memory"), /used_memory:(\d+)/);
}

/** How many commands a script calls, in the mean. */
function commandsPerScript(stats: string): number {
  const calls = [...stats.matchAll(/calls=(\d+)/g)].map(([, count]) => Number(count));
  const all = calls.reduce((sum, count) => sum + count, 0);
  return all / figure(stats, /evalsha:calls=(\d+)/) - 1;
}

/** Bytes of this process' heap that are in use, with nothing that is only waiting to be collected. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("the garbage cannot be collected");
  Reflect.apply(collect, undefined, []);
  return process.memoryUsage().heapUsed;
}

function figure(info: unknown, pattern: RegExp): number {
  return Number(pattern.exec(String(info))?.[1]);
}
