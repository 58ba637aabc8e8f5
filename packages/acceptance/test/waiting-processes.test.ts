/** What the line promises across processes, some of which are killed or stopped. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import {
  companion,
  compilePackage,
  line,
  openInboxes,
  startProxy,
  startServer,
  untilInLine,
  waitUntil,
  type Compiled,
  type RedisServer,
} from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { cast, ioredis, nodeRedis, type Kind, type User } from "./clients.js";
import { loadScripts } from "./scenes.js";
import { Worker } from "./waiting-processes.js";

const KEY = "job";
/** Far longer than any test takes: who is served in less was told. */
const LONG = 30_000;
/** Who was not told asks after half of that. */
const NOT_BY_ITSELF = 12_000;

const [ioredis5, ioredis6, nodeRedis5, nodeRedis6] = [
  ioredis(5),
  ioredis(6),
  nodeRedis(5),
  nodeRedis(6),
];

let compiled: Compiled;
let server: RedisServer;
let us: User;
const workers: Worker[] = [];

beforeAll(async () => {
  [compiled, server] = await Promise.all([
    compilePackage(new URL("..", import.meta.url)),
    startServer(),
  ]);
  await loadScripts(server);
});

beforeEach(async () => {
  us = await ioredis6.connect(server.port);
});

afterEach(async () => {
  for (const { process } of workers.splice(0)) await process.stop();
  us.destroy();
  await server.command("FLUSHALL");
});

afterAll(async () => {
  await server.stop();
  await compiled.remove();
});

async function start(kind: Kind, port: number = server.port): Promise<Worker> {
  const worker = await Worker.start(compiled, kind, port, KEY);
  workers.push(worker);
  return worker;
}

test("processes are served in the order in which they came, whatever client they use", async () => {
  const [ann, bob, cid, dan] = await Promise.all(
    [ioredis5, nodeRedis6, ioredis6, nodeRedis5].map((kind) => start(kind)),
  );
  if (!ann || !bob || !cid || !dan) throw new Error("not started");
  const held = await us.locker().obtain(KEY, LONG);
  const order = [cid, ann, dan, bob];
  for (const [index, worker] of order.entries()) {
    worker.wait(LONG);
    await untilInLine(server, KEY, index + 1);
  }
  let fence = held.fencingToken;
  await held.release();
  for (const [index, worker] of order.entries()) {
    const next = await worker.granted();
    expect(next).toBeGreaterThan(fence);
    fence = next;
    expect(await line(server, KEY)).toHaveLength(order.length - index - 1);
    await worker.release();
  }
});

test("under contention each section takes two commands, one at a time, and in turn", async () => {
  const proxy = await startProxy(server.port);
  const crowd = await Promise.all(
    [ioredis5, nodeRedis6, ioredis6].map((kind) => start(kind, proxy.port)),
  );
  const [loops, times] = [4, 25];
  proxy.commands.clear();
  const runs = await Promise.all(crowd.map((worker) => worker.run(loops, times, 2)));
  const asked = proxy.commands.count(["EVALSHA", "EVAL"]);
  const sections = runs
    .flatMap((run, process) => run.map((one) => ({ ...one, who: `${process} ${one.loop}` })))
    .sort((a, b) => a.fence - b.fence);
  await proxy.stop();

  for (const [index, { from }] of sections.entries()) {
    const before = sections[index - 1];
    if (before) expect(from).toBeGreaterThan(before.to);
  }
  // Each loop asks twice the first time, when it has no inbox yet.
  const { length } = sections;
  expect(asked).toBeLessThanOrEqual(2.1 * length + crowd.length * loops);
  // Between two turns of one, another has one turn; two if the one was slow to come back.
  const turns = sections.map(({ who }) => who);
  for (const [index, who] of turns.entries()) {
    const end = turns.indexOf(who, index + 1);
    if (end < 0) continue;
    const between = turns.slice(index + 1, end);
    for (const other of new Set(between)) {
      expect(between.filter((one) => one === other).length).toBeLessThanOrEqual(2);
    }
  }
});

