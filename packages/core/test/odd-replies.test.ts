/** What no script can have replied is believed by nobody: the outcome is unknown, and no lease moves. */
import { describe, expect, test } from "@jest/globals";
import { VirtualClock, failure, seededRandom } from "@redislock/test-kit";

import {
  Locker,
  OutcomeUnknownError,
  type Lock,
  type LockEvent,
  type RedisClient,
  type Reply,
} from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, client } = await startRedis();

const TTL = 60_000;

/** A client that replies what it is told to, as long as it is told something. */
class OddClient implements RedisClient {
  odd: ((script: string, reply: Reply) => Reply) | undefined;
  readonly #inner: RedisClient = client();

  async run(...command: Parameters<RedisClient["run"]>): Promise<Reply> {
    const reply = await this.#inner.run(...command);
    return this.odd ? this.odd(command[0].name, reply) : reply;
  }
}

const NEVER: readonly Reply[] = [
  "QUEUED",
  "OK",
  null,
  "",
  [],
  [[]],
  [null],
  "-2",
  "2",
  "01",
  "1.5",
  "1e3",
  " 1",
  "NaN",
  "9007199254740993",
  "99999999999999999999",
  "0x10",
  ["1", "1", "1", "1", "1", "1", "1"],
  ["x", null, null],
  ["-5", null, null],
  ["100", "x", "m"],
  ["100", "1", ["m"]],
  [null, "1", "m"],
  ["100", "0", "1"],
];

/** Replies that these scripts do give. */
const POSSIBLE: Readonly<Record<string, readonly Reply[]>> = {
  obtain: ["2"],
  ttl: ["2"],
};

function oddFor(script: string): readonly Reply[] {
  const possible = POSSIBLE[script]?.map((reply) => JSON.stringify(reply)) ?? [];
  return NEVER.filter((reply) => !possible.includes(JSON.stringify(reply)));
}

async function held(one: Locker): Promise<Lock> {
  return one.obtain("k", TTL, { metadata: "m" });
}

describe.each([
  ["obtain", (one: Locker) => one.obtain("k", TTL)],
  ["obtain", (one: Locker) => one.tryObtain("k", TTL)],
  ["obtain", (one: Locker) => one.obtain(["k", "l"], TTL, { metadata: "m" })],
  ["obtain", (one: Locker) => one.using("k", TTL, () => "done")],
  ["inspect", (one: Locker) => one.inspect("k")],
  ["forceRelease", (one: Locker) => one.forceRelease("k")],
] as const)("%s", (script, call) => {
  test.each(oddFor(script).map((reply) => [reply]))("replied %j: unknown", async (reply) => {
    const odd = new OddClient();
    const one = new Locker(odd);
    odd.odd = (name, real) => (name === script ? reply : real);
    const error = await failure(call(one));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ operation: script, cause: { name: "UnexpectedReplyError" } });
  });
});

describe.each([
  ["refresh", (lock: Lock) => lock.refresh(2 * TTL)],
  ["release", (lock: Lock) => lock.release()],
  ["ttl", (lock: Lock) => lock.ttl()],
] as const)("%s", (script, call) => {
  test.each(oddFor(script).map((reply) => [reply]))("replied %j: unknown", async (reply) => {
    const odd = new OddClient();
    const one = new Locker(odd, { clock: new VirtualClock() });
    const lock = await held(one);
    const { remaining } = lock;
    odd.odd = (name, real) => (name === script ? reply : real);
    const error = await failure(call(lock));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ operation: script, cause: { name: "UnexpectedReplyError" } });
    if (script !== "release") expect(lock.remaining).toBe(remaining);
    odd.odd = undefined;
    await lock.release().catch(() => undefined);
  });
});

test("what an obtain took whose reply was odd is given back", async () => {
  const odd = new OddClient();
  odd.odd = (name, real) => (name === "obtain" ? "QUEUED" : real);
  const given = new Promise<LockEvent>((resolve) => {
    const one = new Locker(odd, { onEvent: resolve });
    void failure(one.obtain("k", TTL));
  });
  expect(await given).toEqual({ type: "lateGrantReleased", keys: ["k"] });
  expect(await server.command("EXISTS", "k")).toBe(0);
});

