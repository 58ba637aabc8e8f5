import { freeClusterPort } from "./free-port.js";
import { startServerWhereFree, type RedisServer } from "./redis-server.js";
import { RespError } from "../protocol/resp.js";
import { waitUntil } from "../promises/wait-until.js";

const SLOTS = 16_384;
/** Milliseconds until all nodes must serve. A master that has just started takes 2 000 before it does. */
const START_TIMEOUT = 60_000;
/** Milliseconds that the move of some keys may take. */
const MIGRATE_TIMEOUT = 5_000;
const KEYS_AT_A_TIME = 100;

/** How a cluster is started. */
export interface ClusterOptions {
  /** More arguments for every node: `["--cluster-require-full-coverage", "no"]`. */
  readonly args?: readonly string[];
}

/**
 * Starts a cluster of masters, the slots spread evenly, and resolves when every node serves: two to
 * three seconds later.
 */
export async function startCluster(nodes = 3, options: ClusterOptions = {}): Promise<RedisCluster> {
  const args = [
    ...["--cluster-enabled", "yes"],
    ...["--cluster-config-file", "nodes.conf"],
    ...["--cluster-node-timeout", "2000"],
    ...(options.args ?? []),
  ];
  const starts = await Promise.allSettled(
    Array.from({ length: nodes }, () => startServerWhereFree(freeClusterPort, args)),
  );
  const cluster = new RedisCluster(
    starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : [])),
  );
  try {
    for (const start of starts) if (start.status === "rejected") throw start.reason;
    await cluster.unite();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** A slot on its way from one node to another. Until it has arrived, clients are answered ASK. */
export interface SlotMove {
  /** Carries over the keys that the slot has now. */
  migrateKeys(): Promise<void>;
  /** Tells all nodes who owns the slot now: from here on, clients are answered MOVED. */
  finish(): Promise<void>;
}

/** A running cluster. Only the tests that started it use it, so they may do with it what they like. */
export class RedisCluster {
  /** The masters, in the order of the slots that they were given. */
  readonly nodes: readonly RedisServer[];
  /** By slot, the index of the node that owns it. */
  readonly #owners: number[];

  /** Use {@link startCluster}. */
  constructor(nodes: readonly RedisServer[]) {
    this.nodes = nodes;
    this.#owners = Array.from({ length: SLOTS }, (_, slot) =>
      Math.floor((slot * nodes.length) / SLOTS),
    );
  }

  /** The node that owns a slot, 0 to 16 383. */
  nodeOfSlot(slot: number): RedisServer {
    const owner = this.#owners[slot];
    if (owner === undefined) throw new RangeError(`There is no slot ${slot}`);
    return this.#node(owner);
  }

  /** The slot that a key belongs to. */
  async slotOf(key: string): Promise<number> {
    return Number(await this.#node(0).command("CLUSTER", "KEYSLOT", key));
  }

  /** Moves a slot with its keys to another node. */
  async moveSlot(slot: number, toIndex: number): Promise<void> {
    const move = await this.beginMove(slot, toIndex);
    await move.migrateKeys();
    await move.finish();
  }

  /** Moves a slot step by step, to look at what clients do in between. */
  async beginMove(slot: number, toIndex: number): Promise<SlotMove> {
    const source = this.nodeOfSlot(slot);
    const target = this.#node(toIndex);
    if (source === target) throw new Error(`Slot ${slot} is at node ${toIndex} already`);
    const sourceId = await idOf(source);
    const targetId = await idOf(target);
    await target.command("CLUSTER", "SETSLOT", String(slot), "IMPORTING", sourceId);
    await source.command("CLUSTER", "SETSLOT", String(slot), "MIGRATING", targetId);
    return {
      migrateKeys: () => migrateKeys(slot, source, target),
      finish: async () => {
        await this.#untilEpochsAgree();
        // The target first, so that at no time two nodes send clients to each other.
        const others = this.nodes.filter((node) => node !== target);
        for (const node of [target, ...others]) {
          await node.command("CLUSTER", "SETSLOT", String(slot), "NODE", targetId);
        }
        this.#owners[slot] = toIndex;
      },
    };
  }

  /** Waits until every node serves and knows all others: after one of them was restarted, say. */
  async untilServing(): Promise<void> {
    for (const node of this.nodes) {
      await waitUntil(() => this.#serves(node), {
        what: `the cluster node on port ${node.port} to serve`,
        timeout: START_TIMEOUT,
        interval: 20,
      });
    }
  }

  /** For {@link startCluster}: makes one cluster of nodes that do not know each other. */
  async unite(): Promise<void> {
    for (const [index, node] of this.nodes.entries()) {
      await addSlots(node, this.#owners.indexOf(index), this.#owners.lastIndexOf(index));
      // Otherwise they all begin with the same one and must first settle who gets another.
      await node.command("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
    }
    for (const node of this.nodes) {
      for (const other of this.nodes) {
        await node.command("CLUSTER", "MEET", "127.0.0.1", String(other.port));
      }
    }
    await this.untilServing();
  }

  /** Ends all nodes. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  async #serves(node: RedisServer): Promise<boolean> {
    const info = await infoOf(node);
    return (
      info.get("cluster_state") === "ok" &&
      info.get("cluster_slots_ok") === String(SLOTS) &&
      info.get("cluster_known_nodes") === String(this.nodes.length)
    );
  }

  /**
   * Waits until no node knows of a later epoch than the others. A node that takes a slot over takes an
   * epoch above all that it knows: were one that it does not know later, a late message of the slot's old
   * owner would win against it, and in the end two nodes would send clients to each other for ever.
   */
  async #untilEpochsAgree(): Promise<void> {
    const agree = async (): Promise<boolean> => {
      const infos = await Promise.all(this.nodes.map(infoOf));
      return new Set(infos.map((info) => info.get("cluster_current_epoch"))).size === 1;
    };
    await waitUntil(agree, { what: "the nodes to know of one epoch", interval: 20 });
  }

  #node(index: number): RedisServer {
    const node = this.nodes[index];
    if (!node) throw new RangeError(`There is no node ${index}`);
    return node;
  }
}

async function addSlots(node: RedisServer, first: number, last: number): Promise<void> {
  try {
    await node.command("CLUSTER", "ADDSLOTSRANGE", String(first), String(last));
  } catch (error) {
    if (!(error instanceof RespError)) throw error;
    // Servers before 7.0 know only the long way.
    const slots = Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
    await node.command("CLUSTER", "ADDSLOTS", ...slots);
  }
}

async function infoOf(node: RedisServer): Promise<ReadonlyMap<string, string>> {
  const lines = String(await node.command("CLUSTER", "INFO")).split("\r\n");
  return new Map(lines.map((text) => [text.split(":")[0] ?? "", text.split(":")[1] ?? ""]));
}

async function idOf(node: RedisServer): Promise<string> {
  return String(await node.command("CLUSTER", "MYID"));
}

async function migrateKeys(slot: number, source: RedisServer, target: RedisServer): Promise<void> {
  const [host, port] = ["127.0.0.1", String(target.port)];
  for (;;) {
    const keys = await source.command(
      ...["CLUSTER", "GETKEYSINSLOT", String(slot), String(KEYS_AT_A_TIME)],
    );
    if (!Array.isArray(keys) || keys.length === 0) return;
    await source.command(
      ...["MIGRATE", host, port, "", "0", String(MIGRATE_TIMEOUT), "KEYS"],
      ...keys.map(String),
    );
  }
}