describe("a waiter", () => {
  test.each(cast([ioredis5, ioredis6, nodeRedis5, nodeRedis6]))(
    "that is killed is passed over ($name)",
    async (kind) => {
      const [first, next] = [await start(kind), await start(kind)];
      const held = await us.locker().obtain(KEY, LONG);
      first.wait(LONG);
      await untilInLine(server, KEY, 1);
      next.wait(LONG);
      await untilInLine(server, KEY, 2);
      await first.kill();
      await untilGone(1);
      await held.release();
      expect(await next.granted()).toBeGreaterThan(held.fencingToken);
      await next.release();
      expect(await line(server, KEY)).toEqual([]);
    },
  );

  test("that is killed with hundreds of others of its process holds up nobody", async () => {
    const [crowd, next] = [await start(ioredis6), await start(nodeRedis6)];
    const held = await us.locker().obtain(KEY, LONG);
    crowd.wait(LONG, 300);
    await untilInLine(server, KEY, 300);
    next.wait(LONG);
    await untilInLine(server, KEY, 301);
    await crowd.kill();
    await untilGone(1);
    await held.release();
    await next.granted();
    await next.release();
    expect(await server.command("EXISTS", KEY)).toBe(0);
  });

  test("that is stopped holds up nobody for longer than its ttl, and comes back in turn", async () => {
    const [stopped, next] = [await start(ioredis6), await start(nodeRedis6)];
    const held = await us.locker().obtain(KEY, LONG);
    stopped.wait(1_000);
    await untilInLine(server, KEY, 1);
    next.wait(LONG);
    await untilInLine(server, KEY, 2);
    stopped.process.kill("SIGSTOP");
    const before = performance.now();
    await held.release(); // Granted to one that cannot know.
    const fence = await next.granted();
    expect(performance.now() - before).toBeLessThan(NOT_BY_ITSELF);
    stopped.process.kill("SIGCONT");
    await untilInLine(server, KEY, 1); // It did not take an old grant for a lock.
    await next.release();
    expect(await stopped.granted()).toBeGreaterThan(fence);
    await stopped.release();
  });

  test("that stops for a moment keeps its place", async () => {
    const [stopped, next] = [await start(nodeRedis6), await start(ioredis6)];
    const held = await us.locker().obtain(KEY, LONG);
    stopped.wait(1_000);
    await untilInLine(server, KEY, 1);
    next.wait(1_000);
    await untilInLine(server, KEY, 2);
    const order = await line(server, KEY);
    stopped.process.kill("SIGSTOP");
    await sleep(1_500); // Longer than its place stays fresh.
    const asked = async (): Promise<string> => {
      const waiter = await server.command("HGET", companion(KEY, "waiters"), order[0] ?? "");
      return String(waiter).split(" ")[0] ?? "";
    };
    const before = await asked();
    stopped.process.kill("SIGCONT");
    await waitUntil(async () => (await asked()) !== before, { what: "it to ask again" });
    expect(await line(server, KEY)).toEqual(order);
    await held.release();
    const fence = await stopped.granted();
    await stopped.release();
    expect(await next.granted()).toBeGreaterThan(fence);
  });
});

test("when the holder is killed, the first in line has the lock when its lease ends", async () => {
  const TTL = 500;
  let late = Infinity;
  // On a busy machine any one try can be late by itself.
  for (let tries = 0; tries < 20 && late > 50; tries++) {
    const [holder, next] = [await start(nodeRedis6), await start(ioredis6)];
    holder.wait(TTL);
    await holder.granted();
    const granted = next.granted();
    next.wait(LONG);
    await untilInLine(server, KEY, 1, { told: false });
    await holder.kill();
    const left = Number(await server.command("PTTL", KEY));
    const end = performance.now() + left;
    await granted;
    late = Math.min(late, performance.now() - end);
    await next.release();
  }
  expect(late).toBeLessThanOrEqual(50);
}, 180_000);

test("so it is when that holder was itself in line, with a shorter ttl than those behind it", async () => {
  const [holder, next] = [await start(nodeRedis6), await start(ioredis6)];
  const held = await us.locker().obtain(KEY, LONG);
  holder.wait(1_000);
  await untilInLine(server, KEY, 1);
  next.wait(LONG);
  await untilInLine(server, KEY, 2);
  await held.release();
  await holder.granted();
  await holder.kill();
  const before = performance.now();
  await next.granted();
  expect(performance.now() - before).toBeLessThan(NOT_BY_ITSELF);
});

test.each(cast([ioredis5, ioredis6, nodeRedis5, nodeRedis6]))(
  "a process that once stood in line ends when it has nothing more to do ($name)",
  async (kind) => {
    const worker = await start(kind);
    const held = await us.locker().obtain(KEY, LONG);
    worker.wait(LONG);
    await untilInLine(server, KEY, 1);
    await held.release();
    await worker.granted();
    await worker.release();
    expect(await openInboxes(server)).toHaveLength(1);
    worker.quit();
    await expect(worker.process.exited).resolves.toEqual({ code: 0, signal: null });
    await untilGone(0);
    expect(worker.process.stderr).toBe("");
  },
);

/** Redis has noticed that all inboxes but so many are closed. */
async function untilGone(left: number): Promise<void> {
  await waitUntil(async () => (await openInboxes(server)).length === left);
}
