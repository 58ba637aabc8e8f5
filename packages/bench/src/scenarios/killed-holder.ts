/** How long a lock is out of reach after its holder was killed, beyond what its ttl says. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, ROUNDS } from "../bench.js";
import { ours, peers, raws } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { Worker } from "../worker-handle.js";

const contenders = [...ours, ...raws, ...peers];
const TTL = 2_000;
/** Milliseconds that the holder lives on with someone waiting. */
const LIFE = 500;

export async function killedHolder({ server, crew, quick }: Bench): Promise<Figure> {
  const samples = new Samples();
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    const doomed = new Worker(1);
    const waiter = crew.first;
    const waiting: Promise<void>[] = [];
    for (const contender of contenders) {
      const where = {
        contender: contender.name,
        port: server.port,
        key: `killed ${contender.name}`,
      };
      await doomed.open(where);
      await waiter.open(where);
      const asked = await doomed.take({ ...where, ttl: TTL });
      const next = { ...where, ttl: TTL };
      waiting.push(
        waiter.waitFor(next).then(async (granted) => {
          samples.add(contender, granted - (asked + TTL));
          await waiter.release(next);
        }),
      );
    }
    await sleep(LIFE);
    await doomed.kill();
    await Promise.all(waiting);
  }
  return {
    id: "killed",
    title: "From the end of a killed holder's lease to the next grant",
    better: "lower",
    goal: 50,
    unit: " ms",
    method: `a process that holds a lock with a ttl of ${TTL / 1_000} s is killed with SIGKILL while another waits`,
    values: contenders.map((contender) => valueOf(contender, samples.of(contender))),
  };
}
