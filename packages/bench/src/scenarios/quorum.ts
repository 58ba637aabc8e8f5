/** Locks that a majority of three or of five servers keeps: alone, with a server hung, and in a crowd. */
import { type RedisServer, startServer, waitUntil } from "@redislock/test-kit";
import { type Bench, ROUNDS } from "../bench.js";
import { ours, quorumPeers, rawsAtOnce } from "../contenders.js";
import { type Figure, type Value, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { type Contender, QUORUM_TTL } from "../session.js";
import { rotated } from "../statistics.js";
import { contend, type Outcome, type Setting, whereOf, WORK } from "./contention.js";
import { commandsForASection } from "./many-loops.js";

const SIZES = [3, 5];
const LOOPS = 16;
const IN_A_CROWD = `4 processes with 4 loops each on one key, each holding it for ${WORK} ms`;
const ALONE =
  "time for a number of them in a row; raw: SET NX PX to all at once, compare and delete, a majority awaited";
const HUNG =
  "the last of them is stopped by SIGSTOP; the clients of the peers time out after 50 ms, as some wait for all";

export async function quorum(bench: Bench): Promise<Figure[]> {
  const most = Math.max(...SIZES);
  const servers = await Promise.all(Array.from({ length: most }, () => startServer()));
  try {
    await Promise.all(servers.map(untilItVotes));
    const figures: Figure[] = [];
    for (const size of SIZES) {
      const some = servers.slice(0, size);
      figures.push(...(await alone(bench, some)), ...(await inACrowd(bench, some)));
    }
    return figures;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** A server that has not been up for longer than any lease casts no vote of ours. */
async function untilItVotes(server: RedisServer): Promise<void> {
  const votes = async (): Promise<boolean> => {
    const [, up] = /uptime_in_seconds:(\d+)/.exec(String(await server.command("INFO"))) ?? [];
    return Number(up) > QUORUM_TTL / 1_000;
  };
  await waitUntil(votes, { what: "the server to vote", timeout: 3 * QUORUM_TTL, interval: 100 });
}

/** Obtain and release, one at a time: at one server, at all, and at all while one of them hangs. */
async function alone({ crew, quick }: Bench, servers: readonly RedisServer[]): Promise<Figure[]> {
  const contenders = [...ours, ...rawsAtOnce, ...quorumPeers];
  const [one, all, hung] = [new Samples(), new Samples(), new Samples()];
  const last = servers[servers.length - 1];
  const work = { atOnce: 1, times: quick ? 20 : 200, within: quick ? 50 : 400, ttl: QUORUM_TTL };
  const took = async (contender: Contender, some: readonly RedisServer[]): Promise<number> => {
    const where = whereOf(contender, some);
    await crew.first.open(where);
    return crew.first.freeKeys({ ...where, ...work });
  };
  // The first round warms up.
  for (let round = -1; round < (quick ? 1 : 12); round++) {
    for (const contender of rotated(contenders, round + 1)) {
      const atOne = await took(contender, servers.slice(0, 1));
      const atAll = await took(contender, servers);
      last?.pause();
      const withoutOne = await took(contender, servers).finally(() => last?.resume());
      // It does first what it was sent meanwhile.
      await last?.command("PING");
      if (round < 0) continue;
      one.add(contender, atOne);
      all.add(contender, atAll);
      hung.add(contender, withoutOne);
    }
  }
  const overOneOf = (samples: Samples, base: (contender: Contender) => Contender) =>
    contenders.map((contender) => {
      const measure = one.of(base(contender));
      const ratios = samples.of(contender).map((value, round) => value / (measure[round] ?? NaN));
      return valueOf(contender, ratios);
    });
  const pair = (id: string, what: string, goal: number, method: string, samples: Samples) => {
    const common = { better: "lower", unit: "×", method } as const;
    return [
      {
        ...figureOf(servers, id, `${what}, relative to this library at one server`, goal),
        ...{ ...common, values: overOneOf(samples, oursOf) },
      },
      {
        ...figureOf(servers, `${id}-own`, `${what}, relative to the same library at one server`),
        ...{ ...common, aside: true, values: overOneOf(samples, (contender) => contender) },
      },
    ];
  };
  return [
    ...pair("free", "obtain and release of a free key", 1.3, ALONE, all),
    ...pair("hung", "the same while one server hangs", 1.5, `${ALONE}; ${HUNG}`, hung),
  ];
}

/** Many that want the same lock. */
async function inACrowd(bench: Bench, servers: readonly RedisServer[]): Promise<Figure[]> {
  const contenders = [...ours, ...quorumPeers];
  const window = bench.quick ? 150 : 1_500;
  const setting: Setting = { loops: LOOPS, window, servers, ttl: QUORUM_TTL };
  const outcomes = new Map<Contender, Outcome[]>(contenders.map((one) => [one, []]));
  for (let round = 0; round < (bench.quick ? 1 : ROUNDS); round++) {
    for (const contender of rotated(contenders, round)) {
      outcomes.get(contender)?.push(await contend(bench, contender, setting));
    }
  }
  const commands = new Samples();
  for (const contender of contenders) {
    commands.add(contender, await commandsForASection(bench, contender, setting));
  }
  const valuesOf = (of: (outcome: Outcome, ours: Outcome) => number): Value[] =>
    contenders.map((contender) => {
      const base = outcomes.get(oursOf(contender)) ?? [];
      const found = outcomes.get(contender) ?? [];
      return valueOf(
        contender,
        found.map((outcome, round) => of(outcome, base[round] ?? outcome)),
      );
    });
  return [
    {
      ...figureOf(servers, "commands", "commands on the wire per critical section", 8),
      ...{ better: "lower", unit: "" },
      method: `${IN_A_CROWD}; to all servers, counted by MONITOR in a separate run`,
      values: contenders.map((contender) => valueOf(contender, commands.of(contender))),
    },
    {
      ...figureOf(servers, "throughput", "critical sections per second"),
      ...{ better: "higher", unit: "/s", method: IN_A_CROWD },
      values: valuesOf(({ rate }) => rate),
    },
    {
      ...figureOf(servers, "fairness", "fairness among waiters (Jain's index)", 0.98),
      ...{ better: "higher", unit: "", method: `${IN_A_CROWD}; 0 when nobody was served` },
      values: valuesOf(({ fairness }) => fairness),
    },
    {
      ...figureOf(servers, "longest-wait", "longest wait, relative to that in a fair line", 2),
      ...{ better: "lower", unit: "×" },
      method: `${IN_A_CROWD}; divided by ${LOOPS} times the mean time from one grant of ours to the next; capped by the length of the measurement`,
      values: valuesOf(({ longestWaitTime }, { rate }) => (longestWaitTime * rate) / LOOPS / 1_000),
    },
    {
      ...figureOf(servers, "fences", "grants with a fencing token above all before", 100),
      ...{ better: "higher", unit: "%", method: IN_A_CROWD },
      values: valuesOf(({ fenced }) => fenced * 100),
    },
  ];
}

/** The goals are those of three servers. */
function figureOf(
  { length }: readonly RedisServer[],
  id: string,
  title: string,
  goal?: number,
): Pick<Figure, "id" | "title" | "goal"> {
  return {
    ...{ id: `quorum-${length}-${id}`, title: `Quorum of ${length}: ${title}` },
    ...(goal !== undefined && length === 3 ? { goal } : {}),
  };
}

function oursOf({ client }: Contender): Contender {
  const found = ours.find((contender) => contender.client === client);
  if (!found) throw new Error(`There is nothing of ours over ${client}`);
  return found;
}
