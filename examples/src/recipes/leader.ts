/** One of three machines leads, the others follow; when the leader dies, another takes over. */
import { setTimeout as sleep } from "node:timers/promises";
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";
import { startMachines, untilEnded } from "./machines.js";

const [machine] = process.argv.slice(2);
if (machine === undefined) await kingsAndQueens();
else await takePart(machine);

// #region candidate
async function takePart(name: string): Promise<void> {
  const redis = new Redis();
  const locker = createLocker(redis);
  const stopping = new AbortController();
  const { signal } = stopping;
  process.once("message", () => stopping.abort()); // In your program: SIGTERM.

  const leading = locker.lead("scheduler", 1_000, { name, signal }, async (term) => {
    // Whatever one process alone should do, until it leads no more.
    while (!term.signal.aborted) await runDueJobs(term.fencingToken);
  });
  const following = (async () => {
    for await (const leader of locker.leader("scheduler", { signal })) {
      if (leader) process.send?.({ name, leader: leader.name });
    }
  })();
  await Promise.allSettled([leading, following]);
  await locker.close();
  redis.disconnect();
}
// #endregion

async function kingsAndQueens(): Promise<void> {
  const names = ["a", "b", "c"];
  const machines = startMachines(import.meta.url, names);
  // Each says whom it sees lead.
  const seen = new Map<string, string>();
  const agreed = (without?: string): Promise<string> =>
    new Promise((resolve) => {
      const look = (): void => {
        const leaders = new Set(names.filter((name) => name !== without).map((n) => seen.get(n)));
        const [leader] = leaders;
        if (leaders.size === 1 && leader !== undefined && leader !== without) resolve(leader);
      };
      for (const one of machines) {
        one.on("message", (message: { name: string; leader: string }) => {
          seen.set(message.name, message.leader);
          look();
        });
      }
    });
  const first = await agreed();
  console.log("one leads, and all three see it");
  machines[names.indexOf(first)]?.kill("SIGKILL");
  await agreed(first);
  console.log("it was killed: another leads, and both see it");
  for (const one of machines) if (one.connected) one.send("stop");
  await untilEnded(machines);
}

async function runDueJobs(_fencingToken: number): Promise<void> {
  await sleep(20);
}
