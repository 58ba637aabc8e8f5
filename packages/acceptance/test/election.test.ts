/** What an election promises across processes, some of which are killed, stopped, or without Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import {
  compilePackage,
  type Compiled,
  type NodeProcess,
  type RedisServer,
  startProcess,
  startServer,
  untilInLine,
  waitUntil,
} from "@redislock/test-kit";

import { ioredis, type Kind, nodeRedis } from "./clients.js";
import { loadScripts } from "./scenes.js";

const KEY = "scheduler";
/** Far longer than any test takes: who comes to lead in less was told. */
const LONG = 60_000;
const KINDS = [ioredis(6), nodeRedis(6), ioredis(5)];
const NAMES = ["ann", "bob", "cid"];

let compiled: Compiled;
let server: RedisServer;
const processes: NodeProcess[] = [];

beforeAll(async () => {
  [compiled, server] = await Promise.all([
    compilePackage(new URL("..", import.meta.url)),
    startServer(),
  ]);
  await loadScripts(server);
});

afterEach(async () => {
  for (const process of processes.splice(0)) await process.stop();
  await server.command("FLUSHALL");
});

afterAll(async () => {
  await server.stop();
  await compiled.remove();
});

/** A process that stands for election, and follows it. */
class Candidate {
  readonly name: string;
  readonly process: NodeProcess;
  readonly lines: string[] = [];

  constructor(kind: Kind, name: string, ttl: number) {
    this.name = name;
    const args = [kind.name, String(server.port), KEY, name, String(ttl)];
    this.process = startProcess(compiled.file("candidate"), { args });
    processes.push(this.process);
    void this.#listen();
  }

  /** Resolves to the fencing token of its first term. */
  async leads(): Promise<number> {
    return Number((await this.says(/^leads /)).split(" ")[1]);
  }

  async sees(leader: Candidate, fence: number): Promise<void> {
    await this.says(`sees ${leader.name} ${fence}`);
  }

  /** Resolves to the first line of this kind, in whatever order they come. */
  async says(match: RegExp | string): Promise<string> {
    const find = (): string | undefined =>
      this.lines.find((line) => (typeof match === "string" ? line === match : match.test(line)));
    await waitUntil(() => find() !== undefined, {
      what: `${this.name} to say ${String(match)}`,
      timeout: 25_000,
    });
    return find() ?? "";
  }

  async #listen(): Promise<void> {
    for await (const line of this.process.lines) this.lines.push(line);
  }
}

/** Three of them in line, in this order; the first leads, and all know. */
async function elect(ttl: number): Promise<[Candidate, Candidate, Candidate, number]> {
  const [first, ...others] = NAMES.map((name, index) => () => {
    const kind = KINDS[index];
    if (!kind) throw new Error("never");
    return new Candidate(kind, name, ttl);
  });
  const a = first?.();
  if (!a) throw new Error("never");
  const fence = await a.leads();
  const rest: Candidate[] = [];
  for (const [index, start] of others.entries()) {
    rest.push(start());
    await untilInLine(server, KEY, index + 1);
  }
  const [b, c] = rest;
  if (!b || !c) throw new Error("never");
  for (const one of [b, c]) await one.sees(a, fence);
  return [a, b, c, fence];
}

/** No two leaders have the same fencing token, and whoever follows sees it rise. */
function expectOrder(...all: Candidate[]): void {
  const names = new Map<number, string>();
  for (const one of all) {
    const told = one.lines.filter((line) => /^sees \w+ /.test(line));
    const fences = told.map((line) => Number(line.split(" ")[2]));
    expect(fences).toEqual([...fences].sort((x, y) => x - y));
    for (const [index, line] of told.entries()) {
      const [, name = ""] = line.split(" ");
      expect(names.get(fences[index] ?? 0) ?? name).toBe(name);
      names.set(fences[index] ?? 0, name);
    }
  }
}

/** Resolves to the fencing token of a term after that one, of whichever of them. */
async function another(fence: number, ...all: Candidate[]): Promise<number> {
  const terms = new RegExp(`^leads (?!${fence}$)`);
  const find = (): string | undefined =>
    all.flatMap(({ lines }) => lines).find((line) => terms.test(line));
  await waitUntil(() => find() !== undefined, { what: "another term", timeout: 25_000 });
  return Number(find()?.split(" ")[1]);
}

describe("of three processes one leads, and the others know who", () => {
  test("a leader that resigns hands over to the next at once, and all are told", async () => {
    const [a, b, c, fence] = await elect(LONG);
    a.process.send("resign");
    await a.says("ended resign");
    const next = await b.leads();
    expect(next).toBeGreaterThan(fence);
    for (const one of [a, b, c]) await one.sees(b, next);
    expectOrder(a, b, c);
  });

  test("a leader that is killed is followed by the next when its lease is over", async () => {
    const [a, b, c, fence] = await elect(4_000);
    await a.process.stop();
    const next = await b.leads();
    expect(next).toBeGreaterThan(fence);
    for (const one of [b, c]) await one.sees(b, next);
    expectOrder(b, c);
  });

  test("a leader that was stopped past its lease learns first that it leads no more", async () => {
    const [a, b, c, fence] = await elect(4_000);
    a.process.kill("SIGSTOP");
    const next = await b.leads();
    for (const one of [b, c]) await one.sees(b, next);
    a.process.kill("SIGCONT");
    await a.says(`lost ${fence} false`);
    await a.sees(b, next);
    // It stands in line again, behind the other.
    await untilInLine(server, KEY, 2);
    b.process.send("resign");
    const third = await c.leads();
    for (const one of [a, b, c]) await one.sees(c, third);
    expectOrder(a, b, c);
  });

  test("after a forced release the next leads at once, and the former learns of it", async () => {
    const [a, b, c, fence] = await elect(6_000);
    const operator = await ioredis(6).connect(server.port);
    expect(await operator.locker().forceRelease(KEY)).toBe(true);
    operator.destroy();
    const next = await b.leads();
    for (const one of [b, c]) await one.sees(b, next);
    await a.says(`lost ${fence} false`);
    await a.sees(b, next);
    expectOrder(a, b, c);
  });

  test("a restart of Redis that keeps the data within the lease changes nothing", async () => {
    const [a, b, c, fence] = await elect(10_000);
    await server.restart();
    a.process.send("resign");
    await a.says("ended resign");
    const next = await another(fence, b, c); // Whoever is back first.
    expect(next).toBeGreaterThan(fence);
    for (const one of [b, c]) await one.says(new RegExp(`^sees \\w+ ${next}$`));
    expect(a.lines).not.toContainEqual(expect.stringMatching(/^lost/));
    expectOrder(a, b, c);
  });

  test("a restart of Redis without the data ends the term, and another is elected", async () => {
    const [a, b, c, fence] = await elect(5_000);
    await server.restart({ empty: true });
    await a.says(`lost ${fence} false`);
    const next = await another(fence, a, b, c);
    expect(next).toBeGreaterThan(fence);
    const seen = new RegExp(`^sees \\w+ ${next}$`);
    for (const one of [a, b, c]) await one.says(seen);
    expectOrder(a, b, c);
  });
});
