/** The engine knows no kind of lock: a second one, with scripts of its own, is all that a new kind needs. */
import { expect, test } from "@jest/globals";
import { failure, waitUntil } from "@redislock/test-kit";
import { createHash } from "node:crypto";

import { Engine, type Manner } from "../src/acquire/engine.js";
import { isolated, type LockEventListener } from "../src/events.js";
import { detailed, NotObtainedError, type Lock } from "../src/index.js";
import type { Asked, Claim, Leftover, Verdict } from "../src/primitives/primitive.js";
import type { RedisClient, Reply, Script } from "../src/redis/client.js";
import type { Command } from "../src/redis/command.js";
import { systemClock } from "../src/time/clock.js";
import { startRedis } from "./redis.js";

const { server, proxy, client } = await startRedis();

const TTL = 10_000;

function script(name: string, source: string): Script {
  return { name, source, sha1: createHash("sha1").update(source).digest("hex") };
}

/** KEYS: the set of holders, by the end of their lease. ARGV: member, ttl, how many there may be. */
const take = script(
  "takePermit",
  `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local mine = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not mine and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('INCR', KEYS[1] .. ':fence')`,
);
const drop = script("dropPermit", "return redis.call('ZREM', KEYS[1], ARGV[1])");
const extend = script(
  "extendPermit",
  `if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
);

/** A semaphore without a line: so many holders at once. */
class Permit implements Claim {
  readonly keys: readonly string[];
  readonly names: readonly string[];
  readonly ttl: number = TTL;
  readonly token: string = `permit-${Math.random()}`;
  readonly metadata: string = "";
  readonly #limit: number;

  constructor(key: string, limit: number) {
    this.keys = [key];
    this.names = [key];
    this.#limit = limit;
  }

  obtain(): Command<Asked> {
    return this.#command(take, [String(this.ttl), String(this.#limit)], (reply) =>
      reply === "0"
        ? { kind: "taken", holder: undefined }
        : { kind: "granted", fencingToken: Number(reply) },
    );
  }

  standInLine(): Command<Asked> {
    return this.obtain();
  }

  leave(): Command<Leftover> {
    return this.#command(drop, [], (reply) => ({
      holder: undefined,
      position: undefined,
      owned: reply === "1",
      unserved: false,
    }));
  }

  release(): Command<Verdict> {
    return this.#command(drop, [], (reply) => (reply === "1" ? "ours" : "deleted"));
  }

  refresh(_: number, ttl: number): Command<Verdict> {
    return this.#command(extend, [String(ttl)], (reply) => (reply === "1" ? "ours" : "deleted"));
  }

  timeLeft(): Command<number | "deleted"> {
    return this.#command(extend, [String(this.ttl)], (reply) =>
      reply === "1" ? this.ttl : "deleted",
    );
  }

  #command<T>(script: Script, args: string[], read: (reply: Reply) => T): Command<T> {
    return { script, keys: this.keys, args: [this.token, ...args], read };
  }
}

const ONCE: Manner = {
  retry: undefined,
  wait: undefined,
  signal: undefined,
  renew: false,
  ownToken: false,
  holdAtLeast: 0,
};

function engineOf(of: RedisClient, onEvent?: LockEventListener): Engine {
  return new Engine(of, systemClock, 2_000, isolated(onEvent));
}

async function held(result: Promise<Lock | NotObtainedError>): Promise<Lock> {
  const lock = await result;
  if (lock instanceof NotObtainedError) throw lock;
  return lock;
}

test("another kind of lock is tried, waited for, held and released by the same engine", async () => {
  const engine = engineOf(client());
  const [a, b] = [new Permit("p", 2), new Permit("p", 2)];
  const first = await held(engine.obtain(a, ONCE));
  const second = await held(engine.obtain(b, ONCE));
  expect(second.fencingToken).toBeGreaterThan(first.fencingToken);
  expect(await engine.obtain(new Permit("p", 2), ONCE)).toBeInstanceOf(NotObtainedError);
  const waiting = held(engine.obtain(new Permit("p", 2), { ...ONCE, wait: TTL }));
  await first.refresh();
  await first.release();
  const third = await waiting;
  expect(await server.command("ZCARD", "p")).toBe(2);
  await Promise.all([second.release(), third.release()]);
  expect(await server.command("EXISTS", "p")).toBe(0);
  expect(await failure(first.release())).toMatchObject({ code: "NOT_HELD" });
  await engine.close();
});

test("of a kind that does not say who has the lock, a listener learns of nobody", async () => {
  let holders: unknown;
  const onEvent = detailed(async (event) => {
    if (event.type === "waiting") holders = await event.holders();
  });
  const engine = engineOf(client(), onEvent);
  const lock = await held(engine.obtain(new Permit("p", 1), ONCE));
  const retry = (tries: number): number => (tries < 2 ? 1 : 0);
  const taken = await engine.obtain(new Permit("p", 1), { ...ONCE, retry });
  expect(taken).toBeInstanceOf(NotObtainedError);
  expect(holders).toEqual([]);
  await lock.release();
  await engine.close();
});

test("what it is granted late goes back, and what it loses is told", async () => {
  const events: string[] = [];
  const engine = engineOf(client(), ({ type }) => events.push(type));
  const control = new AbortController();
  await engine.ask("inspect", "p", new Permit("p", 1).leave()); // It is connected.
  proxy.silence();
  const late = failure(engine.obtain(new Permit("p", 1), { ...ONCE, signal: control.signal }));
  control.abort(new Error("enough"));
  await late;
  await proxy.heal();
  await waitUntil(() => events.includes("lateGrantReleased"), {
    what: "the late grant to go back",
  });
  const lock = await held(engine.obtain(new Permit("p", 1), ONCE));
  await server.command("DEL", "p");
  expect(await failure(lock.refresh())).toMatchObject({ code: "NOT_HELD" });
  expect(lock.signal.reason).toMatchObject({ code: "LOST", reason: "deleted" });
  expect(events).toContain("lost");
  await engine.close();
});
