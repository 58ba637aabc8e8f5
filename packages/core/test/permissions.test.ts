import { describe, expect, test } from "@jest/globals";
import { companion, failure, VirtualClock } from "@redislock/test-kit";

import { Locker, type Lock, type LockEvent } from "../src/index.js";
import { startRedis } from "./redis.js";
import type { RespClient } from "./resp-client.js";

const { server, client, asked, untilInLine } = await startRedis();

/** All that a user needs who locks keys that begin with `lock:`, and nothing that it does not. */
const PERMISSIONS = [
  // The keys themselves, and what stands beside them.
  "~lock:*",
  // Where waiters are told that it is their turn.
  "&redislock:inbox:*",
  "+subscribe",
  "+publish",
  // Who of them listens, before a lock is granted to one.
  "+pubsub",
  "+evalsha",
  "+eval",
  "+getrange",
  "+set",
  "+del",
  "+exists",
  "+pexpire",
  "+pttl",
  "+time",
  "+unlink",
  "+hget",
  "+hset",
  "+hdel",
  "+zadd",
  "+zcard",
  "+zpopmin",
  "+zrange",
  "+zrank",
  "+zrem",
  "+zscore",
];

/** A client of a user with these permissions. */
async function clientWith(permissions: readonly string[]): Promise<RespClient> {
  const user = ["app", "reset", "on", ">secret", "resetchannels", "-@all", ...permissions];
  await server.command("ACL", "SETUSER", ...user);
  return client(["AUTH", "app", "secret"]);
}

function obtains(): number {
  return asked().filter((name) => name === "obtain").length;
}

/** Everything that a lock can do, once; rejects with the first thing that goes wrong. */
async function fullCycle(permissions: readonly string[]): Promise<void> {
  await server.command("SCRIPT", "FLUSH");
  // On a clock that stands still, no waiter asks because time has passed: it must be told.
  const clock = new VirtualClock();
  const subscribeFailed = new Promise<never>((_, reject) => {
    onEvent = (event) => {
      if (event.type === "subscribeFailed") reject(event.error);
    };
  });
  subscribeFailed.catch(() => undefined);
  const one = new Locker(await clientWith(permissions), {
    clock,
    namespace: "lock:",
    commandTimeout: 60_000,
    onEvent: (event) => onEvent(event),
  });

  const lock = await one.obtain(["a", "b{x}"], 60_000, { metadata: "m" });
  await lock.refresh();
  await lock.ttl();
  expect(await one.tryObtain("a", 60_000)).toBeNull();

  const waiting = one.obtain("a", 60_000, { wait: Infinity, metadata: "next" });
  await Promise.race([untilInLine("lock:a", 1, "told"), waiting, subscribeFailed]);
  const control = new AbortController();
  const leaving = one.obtain("a", 60_000, { wait: Infinity, signal: control.signal });
  leaving.catch(() => undefined);
  await Promise.race([untilInLine("lock:a", 2, "told"), leaving]);
  control.abort();
  await failure(leaving);
  expect(await one.inspect("a")).toMatchObject({ waiters: 1 });
  expect(await server.command("HLEN", companion("lock:a", "waiters"))).toBe(1);

  // The release hands the lock over: whoever waits need not ask for it.
  const before = obtains();
  await lock.release();
  expect(await server.command("GET", "lock:a")).toMatch(/next$/);
  const next: Lock = await waiting;
  expect(obtains()).toBe(before);
  expect(await one.forceRelease("a")).toBe(true);
  await failure(next.refresh());

  const reader = await one.obtain("a", 60_000, { mode: "shared" });
  await reader.refresh();
  await reader.release();
  await one.close();
}

let onEvent: (event: LockEvent) => void = () => undefined;

test("these permissions are enough for everything that a lock can do", async () => {
  await fullCycle(PERMISSIONS);
});

/** Redis before 6.2 knows no permissions for channels: every user may use them all. */
const isOld = String(await server.command("INFO", "server")).includes("redis_version:6.0.");
const known = PERMISSIONS.filter((permission) => !isOld || !permission.startsWith("&"));

describe("without one of them something fails", () => {
  test.each(known)("%s", async (permission) => {
    const without = PERMISSIONS.filter((other) => other !== permission);
    await failure(fullCycle(without));
  });
});
