/** Standing in line on a cluster of three nodes, also while a slot moves. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Lock, Locker } from "@redislock/core";
import {
  compilePackage,
  line,
  startCluster,
  untilInLine,
  type Compiled,
  type RedisCluster,
  type RedisServer,
} from "@redislock/test-kit";

import { cast, ioredisCluster, nodeRedisCluster, type User } from "./clients.js";
import { loadScripts } from "./scenes.js";
import { Worker } from "./waiting-processes.js";

/** Far longer than any test takes: who is served in less was told. */
const LONG = 30_000;

let cluster: RedisCluster;
let compiled: Compiled;
const users: User[] = [];
const workers: Worker[] = [];

beforeAll(async () => {
  [cluster, compiled] = await Promise.all([
    startCluster(3),
    compilePackage(new URL("..", import.meta.url)),
  ]);
  for (const node of cluster.nodes) await loadScripts(node);
});

afterEach(async () => {
  for (const { process } of workers.splice(0)) await process.stop();
  for (const user of users.splice(0)) user.destroy();
});

afterAll(async () => {
  await cluster.stop();
  await compiled.remove();
});

function node(index: number): RedisServer {
  const found = cluster.nodes[index];
  if (!found) throw new Error(`There is no node ${index}`);
  return found;
}

async function home(key: string): Promise<RedisServer> {
  return cluster.nodeOfSlot(await cluster.slotOf(key));
}

describe.each(
  cast([
    ioredisCluster(5),
    ioredisCluster(6),
    nodeRedisCluster(5),
    nodeRedisCluster(6),
    ioredisCluster(6, { keyPrefix: "app:" }, "with keyPrefix"),
    nodeRedisCluster(6, { keyPrefix: "app:" }, "with keyPrefix"),
  ]),
)("$name", (kind) => {
  let keys = 0;

  /** What no other test uses, and what it is called in Redis. */
  function name(): { readonly key: string; readonly inRedis: string } {
    const key = `${kind.name.replaceAll(" ", "-")}-${++keys}`;
    return { key, inRedis: kind.prefix + key };
  }

  async function locker(): Promise<Locker> {
    const user = await kind.connect(node(0).port);
    users.push(user);
    return user.locker();
  }

  /** Three stand in line. */
  async function enter(key: string, inRedis: string): Promise<Promise<Lock>[]> {
    const waits: Promise<Lock>[] = [];
    for (let place = 1; place <= 3; place++) {
      waits.push((await locker()).obtain(key, LONG, { wait: LONG }));
      await untilInLine(await home(inRedis), inRedis, place);
    }
    return waits;
  }

  async function expectOrder(waits: readonly Promise<Lock>[]): Promise<void> {
    const served: number[] = [];
    let fence = 0;
    await Promise.all(
      waits.map(async (wait, index) => {
        const lock = await wait;
        expect(lock.fencingToken).toBeGreaterThan(fence);
        fence = lock.fencingToken;
        served.push(index);
        await lock.release();
      }),
    );
    expect(served).toEqual(waits.map((_, index) => index));
  }

  test("on every node, processes are served in the order in which they came", async () => {
    const homes = new Set<RedisServer>();
    while (homes.size < 3) {
      const { key, inRedis } = name();
      const server = await home(inRedis);
      if (homes.has(server)) continue;
      homes.add(server);
      const held = await (await locker()).obtain(key, LONG);
      const waits = await enter(key, inRedis);
      await held.release();
      await expectOrder(waits);
      expect(await server.command("EXISTS", inRedis)).toBe(0);
    }
  });

  test("those who wait while the slot moves to another node are served there in their order", async () => {
    const { key, inRedis } = name();
    const held = await (await locker()).obtain(key, LONG);
    const waits = await enter(key, inRedis);
    const order = await line(await home(inRedis), inRedis);
    const slot = await cluster.slotOf(inRedis);
    const from = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
    await cluster.moveSlot(slot, (from + 1) % 3);
    expect(cluster.nodes.indexOf(cluster.nodeOfSlot(slot))).toBe((from + 1) % 3);
    expect(await line(await home(inRedis), inRedis)).toEqual(order);
    await held.release();
    await expectOrder(waits);
  });

  test("so are those who come, and a lock that is released, in the middle of the move", async () => {
    const { key, inRedis } = name();
    const held = await (await locker()).obtain(key, LONG);
    const waits = await enter(key, inRedis);
    const slot = await cluster.slotOf(inRedis);
    const from = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
    const move = await cluster.beginMove(slot, (from + 1) % 3);
    const late = (await locker()).obtain(key, LONG, { wait: LONG });
    await move.migrateKeys();
    const released = held.release();
    await move.finish();
    await released;
    await expectOrder([...waits, late]);
  });
});

test.each(cast([ioredisCluster(6), nodeRedisCluster(6)]))(
  "a waiter that is killed keeps the lock from the next for five seconds at most ($name)",
  async (kind) => {
    const key = `killed ${kind.library}`;
    const server = await home(key);
    const user = await kind.connect(node(0).port);
    users.push(user);
    const held = await user.locker().obtain(key, LONG);
    const worker = await Worker.start(compiled, kind, node(0).port, key);
    workers.push(worker);
    worker.wait(LONG);
    await untilInLine(server, key, 1);
    const waiting = user.locker().obtain(key, LONG, { wait: LONG });
    await untilInLine(server, key, 2);
    await worker.kill();
    const before = performance.now();
    await held.release();
    await (await waiting).release();
    expect(performance.now() - before).toBeLessThan(13_000); // Five, and room for a busy machine.
  },
);
