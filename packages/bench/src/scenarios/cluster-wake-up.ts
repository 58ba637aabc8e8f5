/** To wake a waiter in a cluster: by PUBLISH, which goes to all nodes, or SPUBLISH, within a shard. */
import { EventEmitter, once } from "node:events";
import { connect, type RedisCluster, startCluster } from "@redislock/test-kit";
import type { Bench } from "../bench.js";
import { type Figure, type Value, valueOf } from "../figures.js";
import { median, rotated, sum } from "../statistics.js";

const GRANT = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', 10000)
if ARGV[2] then redis.call(ARGV[2], ARGV[3], ARGV[1]) end`;

interface Way {
  readonly name: string;
  readonly kind: Value["kind"];
  /** What the script is told: a command and a channel. */
  readonly tell: (channels: Channels) => string[];
}

/** Where one who waits hears of the key of a shard. */
interface Channels {
  /** In the hash slot of the key. */
  readonly key: string;
  /** In any slot of the shard, for all of its keys. */
  readonly inbox: string;
}

const sharded = { kind: "peer", tell: ({ key }: Channels) => ["SPUBLISH", key] } as const;
const anew: Way = { ...sharded, name: "SPUBLISH, subscribing each time" };
const silence: Way = { name: "no message", kind: "floor", tell: () => [] };
const ways: readonly Way[] = [
  { name: "PUBLISH", kind: "ours", tell: () => ["PUBLISH", "inbox"] },
  {
    name: "SPUBLISH, one inbox for each shard",
    kind: "peer",
    tell: ({ inbox }) => ["SPUBLISH", inbox],
  },
  anew,
  silence,
];

/** Of one wake-up: seconds of all nodes, milliseconds, messages between nodes. */
type Cost = Record<"cpu" | "heard" | "bus", number>;

/** How many masters. */
const SIZES = [3, 9];

export async function clusterWakeUp(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const masters of SIZES) figures.push(...(await wakeUpAmong(masters, bench)));
  return figures;
}

async function wakeUpAmong(masters: number, { quick }: Bench): Promise<Figure[]> {
  const costs = new Map<Way, Cost[]>(ways.map((way) => [way, []]));
  const cluster = await startCluster(masters);
  try {
    const shards = await openShards(cluster);
    for (let round = 0; round < (quick ? 2 : 16); round++) {
      for (const way of rotated(ways, round)) {
        costs.get(way)?.push(await measure(shards, way, (quick ? 15 : 180) / masters));
      }
    }
  } finally {
    await cluster.stop();
  }
  const figure = (what: keyof Cost, title: string, unit: "×" | ""): Figure => {
    const bases = costs.get(silence)?.map((cost) => (unit === "×" ? cost[what] : 1)) ?? [];
    const ratios = (way: Way): number[] =>
      (costs.get(way) ?? []).map((cost, round) => cost[what] / (bases[round] ?? NaN));
    return {
      id: `cluster-${masters}-${what}`,
      title: `Wake-up among ${masters} masters: ${title}`,
      ...{ better: "lower", unit, aside: true },
      method:
        "published by a script on each node in turn; subscribing counts towards CPU, not towards time",
      values: ways.map((way) => valueOf(way, ratios(way))),
    };
  };
  return [
    figure("cpu", "CPU of all nodes, relative to the script alone", "×"),
    figure("heard", "time until it is heard, relative to the reply of the script alone", "×"),
    figure("bus", "messages between nodes", ""),
  ];
}

type Shards = Awaited<ReturnType<typeof openShards>>;

/** A key of each node, and the connections of one who asks for it and one who waits for it. */
async function openShards(cluster: RedisCluster) {
  const told = new EventEmitter();
  const open = async (node: RedisCluster["nodes"][number]) => {
    const tags: string[] = [];
    for (let tag = 0; tags.length < 2; tag++) {
      if (cluster.nodeOfSlot(await cluster.slotOf(`{${tag}}`)) === node) tags.push(`{${tag}}`);
    }
    const [key = "", inbox = ""] = tags;
    const [asking, waiting] = await Promise.all([connect(node.port), connect(node.port)]);
    waiting.onPush(() => told.emit("message"));
    for (const channel of tags) await waiting.send("SSUBSCRIBE", channel);
    return { node, key, inbox, asking, waiting, told };
  };
  const shards = await Promise.all(cluster.nodes.map(open));
  // By PUBLISH, one connection to any node hears of the keys of all.
  await shards[0]?.waiting.send("SUBSCRIBE", "inbox");
  return shards;
}

async function measure(shards: Shards, way: Way, times: number): Promise<Cost> {
  const heard: number[] = [];
  const before = await used(shards);
  for (let time = 0; time < times; time++) {
    for (const { key, inbox, asking, waiting, told } of shards) {
      if (way === anew) await waiting.send("SUNSUBSCRIBE", key);
      if (way === anew) await waiting.send("SSUBSCRIBE", key);
      const started = performance.now();
      const message = way === silence ? undefined : once(told, "message");
      const reply = asking.send("EVAL", GRANT, "1", key, "value", ...way.tell({ key, inbox }));
      await (message ?? reply);
      heard.push(performance.now() - started);
      await reply;
    }
  }
  const [cpu = NaN, bus = NaN] = (await used(shards)).map(
    (after, index) => (after - (before[index] ?? NaN)) / heard.length,
  );
  return { cpu, bus, heard: median(heard) };
}

/** Of all nodes together: what they used of the processors, and what they published to each other. */
async function used(shards: Shards): Promise<number[]> {
  const questions = [
    ["INFO", "cpu"],
    ["CLUSTER", "INFO"],
  ];
  const asked = shards.flatMap(({ node }) => questions.map((words) => node.command(...words)));
  const answers = (await Promise.all(asked)).join();
  return [/used_cpu_(?:sys|user):([\d.]+)/g, /messages_publish(?:shard)?_sent:(\d+)/g].map(
    (field) => sum(Array.from(answers.matchAll(field), ([, value]) => Number(value))),
  );
}
