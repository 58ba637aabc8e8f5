/** Many loops in several processes that want the same lock, over and over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RedisServer } from "@redislock/test-kit";
import type { Bench } from "../bench.js";
import { risingFences, violations } from "../exclusion.js";
import type { Loop, Where } from "../jobs.js";
import type { Contender, Kind } from "../session.js";
import { sharedNow } from "../shared-clock.js";
import { fairness, sum } from "../statistics.js";

/** Milliseconds for which each holds the lock. */
export const WORK = 1;

/** Milliseconds before counting begins: to get in line, and to get warm. */
const WARM_UP = 400;
const QUICK_WARM_UP = 100;

/** Milliseconds after the end for all who still wait to be served, if they can be so quickly. */
const DRAIN = 200;

/** Where the lock is, and for how long at the most. */
export interface Place {
  /** Default: at the bench's one server. */
  readonly servers?: readonly RedisServer[] | undefined;
  /** Milliseconds. Default: longer than anything takes. */
  readonly ttl?: number | undefined;
}

export interface Setting extends Place {
  /** How many loops there are in all processes together. */
  readonly loops: number;
  /** Milliseconds for which is counted. */
  readonly window: number;
  readonly kind?: Kind;
}

/** What the loops of one process do. */
export interface Part {
  readonly loops: number;
  /** Milliseconds for which each holds the lock. */
  readonly work: number;
  readonly kind?: Kind | undefined;
}

/** When counting began and ended, and what the loops of each process did. */
export interface Race {
  readonly from: number;
  readonly until: number;
  readonly done: readonly (readonly Loop[])[];
}

export interface Outcome {
  readonly sections: number;
  /** Critical sections in a second. */
  readonly rate: number;
  /** The part of the grants whose fencing token is above all before. */
  readonly fenced: number;
  /** Jain's index of the sections that each loop had. */
  readonly fairness: number;
  /** The part of the loops that had none at all. */
  readonly starved: number;
  /** The longest that any loop waited, over the time in which a fair line serves everyone once. */
  readonly longestWait: number;
  /** The same in milliseconds. */
  readonly longestWaitTime: number;
}

type OnWindow = (edge: "begins" | "ends") => void;

/** @param onWindow - Is told when counting begins, and when it ends. */
export async function contend(
  bench: Bench,
  contender: Contender,
  { loops, window, kind, ...place }: Setting,
  onWindow?: OnWindow,
): Promise<Outcome> {
  const size = bench.crew.all.length;
  const part = (index: number): Part => ({
    loops: Math.floor((loops + index) / size),
    work: WORK,
    kind,
  });
  const { done, from, until } = await race(bench, contender, window, part, onWindow, place);
  return outcome(done.flat(), from, until);
}

/** @param partOf - What the process of that index does. */
export async function race(
  { server, crew, quick, violations: found }: Bench,
  contender: Contender,
  window: number,
  partOf: (index: number) => Part,
  onWindow: OnWindow = () => undefined,
  { servers = [server], ttl = 60_000 }: Place = {},
): Promise<Race> {
  const where = { ...whereOf(contender, servers), key: "contended", ttl };
  await Promise.all(servers.map((one) => one.command("FLUSHALL")));
  const workers = crew.all;
  await Promise.all(workers.map((worker) => worker.open(where)));
  const from = sharedNow() + (quick ? QUICK_WARM_UP : WARM_UP);
  const until = from + window;
  const working = workers.map((worker, index) => {
    return worker.contend({ ...where, ...partOf(index), until, giveUp: until + DRAIN });
  });
  await sleep(from - sharedNow());
  onWindow("begins");
  await sleep(until - sharedNow());
  onWindow("ends");
  const done = await Promise.all(working);
  // They would wait on for minutes, and take what the next ones want.
  if (done.flat().some(({ stuck }) => stuck)) await crew.renew();
  const broken = violations(done.flat().flatMap(({ sections }) => sections));
  found.push(...broken.map((violation) => `${contender.name}: ${violation}`));
  return { from, until, done };
}

/** What a contender's session at these servers is known by. */
export function whereOf({ name }: Contender, servers: readonly RedisServer[]): Where {
  const [port = NaN, ...others] = servers.map((server) => server.port);
  return { contender: name, port, others: others.length > 0 ? others : undefined };
}

function outcome(loops: readonly Loop[], from: number, until: number): Outcome {
  const shares = loops.map(
    ({ sections }) => sections.filter(({ granted }) => granted >= from && granted < until).length,
  );
  const sections = sum(shares);
  const mean = (until - from) / sections;
  const waits = loops.map((loop) => longestWait(loop, from, until));
  return {
    sections,
    rate: 1_000 / mean,
    fenced: risingFences(loops.flatMap((loop) => loop.sections)),
    fairness: sections === 0 ? 0 : fairness(shares),
    starved: shares.filter((share) => share === 0).length / shares.length,
    longestWait: Math.max(...waits) / (loops.length * mean),
    longestWaitTime: Math.max(...waits),
  };
}

/** Of the waits that went on in the window; one that did not end in it, for as long as it had lasted. */
export function longestWait({ sections, pendingSince }: Loop, from: number, until: number): number {
  const waits = sections
    .filter(({ granted }) => granted >= from)
    .map(({ asked, granted }) => granted - asked);
  if (pendingSince !== undefined) waits.push(until - pendingSince);
  return Math.max(0, ...waits);
}
