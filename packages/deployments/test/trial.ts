/** The same load, the same checks, for every deployment. */
import { expect } from "@jest/globals";
import { Locker } from "@redislock/core";
import {
  compilePackage,
  RespError,
  seededRandom,
  startProcess,
  waitUntil,
  type Compiled,
  type NodeProcess,
  type RedisServer,
} from "@redislock/test-kit";
import { setTimeout as sleep } from "node:timers/promises";

import {
  failuresOf,
  faultsOfExclusion,
  grantsOf,
  longestWait,
  unservedOf,
  type Loss,
} from "./checks.js";
import { connect, libraries, type Library } from "./client.js";
import type { Deployment, Fault, Promised, Random } from "./deployment.js";
import { now, readLine, type Line, type Orders } from "./record.js";

export const ALL: boolean = process.env["REDISLOCK_TRIALS"] === "long";
/** Milliseconds of load and faults, at the least; each fault comes once at the least. */
const DURATION = ALL ? 60_000 : 3_000;
/** Those that are there from beginning to end. */
const STEADY: readonly Library[] = ALL ? libraries : libraries.slice(0, 2);
/** Those that get killed and stopped, and how many. */
const MORTAL = ALL ? 2 : 1;
const MORTAL_TTL = 1_500;
const LOOPS = 2;

const KEYS = ["{a}1", "{a}2", "{b}1", "{b}2"];

/** The last fencing token of a hash slot, which stays for a day. */
const FENCE = /^redislock\{...\}$/;

/** To see the same choices again: `REDISLOCK_SEED=…`. When each of them comes is the machine's. */
const seedGiven = process.env["REDISLOCK_SEED"];

export async function trial(promised: Promised): Promise<void> {
  const seed = seedGiven === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seedGiven);
  const compiled = await compilePackage(new URL("..", import.meta.url));
  const deployment = await promised.start();
  const crowd = new Crowd(compiled, promised, deployment, seed);
  try {
    await crowd.open();
    const losses = await trouble(promised, deployment, crowd, seededRandom(seed));
    await crowd.end();
    report(crowd.lines, seed);
    expect(faultsOfExclusion(crowd.lines, losses)).toEqual([]);
    expect(unservedOf(crowd.explained)).toEqual([]);
    expect(unexpected(promised, deployment, crowd.explained)).toEqual([]);
    expect(crowd.idle()).toEqual([]);
    await nothingIsLeft(deployment);
  } catch (error) {
    throw new Error(`REDISLOCK_SEED=${seed}: ${String(error)}`, { cause: error });
  } finally {
    await crowd.kill();
    await deployment.stop();
    await compiled.remove();
  }
}

/** The processes of a trial. */
class Crowd {
  readonly lines: Line[] = [];
  readonly #compiled: Compiled;
  readonly #promised: Promised;
  readonly #deployment: Deployment;
  #seed: number;
  readonly #steady: NodeProcess[] = [];
  readonly #mortal: NodeProcess[] = [];
  /** Those that stood still for a while. */
  readonly #stopped = new Set<string>();
  /** What each is called in its lines. */
  readonly #nameOf = new Map<NodeProcess, string>();
  readonly #names: string[] = [];

  constructor(compiled: Compiled, promised: Promised, deployment: Deployment, seed: number) {
    this.#compiled = compiled;
    this.#promised = promised;
    this.#deployment = deployment;
    this.#seed = seed;
  }

