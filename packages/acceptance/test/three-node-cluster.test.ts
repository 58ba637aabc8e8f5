import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { scripts } from "@redislock/core/adapter";
import { failure, loadScripts, startCluster, waitUntil } from "@redislock/test-kit";
import { once } from "node:events";

import { cast, ioredisCluster, kinds, nodeRedisCluster, type User } from "./clients.js";

const cluster = await startCluster(3);
afterAll(() => cluster.stop());

const clusterKinds = [
  ...kinds.filter((kind) => kind.cluster),
  ioredisCluster(6, { keyPrefix: "{app}:" }, "with a keyPrefix that is a hash tag"),
  nodeRedisCluster(6, { RESP: 3 }, "with RESP3"),
];

const port = cluster.nodes[0]?.port ?? 0;

/** Keys that are spread over all nodes. */
const spread = Array.from({ length: 30 }, (_, index) => `key ${index}`);

describe.each(cast(clusterKinds))("$name", (kind) => {
  async function withUser(test: (user: User) => Promise<void>): Promise<void> {
    const user = await kind.connect(port);
    try {
      await test(user);
    } finally {
      user.destroy();
    }
  }

  test("locks live on every node, whose script caches are empty", async () => {
    for (const node of cluster.nodes) await node.command("SCRIPT", "FLUSH");
    await withUser(async (user) => {
      await using locker = user.locker();
      const locks = await Promise.all(
        spread.map((key) => locker.obtain(key, 10_000, { renew: true })),
      );
      expect(await Promise.all(spread.map((key) => locker.tryObtain(key, 10_000)))).toEqual(
        spread.map(() => null),
      );
      await Promise.all(locks.map((lock) => lock.refresh()));
      expect(locks.every(({ held }) => held)).toBe(true);
      const sizes = await Promise.all(cluster.nodes.map((node) => node.command("DBSIZE")));
      if (kind.prefix === "") for (const size of sizes) expect(size).toBeGreaterThan(0);
      await Promise.all(locks.map((lock) => lock.release()));
    });
  });

  test("locks of all nodes are renewed together", async () => {
    await withUser(async (user) => {
      const renewed = new Set<string | undefined>();
      await using locker = user.locker({
        onEvent: (event) => {
          if (event.type === "renewed") renewed.add(event.keys[0]);
        },
      });
      const locks = await Promise.all(
        spread.map((key) => locker.obtain(key, 9_000, { renew: true })),
      );
      await waitUntil(() => renewed.size === spread.length, { what: "all renewals" });
      expect(locks.every(({ held }) => held)).toBe(true);
      await Promise.all(locks.map((lock) => lock.release()));
    });
  });

  test("whoever follows an election hears of each leader, on whatever node that is decided", async () => {
    await withUser(async (user) => {
      await withUser(async (other) => {
        await using locker = user.locker();
        await using follower = other.locker();
        await Promise.all(
          spread.slice(0, 6).map(async (key) => {
            const following = follower.leader(key)[Symbol.asyncIterator]();
            expect((await following.next()).value).toBeUndefined();
            // Far longer than the test takes: only messages tell of what comes.
            const ann = locker.lead(key, 60_000, { name: "ann" }, async () => {
              expect((await following.next()).value).toMatchObject({ name: "ann" });
            });
            await ann;
            expect((await following.next()).value).toBeUndefined();
            await following.return?.();
          }),
        );
      });
    });
  });

  test("several keys are taken together if one slot has them, else refused before anything is sent", async () => {
    await withUser(async (user) => {
      await using locker = user.locker();
      const keys = ["{order:1}:a", "{order:1}:b"];
      const lock = await locker.obtain(keys, 10_000);
      expect(await locker.tryObtain(keys[1] ?? "", 10_000)).toBeNull();
      await lock.release();
      if (kind.prefix === "") {
        const error = await failure(locker.obtain(["a", "b"], 10_000));
        expect(error).toBeInstanceOf(RangeError);
        expect(await locker.inspect("a")).toMatchObject({ holder: undefined });
      }
    });
  });

  test("who waits hears of the grant from whichever node has the key", async () => {
    await withUser(async (user) => {
      await using locker = user.locker();
      const keys = spread.slice(0, 6);
      const locks = await Promise.all(keys.map((key) => locker.obtain(key, 20_000)));
      const waiting = keys.map((key) => locker.obtain(key, 20_000, { wait: 20_000 }));
      await waitUntil(
        async () => {
          const lines = await Promise.all(keys.map((key) => locker.inspect(key)));
          return lines.every(({ waiters }) => waiters === 1);
        },
        { what: "all to stand in line" },
      );
      await Promise.all(locks.map((lock) => lock.release()));
      const next = await Promise.all(waiting);
      await Promise.all(next.map((lock) => lock.release()));
    });
  });

  test("a slot that moves while its lock is held takes the lock with it", async () => {
    await withUser(async (user) => {
      await using locker = user.locker({ commandTimeout: 10_000 });
      const lock = await locker.obtain("the moving one", 60_000);
      const slot = await cluster.slotOf(`${kind.prefix}the moving one`);
      const from = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
      const move = await cluster.beginMove(slot, (from + 1) % 3);
      await lock.refresh();
      await move.migrateKeys();
      await lock.refresh(); // Answered ASK.
      expect(await lock.ttl()).toBeGreaterThan(50_000);
      // A free lock cannot be taken while its slot is on its way: that is asked until it has arrived.
      const obtaining = locker.obtain(`{the moving one} b`, 60_000);
      await move.finish();
      await lock.refresh(); // Answered MOVED.
      expect(await locker.tryObtain("the moving one", 10_000)).toBeNull();
      await lock.release();
      await (await obtaining).release();
    });
  });

  describe("many locks at once", () => {
    beforeEach(async () => {
      for (const node of cluster.nodes) {
        await loadScripts(node, Object.values(scripts));
        await node.command("CONFIG", "RESETSTAT");
      }
    });

    /** How many scripts each node was asked to run. */
    const asked = (): Promise<number[]> =>
      Promise.all(
        cluster.nodes.map(async (node) => {
          const stats = String(await node.command("INFO", "commandstats"));
          return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1] ?? 0);
        }),
      );

    const refused = async (): Promise<string> =>
      (await Promise.all(cluster.nodes.map((node) => node.command("INFO", "errorstats")))).join("");

    test("of one hash tag are two commands, to the node that has them", async () => {
      await withUser(async (user) => {
        await using locker = user.locker();
        const keys = Array.from({ length: 64 }, (_, index) => `{tag}:${index}`);
        const home = cluster.nodeOfSlot(await cluster.slotOf(`${kind.prefix}{tag}`));
        const locks = await Promise.all(keys.map((key) => locker.obtain(key, 10_000)));
        // The first leaves at once.
        expect(await asked()).toEqual(cluster.nodes.map((node) => (node === home ? 2 : 0)));
        await Promise.all(locks.map((lock) => lock.release()));
        expect(await asked()).toEqual(cluster.nodes.map((node) => (node === home ? 4 : 0)));
      });
    });

    test("of several slots are never in one command", async () => {
      await withUser(async (user) => {
        await using locker = user.locker();
        const tags = ["a", "b", "c", "d"];
        const keys = spread.slice(0, 8).flatMap((key) => tags.map((tag) => `{${tag}}${key}`));
        const locks = await Promise.all([...keys, ...spread].map((k) => locker.obtain(k, 10_000)));
        const counts = await asked();
        await Promise.all(locks.map((lock) => lock.release()));
        expect(await refused()).not.toContain("CROSSSLOT");
        const slots = kind.prefix === "" ? 1 + tags.length + spread.length : 2;
        expect(counts.reduce((sum, count) => sum + count)).toBe(slots);
      });
    });

    test("are renewed lock by lock while their slot moves, so that none holds up the others", async () => {
      await withUser(async (user) => {
        await using locker = user.locker({ commandTimeout: 15_000 });
        const keys = spread.slice(0, 8).map((key) => `{on the way}${key}`);
        const locks = await Promise.all(keys.map((key) => locker.obtain(key, 60_000)));
        const gone = `${kind.prefix}${keys[4]}`;
        const slot = await cluster.slotOf(gone);
        const from = cluster.nodeOfSlot(slot);
        const to = (cluster.nodes.indexOf(from) + 1) % 3;
        const move = await cluster.beginMove(slot, to);
        const port = String(cluster.nodes[to]?.port);
        await from.command("MIGRATE", "127.0.0.1", port, gone, "0", "5000");
        const refreshed = locks.map((lock) => lock.refresh());
        await Promise.all(refreshed.filter((_, index) => index !== 4));
        await move.migrateKeys();
        await move.finish();
        await refreshed[4];
        await Promise.all(locks.map((lock) => lock.release()));
      });
    });
  });

  test("a slot that nobody serves is waited for", async () => {
    const slot = await cluster.slotOf(`${kind.prefix}lonely`);
    const owner = cluster.nodeOfSlot(slot);
    for (const node of cluster.nodes) {
      await node.command("CONFIG", "SET", "cluster-require-full-coverage", "no");
    }
    await withUser(async (user) => {
      await using locker = user.locker({ commandTimeout: 15_000 });
      const lock = await locker.obtain("lonely", 60_000);
      await owner.command("CONFIG", "RESETSTAT");
      for (const node of cluster.nodes) await node.command("CLUSTER", "DELSLOTS", String(slot));
      const refreshing = lock.refresh();
      const refused = async (): Promise<boolean> =>
        String(await owner.command("INFO", "errorstats")).includes("errorstat_CLUSTERDOWN");
      await waitUntil(refused, { what: "a CLUSTERDOWN" });
      await owner.command("CLUSTER", "ADDSLOTS", String(slot));
      await refreshing;
      expect(lock.held).toBe(true);
      await lock.release();
    });
  });
});

test("a node that crashes and is back without its data has lost its locks, and no other has", async () => {
  const users = await Promise.all(clusterKinds.map((kind) => kind.connect(port)));
  const lockers = users.map((user) => user.locker());
  const lost = cluster.nodes[2];
  const locks = await Promise.all(
    lockers.flatMap((locker, index) =>
      [0, 1, 2].map((n) => locker.obtain(`{${n}} of ${index}`, 15_000, { renew: true })),
    ),
  );
  const owners = await Promise.all(
    locks.map(async ({ key }, index) => {
      const prefix = clusterKinds[Math.floor(index / 3)]?.prefix ?? "";
      return cluster.nodeOfSlot(await cluster.slotOf(`${prefix}${key}`));
    }),
  );
  await lost?.crash();
  await lost?.restart();
  await cluster.untilServing();
  for (const [index, { signal }] of locks.entries()) {
    if (owners[index] !== lost) continue;
    if (!signal.aborted) await once(signal, "abort");
    expect(signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
  }
  for (const [index, lock] of locks.entries()) {
    if (owners[index] === lost) continue;
    await lock.refresh();
    expect(lock.held).toBe(true);
  }
  await Promise.all(lockers.map((locker) => locker.close()));
  for (const user of users) user.destroy();
});
