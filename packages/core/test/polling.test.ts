import { expect, test } from "@jest/globals";
import { VirtualClock, failure } from "@redislock/test-kit";

import {
  limitRetry,
  linearBackoff,
  noRetry,
  NotObtainedError,
  type RetryStrategy,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, proxy, locker, asked } = await startRedis();

/** So many questions have been sent. */
async function questions(count: number): Promise<void> {
  await proxy.commands.waitFor("EVALSHA", { count });
}

test("an obtain that polls gets the lock once it is free", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const obtaining = locker().obtain("k", 60_000, { retry: linearBackoff(5) });
  await questions(3);
  await server.command("DEL", "k");
  const lock = await obtaining;
  expect(await server.command("GET", "k")).toBe(lock.token);
});

test("it tries as often as its strategy says", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const error = await failure(
    locker().obtain("k", 60_000, { retry: limitRetry(linearBackoff(2), 4) }),
  );
  expect(error).toBeInstanceOf(NotObtainedError);
  expect(error).toMatchObject({ attempts: 5 });
  expect(asked()).toEqual(Array.from({ length: 5 }, () => "obtain"));
});

test("one strategy shared by many obtains does not run out", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const one = locker();
  const retry = limitRetry(linearBackoff(2), 3);
  const errors = await Promise.all(
    Array.from({ length: 20 }, () => failure(one.obtain("k", 60_000, { retry }))),
  );
  expect(errors).toEqual(errors.map(() => expect.objectContaining({ attempts: 4 })));
});

test("between two tries passes the time that the strategy says", async () => {
  const clock = new VirtualClock();
  await server.command("SET", "k", "another's", "PX", "60000");
  const delays = [30, 50];
  const seen: number[] = [];
  const retry = (tries: number): number => {
    seen.push(tries);
    return delays[tries - 1] ?? 0;
  };
  const failed = failure(locker({ clock }).obtain("k", 60_000, { retry }));
  const passed: number[] = [];
  for (const count of [2, 3]) {
    // A turn of the event loop for each millisecond, or a few while the answer is on its way.
    while (proxy.commands.count("EVALSHA") < count) {
      clock.advance(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    passed.push(clock.now());
  }
  await failed;
  expect(passed[0]).toBeGreaterThanOrEqual(30);
  expect((passed[1] ?? 0) - (passed[0] ?? 0)).toBeGreaterThanOrEqual(50);
  expect(seen).toEqual([1, 1, 2, 3]); // The first time to see that it gives delays at all.
});

test("without a deadline of its own it gives up after the ttl", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const started = performance.now();
  const error = await failure(locker().obtain("k", 200, { retry: linearBackoff(20) }));
  expect(error).toBeInstanceOf(NotObtainedError);
  // The last try that fits into the ttl may be one delay before its end.
  expect(performance.now() - started).toBeGreaterThanOrEqual(180 - 20);
  expect(error).toMatchObject({ holder: { remaining: expect.any(Number) } });
});

test("the delay that would end after the ttl is not waited for", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const clock = new VirtualClock();
  const error = await failure(locker({ clock }).obtain("k", 200, { retry: () => 200 }));
  expect(error).toMatchObject({ code: "NOT_OBTAINED", attempts: 1, waited: 0 });
});

test("a last question that is answered after the ttl is answered all the same", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const clock = new VirtualClock();
  let delays = 0;
  let retry: RetryStrategy = noRetry;
  const delayed = new Promise<void>((resolve) => {
    retry = () => {
      // Asked for one when checked, and for the next after the first answer.
      if (++delays === 2) setImmediate(resolve);
      return 199;
    };
  });
  const failed = failure(locker({ clock }).obtain("k", 200, { retry }));
  await delayed;
  const late = proxy.silenceReplies();
  clock.advance(199);
  await late.happened;
  clock.advance(1);
  proxy.speak({ deliver: true });
  expect(await failed).toBeInstanceOf(NotObtainedError);
});

test("a signal is the deadline instead of the ttl", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const control = new AbortController();
  const obtaining = locker().obtain("k", 100, {
    retry: linearBackoff(20),
    signal: control.signal,
  });
  await questions(10);
  await server.command("DEL", "k");
  await obtaining;
});

test("a strategy that goes wrong later ends the obtain, and nothing is left", async () => {
  await server.command("SET", "k", "another's", "PX", "60000");
  const error = await failure(
    locker().obtain("k", 60_000, { retry: (tries) => (tries < 3 ? 1 : -1) }),
  );
  expect(error).toBeInstanceOf(RangeError);
  expect(String(error)).toMatch(/retry/);
  expect(await server.command("KEYS", "*")).toEqual(["k"]);
});
