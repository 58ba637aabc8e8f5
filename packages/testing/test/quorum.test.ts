/** What a quorum promises, where clocks are apart: on servers in memory, whose time is moved by hand. */
import { expect, test } from "@jest/globals";
import type { Clock } from "@redislock/core";
import { QuorumLocker } from "@redislock/core/quorum";
import { failure, seededRandom } from "@redislock/test-kit";

import { ManualClock, memoryClient, MemoryServer } from "../src/index.js";

/** How many grants; more of them in REDISLOCK_GRANTS. */
const GRANTS = Number(process.env["REDISLOCK_GRANTS"] ?? 3_000);
const TTL = 10_000;

/** Time that goes on when it is told to, and no timer ever rings. */
class Steps implements Clock {
  ms = 0;
  now(): number {
    return this.ms;
  }
  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}

test.each([3, 5])(
  "fencing tokens of %d servers rise, whatever their clocks say, and whichever majority answers",
  async (count) => {
    const next = seededRandom(7);
    const random = (): number => next(1_000_000) / 1_000_000;
    const clock = new Steps();
    const servers = Array.from({ length: count }, () => new MemoryServer({ clock }));
    for (const server of servers) server.moveClock(Math.round(random() * 100 - 50));
    const clients = Array.from({ length: 4 }, () => servers.map((server) => memoryClient(server)));
    const lockers = clients.map((own) => new QuorumLocker(own, { clock, maxTtl: TTL }));
    const most = count - Math.floor(count / 2) - 1;
    let last = 0;
    for (let grant = 0; grant < GRANTS; grant++) {
      clock.ms += random() * 4;
      const who = Math.floor(random() * lockers.length);
      // A minority refuses this one.
      const order = servers.map((_, index) => index).sort(() => random() - 0.5);
      const deaf = new Set(order.slice(0, Math.floor(random() * (most + 1))));
      for (const [index, client] of (clients[who] ?? []).entries()) {
        if (deaf.has(index)) client.refuseNext("NOPERM not this time");
      }
      const lock = await lockers[who]?.obtain("k", TTL);
      expect(lock?.fencingToken).toBeGreaterThan(last);
      last = lock?.fencingToken ?? Infinity;
      await lock?.release();
    }
  },
  600_000,
);

test("a lock is proved for as long as a majority of the servers keeps it, not the last that was asked", async () => {
  const clock = new ManualClock();
  const clients = Array.from({ length: 3 }, () => memoryClient(new MemoryServer({ clock })));
  const locker = new QuorumLocker(clients, { clock, maxTtl: TTL });
  await locker.using("known", TTL, () => undefined);
  // Of one server the command is lost, and sent again 10 ms later; another is silent.
  clients[0]?.loseNextRequest();
  clients[2]?.silence();
  const obtaining = locker.obtain("k", TTL);
  await clock.advance(10);
  const lock = await obtaining;
  expect(lock.remaining).toBe(TTL - TTL / 100 - 2 - 10);
  clients[0]?.loseNextRequest();
  const refreshing = lock.refresh();
  await clock.advance(10);
  await refreshing;
  expect(lock.remaining).toBe(TTL - TTL / 100 - 2 - 10);
});

test("a command that cannot wait any longer does not have the servers passed over", async () => {
  const clock = new ManualClock();
  const clients = Array.from({ length: 3 }, () => memoryClient(new MemoryServer({ clock })));
  const locker = new QuorumLocker(clients, { clock, maxTtl: TTL });
  await locker.using("known", TTL, () => undefined);
  const [short, long] = [await locker.obtain("short", 100), await locker.obtain("long", TTL)];
  await clock.advance(95);
  for (const client of clients) client.silence();
  const lost = failure(short.refresh());
  const refreshing = long.refresh();
  // The lease of one of them is over. The servers were asked 3 ms ago.
  await clock.advance(3);
  expect(await lost).toMatchObject({ code: "UNKNOWN" });
  for (const client of clients) client.speak();
  await refreshing;
  expect(long.remaining).toBe(TTL - TTL / 100 - 2 - 3);
});
