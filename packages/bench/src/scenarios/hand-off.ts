/** From the release in one process until the waiter in another has the lock. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, ROUNDS } from "../bench.js";
import { bareLines, floors, ours, peers, raws } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import { COLD } from "./free-key.js";
import type { Contender } from "../session.js";
import { median, rotated } from "../statistics.js";

const contenders = [...ours, ...floors, ...bareLines, ...raws, ...peers];
const waitingByMessage = [...ours, ...floors, ...bareLines];

/** Milliseconds for which the lock is held at least: time enough to get in line. */
const HOLD = 5;

export async function handOff(bench: Bench): Promise<Figure> {
  const samples = new Samples();
  const rounds = bench.quick ? 1 : ROUNDS;
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      samples.add(contender, median(await inTurns(bench, contender)));
    }
  }
  return {
    id: "hand-off",
    title: "Hand-off between two processes, relative to PUBLISH → message",
    better: "lower",
    goal: 1.3,
    unit: "×",
    method:
      "median time from the call of release in one process until the waiter in another has the lock; " +
      "divided by the same time for a bare PUBLISH and its message, with the same client",
    values: contenders.map((contender) => valueOf(contender, samples.ratios(contender, floors))),
  };
}

/** The same between processes and servers that did other things meanwhile. */
export async function coldHandOff(bench: Bench): Promise<Figure[]> {
  const samples = new Samples();
  const rounds = bench.quick ? 1 : ROUNDS;
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(waitingByMessage, round)) {
      samples.add(contender, median(await inTurns(bench, contender, COLD)));
    }
  }
  const method = `median time, once every ${COLD} ms, from the call of release in one process until the waiter in another has the lock`;
  const figure = { better: "lower", unit: "×" } as const;
  return [
    {
      ...figure,
      id: "hand-off-cold",
      title: "Hand-off after a pause, relative to PUBLISH → message after such a pause",
      goal: 1.3,
      method: `${method}; divided by the same time for a bare PUBLISH and its message`,
      values: waitingByMessage.map((one) => valueOf(one, samples.ratios(one, floors))),
    },
    {
      ...figure,
      id: "hand-off-cold-over-bare-line",
      title: "The same, relative to the smallest line: two short scripts, a message and a promise",
      goal: 1.1,
      method: `${method}; divided by the same time for a line that has nothing but its order`,
      values: waitingByMessage.map((one) => valueOf(one, samples.ratios(one, bareLines))),
    },
  ];
}

/** Two processes give the lock to each other; the milliseconds that each time took. */
export async function inTurns(
  bench: Bench,
  contender: Contender,
  hold: number = HOLD,
): Promise<number[]> {
  const { server, crew, quick } = bench;
  const where = { contender: contender.name, port: server.port, key: "hand-off", ttl: 10_000 };
  const quickly = contender.poll === 0;
  const times = quick ? 2 : hold > HOLD ? 16 : quickly ? 100 : 8;
  const { first, second } = crew;
  await Promise.all([first.open(where), second.open(where)]);
  await first.take(where);
  let [holder, waiter] = [first, second];
  const took: number[] = [];
  for (let time = 0; time < times; time++) {
    const granted = waiter.waitFor(where);
    // The holder does not know when a waiter that polls will try next.
    await sleep(hold + Math.random() * (HOLD + contender.poll));
    const released = await holder.release(where);
    took.push((await granted) - released);
    [holder, waiter] = [waiter, holder];
  }
  await holder.release(where);
  // The first ones pay for the subscription.
  return quickly ? took.slice(Math.ceil(times / 10)) : took;
}
