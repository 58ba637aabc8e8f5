/** A lock that a majority of several servers keeps. */
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import {
  connect,
  failure,
  startProxiedServer,
  waitUntil,
  type ProxiedServer,
  type RedisServer,
} from "@redislock/test-kit";

import type { LockEvent } from "../src/index.js";
import { QuorumLocker, type QuorumLockerOptions } from "../src/quorum/index.js";
import { RespClient } from "./resp-client.js";

const TTL = 2_000;
const servers = await Promise.all(Array.from({ length: 3 }, () => startProxiedServer()));
/** The servers vote from their fourth second on. */
const MAX_TTL = 2_000;
const opened: { close(): unknown }[] = [];

beforeAll(() => Promise.all(servers.map(({ server }) => untilOld(server))));

async function untilOld(server: RedisServer): Promise<void> {
  const isOld = async (): Promise<boolean> => {
    const [, seconds] = /uptime_in_seconds:(\d+)/.exec(String(await server.command("INFO"))) ?? [];
    return Number(seconds) > MAX_TTL / 1_000;
  };
  await waitUntil(isOld, { what: "the server to be old enough to vote" });
}

afterEach(async () => {
  for (const { server, proxy } of servers) {
    server.resume();
    await proxy.heal();
  }
  await Promise.all(opened.splice(0).map((one) => one.close()));
  for (const { server, proxy } of servers) {
    await server.command("FLUSHALL");
    proxy.commands.clear();
  }
});

afterAll(() => Promise.all(servers.map((one) => one.stop())));

function client({ proxy }: ProxiedServer): RespClient {
  const one = new RespClient(() => connect(proxy.port));
  opened.push(one);
  return one;
}

/** A locker with clients of its own. */
function locker(options: QuorumLockerOptions = {}): QuorumLocker {
  const one = new QuorumLocker(servers.map(client), { maxTtl: MAX_TTL, ...options });
  opened.push(one);
  return one;
}

test("smoke", async () => {
  const events: LockEvent[] = [];
  const a = locker({ onEvent: (event) => events.push(event) });
  for (let i = 0; i < 3; i++) {
    const at = performance.now();
    const lock = await a.obtain("k", TTL).catch((error: unknown) => {
      console.log(error);
      throw error;
    });
    const mid = performance.now();
    await lock.release();
    console.log(mid - at, performance.now() - mid, lock.fencingToken);
  }
  console.log(events, servers.map(({ proxy }) => proxy.commands.all.length));
  expect(await failure(a.obtain("k", TTL * 2))).toBeInstanceOf(RangeError);
});
