/** One writer among many readers, and many readers behind one writer. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Bench, ROUNDS } from "../bench.js";
import { ours, rawKinds } from "../contenders.js";
import { type Figure, valueOf } from "../figures.js";
import { Samples } from "../samples.js";
import type { Contender } from "../session.js";
import { rotated, sum } from "../statistics.js";
import { longestWait, race, type Part } from "./contention.js";

const contenders = [...ours, ...rawKinds];

/** Milliseconds for which a reader holds the lock, and a writer. */
const READING = 5;
const WRITING = 1;
const READERS = 16;

const SETUP =
  `one loop writes for ${WRITING} ms at a time, in a process of its own, and 3 processes with ` +
  `${READERS} loops each read for ${READING} ms at a time`;

export async function writerAmongReaders(bench: Bench): Promise<Figure[]> {
  const waits = new Samples();
  const reads = new Samples();
  const window = bench.quick ? 150 : 1_500;
  for (let round = 0; round < (bench.quick ? 1 : ROUNDS); round++) {
    for (const contender of rotated(contenders, round)) {
      const { done, from, until } = await race(bench, contender, window, partOf);
      const [writers = [], ...readers] = done;
      waits.add(contender, Math.max(...writers.map((loop) => longestWait(loop, from, until))));
      const read = readers.flat().map(({ sections }) => sections.length);
      reads.add(contender, (sum(read) * 1_000) / (until - from));
    }
  }
  return [
    {
      id: "writer-among-readers",
      title: "Longest wait of a writer among readers, relative to the time that one of them reads",
      better: "lower",
      unit: "×",
      method: `${SETUP}; capped by the length of the measurement`,
      values: contenders.map((contender) =>
        valueOf(
          contender,
          waits.of(contender).map((wait) => wait / READING),
        ),
      ),
    },
    {
      id: "readers-throughput",
      title: "Reads per second meanwhile",
      better: "higher",
      unit: "/s",
      method: `${SETUP}; where the writer waits forever, nobody waits for it`,
      values: contenders.map((contender) => valueOf(contender, reads.of(contender))),
    },
  ];
}

function partOf(index: number): Part {
  return index === 0
    ? { loops: 1, work: WRITING }
    : { loops: READERS, work: READING, kind: "shared" };
}

const CROWD = 100;
/** Milliseconds until all of them are sure to wait. */
const GATHERING = 300;

export async function readersBehindWriter(bench: Bench): Promise<Figure> {
  const samples = new Samples();
  for (let round = 0; round < (bench.quick ? 1 : 20); round++) {
    for (const contender of rotated(contenders, round)) {
      samples.add(contender, await wakeCrowd(bench, contender));
    }
  }
  return {
    id: "readers-woken",
    title: `From the first of ${CROWD} readers behind a writer to have the lock until the last`,
    better: "lower",
    goal: 5,
    unit: " ms",
    method: `the readers are ${CROWD} obtains of one process, the writer is in another`,
    values: contenders.map((contender) => valueOf(contender, samples.of(contender))),
  };
}

async function wakeCrowd({ server, crew }: Bench, contender: Contender): Promise<number> {
  const where = { contender: contender.name, port: server.port, key: "crowd", ttl: 10_000 };
  const { first: writer, second: readers } = crew;
  await Promise.all([writer.open(where), readers.open(where)]);
  await writer.take(where);
  const reading = readers.crowd({ ...where, size: CROWD, kind: "shared" });
  await sleep(GATHERING + Math.random() * contender.poll);
  await writer.release(where);
  return reading;
}