test("a renewal whose reply is odd moves no lease, and is tried again", async () => {
  const clock = new VirtualClock();
  const odd = new OddClient();
  const events: LockEvent[] = [];
  let wake: () => void = () => undefined;
  const one = new Locker(odd, {
    clock,
    onEvent: (event) => {
      events.push(event);
      wake();
    },
  });
  const locks = await Promise.all(["a", "b", "c"].map((k) => one.obtain(k, TTL, { renew: true })));
  for (const reply of [null, "OK", [], ["1", "1"], ["1", "1", "1", "1"]]) {
    const validUntil = clock.now() + (locks[0]?.remaining ?? 0);
    events.length = 0;
    odd.odd = (name, real) => (name === "refreshMany" ? reply : real);
    const failed = new Promise<void>((resolve) => {
      wake = () => events.length >= locks.length && resolve();
    });
    clock.advance(TTL / 3);
    await failed;
    expect(events.map(({ type }) => type)).toEqual(locks.map(() => "renewalFailed"));
    for (const lock of locks) expect(clock.now() + lock.remaining).toBeCloseTo(validUntil, 3);
    events.length = 0;
    odd.odd = undefined;
    const renewed = new Promise<void>((resolve) => {
      wake = () => events.length >= locks.length && resolve();
    });
    clock.advance(TTL / 30 + 10);
    await renewed;
    expect(events.map(({ type }) => type)).toEqual(locks.map(() => "renewed"));
  }
  await Promise.all(locks.map((lock) => lock.release()));
});

test("an odd reply for one lock of a batch is nothing to the others", async () => {
  const clock = new VirtualClock();
  const odd = new OddClient();
  const types = new Map<string, string>();
  const told = new Promise<void>((resolve) => {
    const one = new Locker(odd, {
      clock,
      onEvent: (event) => {
        if (event.type !== "renewed" && event.type !== "renewalFailed") return;
        types.set(event.keys[0] ?? "", event.type);
        if (types.size === 3) resolve();
      },
    });
    const obtained = ["a", "b", "c"].map((key) => one.obtain(key, TTL, { renew: true }));
    void Promise.all(obtained).then(() => {
      odd.odd = (name, real) => (name === "refreshMany" ? ["1", "2", "1"] : real);
      clock.advance(TTL / 3);
    });
  });
  await told;
  expect(Object.fromEntries(types)).toEqual({ a: "renewed", b: "renewalFailed", c: "renewed" });
});

test("a batch whose reply has another number of answers is unknown to all of it", async () => {
  const keys = ["a", "b", "c", "d"];
  for (const cut of [
    (reply: readonly Reply[]) => reply.slice(1),
    (reply: readonly Reply[]) => [...reply, "1"],
    () => [],
  ]) {
    const odd = new OddClient();
    const one = new Locker(odd);
    odd.odd = (name, real) =>
      name === "obtainMany" && typeof real === "object" ? cut(real ?? []) : real;
    const [first, ...others] = await Promise.allSettled(keys.map((key) => one.obtain(key, TTL)));
    expect(first?.status).toBe("fulfilled");
    for (const other of others) {
      expect(other).toMatchObject({
        reason: { code: "UNKNOWN", cause: { name: "UnexpectedReplyError" } },
      });
    }
    await one.close();
    await server.command("FLUSHALL");
  }
});

test("a waiter that is answered oddly keeps asking, and has the lock in its turn", async () => {
  const odd = new OddClient();
  const one = new Locker(odd);
  const other = await new Locker(client()).obtain("k", TTL);
  let asked = 0;
  odd.odd = (name, real) => (name === "obtain" && ++asked % 2 === 1 ? ["5", "1"] : real);
  const waiting = one.obtain("k", TTL, { wait: TTL });
  while (asked < 4) await new Promise((resolve) => setImmediate(resolve));
  await other.release();
  const lock = await waiting;
  expect(await server.command("GET", "k")).toBe(lock.token);
  odd.odd = undefined;
  await lock.release();
  await one.close();
});

/** Replies as they come, with one thing changed. */
function mutated(reply: Reply, random: (below: number) => number): Reply {
  if (typeof reply === "object" && reply !== null && reply.length > 0 && random(3) > 0) {
    const at = random(reply.length);
    return reply.map((part, index) => (index === at ? mutated(part, random) : part));
  }
  return NEVER[random(NEVER.length)] ?? null;
}

test("no lock is held that Redis does not know of, whatever the replies are turned into", async () => {
  const random = seededRandom(11);
  for (let round = 0; round < 300; round++) {
    const odd = new OddClient();
    const one = new Locker(odd, { commandTimeout: 500 });
    const another = random(2) === 0 ? await new Locker(client()).obtain("k", TTL) : undefined;
    odd.odd = (_, real) => (random(3) === 0 ? mutated(real, random) : real);
    const [outcome] = await Promise.allSettled([one.tryObtain("k", TTL)]);
    // A "2" is a fencing token as good as any: only then may a lock be told that is another's.
    if (outcome?.status === "rejected") {
      expect(outcome.reason).toBeInstanceOf(OutcomeUnknownError);
    } else if (outcome?.value && outcome.value.fencingToken !== 2) {
      expect(another).toBeUndefined();
      expect(await server.command("GET", "k")).toBe(outcome.value.token);
    }
    odd.odd = undefined;
    await one.close();
    await server.command("FLUSHALL");
  }
});
