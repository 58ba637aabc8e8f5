/**
 * Locks of all kinds on one key, held, waited for, refreshed, dropped and released at random by several
 * clients, whose commands are lost, doubled and late. Whoever believes to hold it is compared with all
 * others who do.
 */
import { expect, test } from "@jest/globals";
import { seededRandom, waitUntil } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import { type Lock, Locker, type ObtainOptions } from "../src/index.js";
import type { RedisClient } from "../src/index.js";
import { startRedis } from "./redis.js";

const { server, client } = await startRedis();

const { MIXED_SEED, MIXED_STEPS } = process.env;
const SEED = Number(MIXED_SEED ?? Math.floor(Math.random() * 2 ** 31));
const STEPS = Number(MIXED_STEPS ?? 20);

type Random = () => number;

/** A client whose commands come to harm, now and then. */
function troubled(inner: RedisClient, random: Random): RedisClient {
  return {
    ...(inner.subscribe && { subscribe: inner.subscribe.bind(inner) }),
    async run(script, keys, args) {
      const chance = random();
      const copy = (): void => void inner.run(script, keys, args).catch(() => undefined);
      if (chance < 0.02) setTimeout(copy, 300 * random());
      if (chance > 0.04 && chance < 0.06) copy();
      if (chance > 0.98) await sleep(200 * random());
      const reply = await inner.run(script, keys, args);
      if (chance > 0.02 && chance < 0.04) throw new Error("connection lost");
      return reply;
    },
  };
}

interface Kind {
  readonly options: ObtainOptions;
  readonly permits: number;
  readonly limit: number;
}

const ALONE: Kind = { options: {}, permits: 0, limit: 0 };
const KINDS: readonly Kind[] = [
  ALONE,
  { options: { mode: "shared" }, permits: 1, limit: Infinity },
  { options: { mode: "shared" }, permits: 1, limit: Infinity },
  { options: { limit: 3 }, permits: 1, limit: 3 },
  { options: { limit: 3, permits: 2 }, permits: 2, limit: 3 },
  { options: { limit: 2, permits: 2 }, permits: 2, limit: 2 },
];

/** All who believe to hold the lock, and what is wrong with that. */
class Witness {
  readonly faults: string[] = [];
  grants = 0;
  together = 0;
  readonly #held = new Map<Lock, Kind>();
  #lastAlone = 0;
  #lastShared = 0;

  obtained(lock: Lock, kind: Kind): void {
    for (const one of this.#held.keys()) if (!one.held) this.#held.delete(one);
    this.grants++;
    if (this.#held.size > 0) this.together++;
    const others = [...this.#held];
    const fences = others.map(([other]) => other.fencingToken);
    // The last of those with this limit or a lower one who came in saw all the others.
    const bound = others.filter(([, other]) => other.limit <= kind.limit);
    const out = bound.reduce((sum, [, { permits }]) => sum + permits, 0);
    if (kind.limit === 0 && others.length > 0) this.#fault("alone beside others", lock);
    if (others.some(([, other]) => other.limit === 0)) this.#fault("beside one alone", lock);
    if (kind.limit > 0 && out + kind.permits > kind.limit) this.#fault("one permit too many", lock);
    if (fences.some((fence) => fence !== lock.fencingToken)) this.#fault("another phase", lock);
    const { fencingToken: fence } = lock;
    const last = Math.max(this.#lastAlone, this.#lastShared);
    const fresh = kind.limit > 0 && fence === this.#lastShared && fence > this.#lastAlone;
    if (fence <= last && !fresh) this.#fault("a fencing token that does not rise", lock);
    if (kind.limit === 0) this.#lastAlone = fence;
    else this.#lastShared = fence;
    this.#held.set(lock, kind);
  }

  #fault(what: string, lock: Lock): void {
    this.faults.push(`${what}: ${lock.mode} ${lock.fencingToken}`);
  }
}

async function work(locker: Locker, random: Random, witness: Witness): Promise<void> {
  for (let step = 0; step < STEPS; step++) {
    const kind = KINDS[Math.floor(random() * KINDS.length)] ?? ALONE;
    const ttl = 300 + Math.floor(700 * random());
    const options = { ...kind.options, ...(random() < 0.8 && { wait: 500 + 2_000 * random() }) };
    const lock = await locker.tryObtain("k", ttl, options).catch(() => null);
    if (!lock) {
      await sleep(5);
      continue;
    }
    witness.obtained(lock, kind);
    if (random() < 0.5) await sleep(10 * random());
    if (random() < 0.3)
      await lock.refresh(200 + Math.floor(1_000 * random())).catch(() => undefined);
    // Some are dropped: their lease has to end.
    if (random() < 0.9) await lock.release().catch(() => undefined);
  }
}

test.each([SEED])(
  "nobody holds beside whom they may not (MIXED_SEED=%d)",
  async () => {
    const witness = new Witness();
    const lockers = Array.from({ length: 8 }, (_, n) => {
      const next = seededRandom(SEED + n);
      const random = (): number => next(2 ** 30) / 2 ** 30;
      return { random, locker: new Locker(troubled(client(), random), { commandTimeout: 500 }) };
    });
    await Promise.all(lockers.map(({ locker, random }) => work(locker, random, witness)));
    expect(witness.faults).toEqual([]);
    expect(witness.grants).toBeGreaterThan(50);
    expect(witness.together).toBeGreaterThan(10);
    // Nothing is left of all of them but the fence.
    await waitUntil(async () => (await server.command("EXISTS", "k")) === 0, {
      what: "the last end",
    });
    await Promise.all(lockers.map(({ locker }) => locker.close()));
  },
  Math.max(60_000, STEPS * 2_000),
);
