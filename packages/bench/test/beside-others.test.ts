/**
 * What docs/migrating.md says of running this library and another at the same time, on the same keys:
 * whether their locks exclude each other.
 */
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Locker } from "@redislock/core";
import { createLocker } from "@redislock/ioredis";
import { type RedisServer, startServer, untilInLine, waitUntil } from "@redislock/test-kit";
import type { Redis } from "ioredis";

import { connectIoredis } from "../src/contenders/clients.js";
import { peers, semaphores } from "../src/contenders.js";
import type { Contender, Session } from "../src/session.js";

/** What is put before a key by the libraries that do so. */
const PREFIXES: Readonly<Record<string, string>> = { "redis-semaphore 5.8.0": "mutex:" };

let server: RedisServer;
let redis: Redis;
let locker: Locker;

beforeAll(async () => {
  server = await startServer();
  redis = await connectIoredis(server.port);
  locker = createLocker(redis);
});

afterAll(async () => {
  await locker.close();
  redis.disconnect();
  await server.stop();
});

async function withSession(
  contender: Contender,
  body: (session: Session, name: string) => Promise<void>,
): Promise<void> {
  await redis.flushall();
  const session = await contender.open({ port: server.port, self: 0 });
  try {
    await body(session, `${PREFIXES[contender.name] ?? ""}order:42`);
  } finally {
    await session.close();
  }
}

/** How many commands the server has run. */
async function commandsRun(): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info("stats"))?.[1]);
}

describe.each(peers)("$name", (peer) => {
  test("what it holds, this library finds taken, and does not touch", async () => {
    await withSession(peer, async (session, name) => {
      const theirs = await session.take("order:42", 60_000);
      const value = await redis.get(name);
      expect(value).not.toBeNull();
      expect(await locker.tryObtain(name, 10_000)).toBeNull();
      const { held, holder } = await locker.inspect(name);
      expect([held, holder?.fencingToken, holder?.metadata]).toEqual([1, undefined, undefined]);
      expect(holder?.remaining).toBeGreaterThan(50_000);
      const shared = await locker.tryObtain(name, 10_000, { mode: "shared" });
      expect(shared).toBeNull();
      expect(await redis.get(name)).toBe(value);
      await theirs.release();
      const ours = await locker.tryObtain(name, 10_000);
      expect(ours?.held).toBe(true);
      await ours?.release();
    });
  });

  test("its release is told to nobody: whoever waits has the lock when it asks again", async () => {
    await withSession(peer, async (session, name) => {
      const theirs = await session.take("order:42", 60_000);
      // In line it asks each half of its ttl; with `retry`, as often as that says.
      const inLine = locker.using(name, 1_000, { wait: 30_000 }, () => "in line");
      await untilInLine(server, name, 1);
      await theirs.release();
      expect(await inLine).toBe("in line");
      const again = await session.take("order:42", 60_000);
      const signal = AbortSignal.timeout(30_000);
      const polling = locker.using(name, 1_000, { retry: () => 50, signal }, () => "polling");
      await again.release();
      expect(await polling).toBe("polling");
    });
  });

  test.each([
    ["alone", {}],
    ["with others", { mode: "shared" } as const],
  ])("what this library holds %s, it waits for", async (_, options) => {
    await withSession(peer, async (session, name) => {
      const ours = await locker.obtain(name, 60_000, options);
      let theirs = false;
      const before = await commandsRun();
      const waiting = session.waitFor("order:42", 10_000).then((held) => {
        theirs = true;
        return held;
      });
      // Each look is one command of ours more: by then they have asked, and asked again.
      let looks = 0;
      const hasAsked = async (): Promise<boolean> => {
        looks++;
        return (await commandsRun()) > before + looks + 3;
      };
      await waitUntil(hasAsked, { what: "their second try", timeout: 10_000, interval: 20 });
      expect(theirs).toBe(false);
      expect(ours.held).toBe(true);
      await ours.release();
      await (await waiting).release();
      expect(await locker.inspect(name)).toMatchObject({ held: 0 });
    });
  });
});

test.each(semaphores)(
  "$name: its semaphores and the counted locks of this library do not see each other",
  async (peer) => {
    await withSession(peer, async (session) => {
      const theirs = await session.take("pool", 60_000, { limit: 1 });
      const ours = await locker.tryObtain("pool", 10_000, { limit: 1 });
      expect(ours?.held).toBe(true);
      await ours?.release();
      await theirs.release();
    });
  },
);
