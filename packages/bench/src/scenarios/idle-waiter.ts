/** What a waiter costs Redis that does nothing but wait. */
import { type RedisServer, startServer } from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.js";
import { CommandCount } from "../command-count.js";
import { ours, peers, raws } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import type { Contender } from "../session.js";

const contenders = [...ours, ...raws, ...peers];
const TTL = 30_000;
/** Milliseconds until everyone has settled down to wait. */
const SETTLE = 1_500;

export async function idleWaiter(bench: Bench): Promise<Figure[]> {
  const onTheWire = new Samples();
  const inTheServer = new Samples();
  // None is in another's way: each has a server of its own, and there is next to nothing to do.
  await Promise.all(
    contenders.map(async (contender) => {
      const server = await startServer();
      try {
        const counts = await countWhileWaiting(bench, contender, server);
        onTheWire.add(contender, counts.onTheWire);
        inTheServer.add(contender, counts.inTheServer);
      } finally {
        await server.stop();
      }
    }),
  );
  const method =
    "one process holds a lock with a ttl of 30 s, and one loop in another waits for it";
  return [
    {
      id: "idle",
      title: "Commands per second sent by one waiter",
      better: "lower",
      goal: 0.5,
      unit: "/s",
      method: `${method}; counted by MONITOR for 20 s`,
      values: contenders.map((contender) => valueOf(contender, onTheWire.of(contender))),
    },
    {
      id: "idle-in-server",
      title: "The same, including the commands that scripts call",
      better: "lower",
      unit: "/s",
      method: `${method}; counted by INFO`,
      values: contenders.map((contender) => valueOf(contender, inTheServer.of(contender))),
    },
  ];
}

async function countWhileWaiting(
  { crew, quick }: Bench,
  contender: Contender,
  server: RedisServer,
): Promise<{ onTheWire: number; inTheServer: number }> {
  const window = quick ? 1_500 : 20_000;
  const where = { contender: contender.name, port: server.port, key: "idle", ttl: TTL };
  const { first, second } = crew;
  await Promise.all([first.open(where), second.open(where)]);
  await first.take(where);
  const granted = second.waitFor(where);
  const counting = await CommandCount.start(server.port);
  await sleep(SETTLE);
  const [wireBefore, serverBefore] = [counting.count, await processed(server)];
  await sleep(window);
  const [wireAfter, serverAfter] = [counting.count, await processed(server)];
  counting.stop();
  await first.release(where);
  await granted;
  await second.release(where);
  await Promise.all([first.close(where), second.close(where)]);
  // The questions by which we count are not the waiter's.
  const onTheWire = ((wireAfter - wireBefore - 1) * 1_000) / window;
  return { onTheWire, inTheServer: ((serverAfter - serverBefore - 1) * 1_000) / window };
}

async function processed(server: RedisServer): Promise<number> {
  const info = String(await server.command("INFO", "stats"));
  return Number(/total_commands_processed:(\d+)/.exec(info)?.[1]);
}
