/** Servers that a sentinel watches over. */
import { startSentinel, waitUntil, type RedisServer, type SentinelSet } from "@redislock/test-kit";
import { test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";

import type { Promised, Random } from "./deployment.js";
import { ALL, trial } from "./trial.js";

/** What becomes of the master, and, once there is another, how it comes back. */
interface FailOver {
  readonly end: (master: RedisServer, set: SentinelSet) => Promise<unknown>;
  readonly comeBack?: (before: RedisServer) => Promise<unknown>;
}

async function failOver(set: SentinelSet, how: FailOver, random: Random): Promise<void> {
  const before = await set.master();
  await how.end(before, set);
  await set.untilAnother(before);
  await sleep(random(3_000));
  await how.comeBack?.(before);
  if (!ALL) return;
  await untilReplica(before);
  await set.untilReady();
}

/** Until then it takes commands as before, of whoever has not heard. */
async function untilReplica(server: RedisServer): Promise<void> {
  const follows = async (): Promise<boolean> => {
    // The sentinel cuts all connections when it makes it a replica, this one among them.
    const info = await server.command("INFO", "replication").catch(() => "");
    return String(info).includes("master_link_status:up");
  };
  await waitUntil(follows, { what: "a replica", timeout: 40_000, interval: 50 });
}

const through = (how: FailOver): Promised => ({
  ttl: 2_000,
  bound: 20_000,
  refusals: ["READONLY"],
  start: async () => {
    const set = await startSentinel();
    return {
      access: { how: "sentinel", port: set.sentinel.port, name: "main" },
      servers: [...set.servers, set.sentinel],
      faults: {
        "the master is replaced": {
          // It is ten seconds and more until what was the master is told that it is one no more.
          loses: ALL ? "meanwhile" : "from then on",
          run: (random) => failOver(set, how, random),
        },
      },
      stop: () => set.stop(),
    };
  },
});

test("Sentinel: a planned failover", () => trial(through({ end: (_, set) => set.failOver() })));

test("Sentinel: a master that crashes", () =>
  trial(through({ end: (master) => master.crash(), comeBack: (before) => before.restart() })));

test("Sentinel: a master that hangs", () =>
  trial(
    through({ end: async (master) => master.pause(), comeBack: async (before) => before.resume() }),
  ));
