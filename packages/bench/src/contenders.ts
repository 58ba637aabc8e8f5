/** Who is compared. What they need is loaded only where they are opened. */
import { BEFORE } from "./compare.js";
import type { ClientName, Contender, Server, Session } from "./session.js";

/** Polling is a choice of its interval: short, and it is busy; long, and it is late. */
const INTERVALS = [1, 10, 100];

export const ours: readonly Contender[] = [
  {
    name: "redislock (ioredis)",
    client: "ioredis",
    kind: "ours",
    poll: 0,
    open: async (server) => (await import("./contenders/ours.js")).openOverIoredis(server),
  },
  {
    name: "redislock (node-redis)",
    client: "node-redis",
    kind: "ours",
    poll: 0,
    open: async (server) => (await import("./contenders/ours.js")).openOverNodeRedis(server),
  },
];

const beforeFolder = process.env[BEFORE] ?? "";

/** The earlier build, if there is one. */
export const before: readonly Contender[] =
  beforeFolder === ""
    ? []
    : [
        {
          name: "before (ioredis)",
          client: "ioredis",
          kind: "peer",
          poll: 0,
          open: async (server) =>
            (await import("./contenders/before.js")).openOverIoredis(server, beforeFolder),
        },
        {
          name: "before (node-redis)",
          client: "node-redis",
          kind: "peer",
          poll: 0,
          open: async (server) =>
            (await import("./contenders/before.js")).openOverNodeRedis(server, beforeFolder),
        },
      ];

export const floors: readonly Contender[] = [
  {
    name: "PUBLISH → message (ioredis)",
    client: "ioredis",
    kind: "floor",
    poll: 0,
    open: async (server) => (await import("./contenders/floor.js")).openOverIoredis(server),
  },
  {
    name: "PUBLISH → message (node-redis)",
    client: "node-redis",
    kind: "floor",
    poll: 0,
    open: async (server) => (await import("./contenders/floor.js")).openOverNodeRedis(server),
  },
];

/** What a line costs that has nothing else. */
export const bareLines: readonly Contender[] = [
  {
    name: "bare line (ioredis)",
    client: "ioredis",
    kind: "floor",
    poll: 0,
    open: async (server) => (await import("./contenders/bare-line.js")).openOverIoredis(server),
  },
  {
    name: "bare line (node-redis)",
    client: "node-redis",
    kind: "floor",
    poll: 0,
    open: async (server) => (await import("./contenders/bare-line.js")).openOverNodeRedis(server),
  },
];

export const raws: readonly Contender[] = INTERVALS.flatMap((poll): Contender[] => [
  {
    name: `raw ioredis, every ${poll} ms`,
    client: "ioredis",
    kind: "raw",
    poll,
    open: async (server) => (await import("./contenders/raw.js")).openIoredis(server, poll),
  },
  {
    name: `raw node-redis, every ${poll} ms`,
    client: "node-redis",
    kind: "raw",
    poll,
    open: async (server) => (await import("./contenders/raw.js")).openNodeRedis(server, poll),
  },
]);

/** Those that poll as often as the quickest library. */
export const quickRaws: readonly Contender[] = raws.filter(({ poll }) => poll === 10);

/** One for each client, for what is measured without anybody waiting. */
export const rawsAtRest: readonly Contender[] = raws.slice(0, 2);

/** The floor of a lock at several servers. */
export const rawsAtOnce: readonly Contender[] = [
  {
    name: "raw ioredis, all at once",
    client: "ioredis",
    kind: "raw",
    poll: 0,
    open: async (server) => (await import("./contenders/raw-at-once.js")).openIoredis(server),
  },
  {
    name: "raw node-redis, all at once",
    client: "node-redis",
    kind: "raw",
    poll: 0,
    open: async (server) => (await import("./contenders/raw-at-once.js")).openNodeRedis(server),
  },
];

/** Ours, with a replica that must confirm. */
export const confirmed: readonly Contender[] = [
  {
    name: "with minReplicas: 1 (ioredis)",
    client: "ioredis",
    kind: "ours",
    poll: 0,
    open: async (server) => {
      return (await import("./contenders/ours.js")).openOverIoredis(server, { minReplicas: 1 });
    },
  },
  {
    name: "with minReplicas: 1 (node-redis)",
    client: "node-redis",
    kind: "ours",
    poll: 0,
    open: async (server) => {
      return (await import("./contenders/ours.js")).openOverNodeRedis(server, { minReplicas: 1 });
    },
  },
];

/** The pauses of the redlock family: 200 ms, give or take up to 100. */
const REDLOCK_POLL = 300;

export const peers: readonly Contender[] = [
  peer("redlock 4.2.0", "ioredis", REDLOCK_POLL, async (server) =>
    (await import("./contenders/redlock-4.js")).open(server),
  ),
  peer("redlock 5.0.0-beta.2", "ioredis", REDLOCK_POLL, async (server) =>
    (await import("./contenders/redlock-5.js")).open(server),
  ),
  peer("@sesamecare-oss/redlock 1.4.0", "ioredis", REDLOCK_POLL, async (server) =>
    (await import("./contenders/sesame-redlock.js")).open(server),
  ),
  peer("redis-semaphore 5.8.0", "ioredis", 10, async (server) =>
    (await import("./contenders/redis-semaphore.js")).open(server),
  ),
  peer("redlock-universal 0.8.5 (ioredis)", "ioredis", 100, async (server) =>
    (await import("./contenders/redlock-universal.js")).openOverIoredis(server),
  ),
  peer("redlock-universal 0.8.5 (node-redis)", "node-redis", 100, async (server) =>
    (await import("./contenders/redlock-universal.js")).openOverNodeRedis(server),
  ),
  peer("@verrou/core 0.5.2", "ioredis", 250, async (server) =>
    (await import("./contenders/verrou.js")).open(server),
  ),
];

/** Those that can have one lock at several servers: all but one. */
export const quorumPeers: readonly Contender[] = peers.filter(
  ({ name }) => !name.startsWith("@verrou"),
);

/** What is written by hand for readers, writers and semaphores, polling as the quickest library does. */
export const rawKinds: readonly Contender[] = [
  {
    name: "raw ioredis scripts, every 10 ms",
    client: "ioredis",
    kind: "raw",
    poll: 10,
    open: async (server) => (await import("./contenders/raw-kinds.js")).openIoredis(server, 10),
  },
  {
    name: "raw node-redis scripts, every 10 ms",
    client: "node-redis",
    kind: "raw",
    poll: 10,
    open: async (server) => (await import("./contenders/raw-kinds.js")).openNodeRedis(server, 10),
  },
];

/** Those that have semaphores. None of the published ones has readers and writers. */
export const semaphores: readonly Contender[] = [
  ...peers.filter(({ name }) => name.startsWith("redis-semaphore")),
  peer("effect-distributed-lock 0.0.11", "ioredis", 100, async (server) =>
    (await import("./contenders/effect-distributed-lock.js")).open(server),
  ),
];

export const all: readonly Contender[] = [
  ...new Set([
    ...ours,
    ...before,
    ...floors,
    ...bareLines,
    ...raws,
    ...rawsAtOnce,
    ...confirmed,
    ...rawKinds,
    ...peers,
    ...semaphores,
  ]),
];

function peer(
  name: string,
  client: ClientName,
  poll: number,
  open: (server: Server) => Promise<Session>,
): Contender {
  return { name, client, kind: "peer", poll, open };
}