  async open(): Promise<void> {
    for (const library of STEADY) this.#steady.push(this.#start(library, this.#promised.ttl));
    const random = seededRandom(this.#seed);
    for (let index = 0; index < MORTAL; index++) this.#mortal.push(this.#startMortal(random));
    await this.#untilBusy();
  }

  /** One is gone without a word, and another comes. */
  async killOne(random: Random): Promise<void> {
    const index = random(this.#mortal.length);
    await this.#mortal[index]?.stop();
    this.#mortal[index] = this.#startMortal(random);
  }

  /** One stands still, and may wake up in another world. */
  async stopOne(random: Random): Promise<void> {
    const one = this.#mortal[random(this.#mortal.length)];
    if (!one) return;
    // At the worst moment, if that comes soon: with a lock that it means to keep for longer than its lease.
    await waitUntil(() => this.#holdsOn(one), { timeout: 5_000 }).catch(() => undefined);
    this.#stopped.add(this.#nameOf.get(one) ?? "");
    one.kill("SIGSTOP");
    await sleep(random(2) * MORTAL_TTL + random(MORTAL_TTL));
    one.kill("SIGCONT");
  }

  #holdsOn(one: NodeProcess): boolean {
    const name = this.#nameOf.get(one);
    const ended = new Set(this.lines.flatMap((line) => (line.type === "ended" ? [line.id] : [])));
    return grantsOf(this.lines).some(
      ({ id, how }) => how === "renew" && id.startsWith(`${name} `) && !ended.has(id),
    );
  }

  /** All let go, close what they have opened, and then end by themselves. */
  async end(): Promise<void> {
    const all = [...this.#steady, ...this.#mortal];
    for (const one of all) one.send("end");
    const timeout = this.#promised.bound + 20_000;
    await Promise.all(all.map((one) => one.waitForLine("closed", { timeout })));
    await Promise.all(this.#deployment.servers.map(untilNobodyIsConnected));
    for (const one of all) one.send("go");
    for (const one of all) {
      expect(await one.exited).toEqual({ code: 0, signal: null });
      expect(one.stderr).toBe("");
    }
  }

  /** All lines but the unknown outcomes of those that stood still for longer than an answer may take. */
  get explained(): Line[] {
    const slept = (line: Line): boolean =>
      line.type === "failed" && line.code === "UNKNOWN" && this.#stopped.has(line.by);
    return this.lines.filter((line) => !slept(line));
  }

  /** Who had nothing. */
  idle(): string[] {
    const busy = grantsOf(this.lines).map(({ id }) => id.split(" ")[0]);
    return this.#names.slice(0, STEADY.length).filter((name) => !busy.includes(name));
  }

  async kill(): Promise<void> {
    await Promise.all([...this.#steady, ...this.#mortal].map((one) => one.stop()));
  }

  #startMortal(random: Random): NodeProcess {
    return this.#start(libraries[random(libraries.length)] ?? "ioredis 6", MORTAL_TTL);
  }

  #start(library: Library, ttl: number): NodeProcess {
    const name = `${library.replace(" ", "-")}#${this.#names.length}`;
    this.#names.push(name);
    this.#seed += LOOPS;
    const { access } = this.#deployment;
    const { bound } = this.#promised;
    const orders: Orders = {
      name,
      library,
      access,
      keys: KEYS,
      loops: LOOPS,
      ttl,
      bound,
      seed: this.#seed,
    };
    const child = startProcess(this.#compiled.file("worker"), { args: [JSON.stringify(orders)] });
    this.#nameOf.set(child, name);
    void this.#listen(child);
    return child;
  }

  async #listen(child: NodeProcess): Promise<void> {
    for await (const text of child.lines) {
      const line = readLine(text);
      if (line) this.lines.push(line);
    }
  }

  async #untilBusy(): Promise<void> {
    await Promise.all(
      [...this.#steady, ...this.#mortal].map((one) =>
        one.waitForLine("granted", { timeout: 100_000 }),
      ),
    );
  }
}

/** Each fault in turn, in an order that chance chooses, until the time is over and each was there. */
async function trouble(
  { ttl }: Promised,
  deployment: Deployment,
  crowd: Crowd,
  random: Random,
): Promise<Loss[]> {
  const faults: Record<string, Fault> = {
    ...deployment.faults,
    "a process is killed": { run: (by) => crowd.killOne(by) },
    "a process is stopped": { run: (by) => crowd.stopOne(by) },
  };
  const losses: Loss[] = [];
  const end = now() + DURATION;
  let rounds = 0;
  do {
    for (const [what, { run, loses }] of shuffled(Object.entries(faults), random)) {
      if (rounds > 0 && now() >= end) break;
      await sleep(random(500));
      const from = now();
      await run(random);
      if (loses) losses.push({ what, from, to: loses === "meanwhile" ? now() : Infinity });
    }
    rounds++;
  } while (now() < end);
  await deployment.heal?.();
  // So that those who go on show that all is well again.
  await sleep(Math.min(ttl, 1_000));
  return losses;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.flatMap(() => left.splice(random(left.length), 1));
}

/** Answers that no fault explains. */
function unexpected(
  { refusals = [] }: Promised,
  { faults }: Deployment,
  lines: readonly Line[],
): string[] {
  const isTroubled = Object.keys(faults).length > 0;
  return failuresOf(lines)
    .filter(({ code }) => !(isTroubled && code === "UNKNOWN"))
    .filter(({ code }) => !refusals.some((reply) => code === `REFUSED ${reply}`))
    .map(({ how, code, message }) => `${how}: ${code}: ${message}`);
}

/** A sentinel that makes a master a replica cuts all connections to it, those of the test among them. */
function cutOff(error: unknown): undefined {
  if (error instanceof RespError) throw error;
}

async function untilNobodyIsConnected(server: RedisServer): Promise<void> {
  let strangers: string[] = [];
  const isAlone = async (): Promise<boolean> => {
    const list = await server.command("CLIENT", "LIST").catch(cutOff);
    if (list === undefined) return false;
    const clients = String(list).trim().split("\n");
    // Not ourselves (U), and neither who follows (S), nor who is followed (M), nor who watches.
    strangers = clients.filter((line) => !/ flags=\w*[USM]| name=sentinel-/.test(line));
    return strangers.length === 0;
  };
  await waitUntil(isAlone, { what: `no connection to ${server.port}`, interval: 50 }).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${strangers.join("\n")}`);
    },
  );
}

/** Once the leases of the dead are over, and somebody has asked, nothing is there but the last tokens. */
async function nothingIsLeft({ access, servers }: Deployment): Promise<void> {
  const { client, close } = await connect("node-redis 6", access);
  const locker = new Locker(client);
  let left: string[] = [];
  const isClean = async (): Promise<boolean> => {
    for (const key of KEYS) await (await locker.tryObtain(key, 1_000))?.release();
    const found = await Promise.all(servers.map(remains)).catch(cutOff);
    if (found === undefined) return false;
    left = found.flat();
    return left.length === 0;
  };
  try {
    await waitUntil(isClean, { what: "nothing to be left", interval: 200 }).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${left.join(", ")}`);
      },
    );
  } finally {
    await locker.close();
    await close();
  }
}

/** The keys of a master that should not be there, or should not stay. */
async function remains(server: RedisServer): Promise<string[]> {
  const [role] = [await server.command("ROLE")].flat();
  if (role !== "master") return [];
  const keys = [await server.command("KEYS", "*")].flat().map(String);
  const found = keys.map(async (key) => {
    const ttl = Number(await server.command("PTTL", key));
    return ttl >= 0 && FENCE.test(key) ? [] : [`${key} (${ttl} ms)`];
  });
  return (await Promise.all(found)).flat();
}

/** What was tried, so that whoever reads of success can see that something happened. */
function report(lines: readonly Line[], seed: number): void {
  const codes = new Map<string, number>();
  for (const { code } of failuresOf(lines)) codes.set(code, (codes.get(code) ?? 0) + 1);
  const failed = [...codes].map(([code, count]) => `, ${count} ${code}`).join("");
  const waited = Math.round(longestWait(lines));
  process.stdout.write(
    `${expect.getState().currentTestName}: ${grantsOf(lines).length} locks, longest wait ${waited} ms${failed} (seed ${seed})\n`,
  );
}
