/** How tests measure a lease against the key's real end, on any machine, however busy it is. */
import { expect } from "@jest/globals";
import type { Lock } from "@redislock/core";

import type { Scene } from "./scenes.js";

/** When the key really ends, by the wall clock that the server shares with us; NaN if it is gone. */
export async function realEnd({ server, nameInRedis }: Scene): Promise<number> {
  const source = `
    local left, time = redis.call('PTTL', KEYS[1]), redis.call('TIME')
    if left < 0 then return false end
    return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + left)`;
  const end = await server.command("EVAL", source, "1", nameInRedis);
  return end === null ? NaN : Number(end);
}

/** The lock says that it is held for so long only as the key is there for certain. */
export async function expectProof(scene: Scene, lock: Lock): Promise<void> {
  const provenUntil = Date.now() + lock.remaining;
  expect(lock.held).toBe(true);
  expect(await realEnd(scene)).toBeGreaterThanOrEqual(Math.floor(provenUntil));
}

/** What became of a lock that was left to its end. */
export interface End {
  /** The reason of its signal; undefined if it had not aborted in time. */
  readonly reason: unknown;
  /** `held` as the listener of the signal saw it. */
  readonly heldWhenTold: boolean;
  /** When its own lease was over: by the monotonic clock at the earliest and at the latest, and by the wall clock. */
  readonly deadline: number;
  readonly latest: number;
  readonly wallDeadline: number;
  /** Whether the signal aborted before that. */
  readonly early: boolean;
}

/** How much later than at its deadline a holder may be told, in milliseconds. */
const PROMPT = 20;

/** Waits for the end of the lease that the lock has now, and looks what has become of it. */
export async function end(lock: Lock): Promise<End> {
  // Read before the lease is, so that a pause in between makes neither later than it is.
  const [now, wallNow] = [performance.now(), Date.now()];
  const { remaining, signal } = lock;
  const latest = performance.now() + remaining;
  const deadline = now + remaining;
  const wallDeadline = wallNow + remaining;
  let told: { at: number; held: boolean } | undefined;
  signal.addEventListener("abort", () => (told = { at: performance.now(), held: lock.held }));
  await timeIs(latest + PROMPT);
  return {
    reason: told && signal.reason,
    heldWhenTold: told?.held ?? true,
    deadline,
    latest,
    wallDeadline,
    early: told !== undefined && told.at < deadline,
  };
}

/** Whether the promise settles before so many milliseconds have passed from now. */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const inTime = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([inTime, timeIs(performance.now() + ms).then(() => false)]);
}

/**
 * Resolves at that time of the monotonic clock, after every timer that was due by then: so a machine
 * that is busy, which makes all timers late, makes no test fail.
 */
async function timeIs(time: number): Promise<void> {
  while (performance.now() < time) {
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(time - performance.now())));
  }
  await new Promise((resolve) => setImmediate(resolve));
}
