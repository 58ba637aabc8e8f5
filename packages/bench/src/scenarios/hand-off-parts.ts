/** What a hand-off after a pause is made of. */
import { setTimeout as sleep } from "node:timers/promises";

import type { RedisServer } from "@redislock/test-kit";

import { type Bench, ROUNDS } from "../bench.js";
import { bareLines, floors, ours } from "../contenders.js";
import { Crew } from "../crew.js";
import { type Figure, valueOf } from "../figures.js";
import { measureFor, Samples } from "../samples.js";
import type { Contender } from "../session.js";
import { median, rotated } from "../statistics.js";
import { COLD } from "./free-key.js";

const contenders = [...ours, ...floors, ...bareLines];

const names = ["before", "redis", "way", "after"] as const;

type Part = (typeof names)[number];

const parts: Readonly<Record<Part, string>> = {
  before: "JavaScript from the call of release to its command",
  redis: "Redis, in the command",
  way: "the way to Redis, and to the process that waits",
  after: "JavaScript from the message to the lock",
};

/** In milliseconds. */
type HandOff = Readonly<Record<Part | "whole", number>>;

/** Milliseconds after which the waiter is in line. */
const IN_LINE = 20;

export async function handOffParts(bench: Bench): Promise<Figure[]> {
  const samples = {
    before: new Samples(),
    redis: new Samples(),
    way: new Samples(),
    after: new Samples(),
  };
  const rounds = bench.quick ? 1 : ROUNDS;
  // Processes of their own: no other measurement is to pay for how these are looked at.
  const crew = new Crew(2);
  try {
    for (let round = 0; round < rounds; round++) {
      const found = new Map<Contender, HandOff>();
      for (const contender of rotated(contenders, round)) {
        found.set(contender, await handOffOf(bench, crew, contender));
      }
      for (const [contender, handOff] of found) {
        const whole = found.get(measureFor(contender.client, floors))?.whole ?? NaN;
        for (const name of names) samples[name].add(contender, handOff[name] / whole);
      }
    }
  } finally {
    await crew.end();
  }
  return names.map((name) => ({
    id: `hand-off-part-${name}`,
    title: `Hand-off after a pause, of which: ${parts[name]}`,
    better: "lower",
    unit: "×",
    aside: true,
    method:
      `median, once every ${COLD} ms, over the time of a whole bare PUBLISH and its message; ` +
      "by the processes' sockets and the counters of Redis",
    values: contenders.map((contender) => valueOf(contender, samples[name].of(contender))),
  }));
}

/** The medians of several. */
async function handOffOf(
  { server, quick }: Bench,
  { first, second }: Crew,
  contender: Contender,
): Promise<HandOff> {
  const where = { contender: contender.name, port: server.port, key: "parts", ttl: 10_000 };
  for (const worker of [first, second]) {
    await worker.open(where);
    await worker.watch(where);
  }
  await first.take(where);
  let [holder, waiter] = [first, second];
  const took: HandOff[] = [];
  for (let time = 0; time < (quick ? 2 : 16); time++) {
    const granting = waiter.waitFor(where);
    await sleep(IN_LINE);
    await server.command("CONFIG", "RESETSTAT");
    await sleep(COLD - IN_LINE);
    const released = await holder.release(where);
    const granted = await granting; // Before the waiter is asked: it would read that, too.
    const [sent, heard] = [await holder.sent(where), await waiter.heard(where)];
    const redis = await timeInRedis(server);
    const [before, after] = [sent - released, granted - heard];
    took.push({ before, redis, way: heard - sent - redis, after, whole: granted - released });
    [holder, waiter] = [waiter, holder];
  }
  await holder.release(where);
  const counted = took.slice(quick ? 0 : 2); // The first ones pay for the subscription.
  const of = (name: keyof HandOff): number => median(counted.map((one) => one[name]));
  const [before, redis, way, after] = [of("before"), of("redis"), of("way"), of("after")];
  return { before, redis, way, after, whole: of("whole") };
}

/** Milliseconds that Redis has spent in scripts since its counters were reset; without any, in PUBLISH. */
async function timeInRedis(server: RedisServer): Promise<number> {
  const stats = String(await server.command("INFO", "commandstats"));
  const spent = (command: string): number =>
    Number(new RegExp(`cmdstat_${command}:calls=\\d+,usec=(\\d+)`).exec(stats)?.[1] ?? 0) / 1_000;
  return spent("evalsha") + spent("eval") || spent("publish");
}
