/** A master and a replica at one address, which leads to whichever is the master. */
import {
  startProxy,
  startServer,
  waitUntil,
  type FaultProxy,
  type RedisServer,
} from "@redislock/test-kit";
import { test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";

import type { Deployment, Fault, Random } from "./deployment.js";
import { trial } from "./trial.js";

class Pair {
  readonly proxy: FaultProxy;
  master: RedisServer;
  replica: RedisServer;

  constructor(proxy: FaultProxy, master: RedisServer, replica: RedisServer) {
    this.proxy = proxy;
    this.master = master;
    this.replica = replica;
  }

  static async start(): Promise<Pair> {
    const args = ["--repl-diskless-sync-delay", "0"];
    const [master, replica] = await Promise.all([startServer({ args }), startServer({ args })]);
    const pair = new Pair(await startProxy(master.port), master, replica);
    await follow(replica, master);
    return pair;
  }

  /**
   * As before maintenance: the master becomes a replica, and only when the other has all that it wrote,
   * that one becomes master. No connection is cut: clients stay where they are for some time, and their
   * subscriptions longer.
   */
  async handOver(random: Random): Promise<void> {
    const { master, replica } = this;
    await master.command("REPLICAOF", "127.0.0.1", String(replica.port));
    const hasAll = async (): Promise<boolean> => (await offset(master)) === (await offset(replica));
    await waitUntil(hasAll, { what: "the replica to have all" });
    await replica.command("REPLICAOF", "NO", "ONE");
    this.#exchange();
    await this.#moveClients(random);
  }

  /** The other way round: for a moment there are two masters, and what one of them writes then is lost. */
  async swap(random: Random): Promise<void> {
    const { master, replica } = this;
    await replica.command("REPLICAOF", "NO", "ONE");
    await sleep(random(100));
    this.#exchange();
    await master.command("REPLICAOF", "127.0.0.1", String(replica.port));
    await this.#moveClients(random);
  }

  /** The master dies, with all of its connections, and comes back as a replica. */
  async crash(random: Random): Promise<void> {
    const { master, replica } = this;
    await master.crash();
    await sleep(random(1_000));
    await replica.command("REPLICAOF", "NO", "ONE");
    this.#exchange();
    await master.restart();
    await follow(this.replica, this.master);
  }

  /** Lets the clients of what was the master go, their subscriptions last. */
  async #moveClients(random: Random): Promise<void> {
    const old = this.replica;
    await sleep(random(1_000));
    await old.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await sleep(random(3_000));
    await old.command("CLIENT", "KILL", "TYPE", "pubsub");
    await inStep(old);
  }

  #exchange(): void {
    [this.master, this.replica] = [this.replica, this.master];
    this.proxy.lead(this.master.port);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await Promise.all([this.master.stop(), this.replica.stop()]);
  }
}

async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.command("REPLICAOF", "127.0.0.1", String(master.port));
  await inStep(replica);
}

async function inStep(replica: RedisServer): Promise<void> {
  const isInStep = async (): Promise<boolean> =>
    String(await replica.command("INFO", "replication")).includes("master_link_status:up");
  await waitUntil(isInStep, { what: "the replica to follow", timeout: 20_000, interval: 20 });
}

/** How much of what was ever written a server knows. */
async function offset(server: RedisServer): Promise<number> {
  const info = String(await server.command("INFO", "replication"));
  return Number(/(?:slave|master)_repl_offset:(\d+)/.exec(info)?.[1]);
}

function of(faults: (pair: Pair) => Record<string, Fault>): () => Promise<Deployment> {
  return async () => {
    const pair = await Pair.start();
    return {
      access: { how: "server", port: pair.proxy.port },
      servers: [pair.master, pair.replica],
      faults: faults(pair),
      stop: () => pair.stop(),
    };
  };
}

test("a replica takes over with nothing lost, and no connection cut", () =>
  trial({
    ttl: 30_000,
    bound: 10_000,
    refusals: ["READONLY"],
    start: of((pair) => ({
      "the replica takes over": { run: (random) => pair.handOver(random) },
      "all connections break": { run: () => pair.proxy.cutAll() },
    })),
  }));

test("a replica takes over, and what was written last is lost", () =>
  trial({
    ttl: 2_000,
    bound: 15_000,
    refusals: ["READONLY"],
    start: of((pair) => ({
      "the replica takes over in a hurry": {
        run: (random) => pair.swap(random),
        loses: "meanwhile",
      },
      "the master dies": { run: (random) => pair.crash(random), loses: "meanwhile" },
    })),
  }));
