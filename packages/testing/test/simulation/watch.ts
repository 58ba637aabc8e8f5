import type { Lock, Reply, Script } from "@redislock/core";

import type { MemoryServer } from "../../src/index.js";
import type { History } from "./history.js";
import type { SimulatedProcess } from "./process.js";
import type { ServerWatch } from "./server.js";
import type { Timeline } from "./timeline.js";

/** What must never be. */
export type Wrong =
  | "two holders at once"
  | "a fencing token that does not rise"
  | "a lock that is held again without a new fencing token"
  | "a guarded write that is undone"
  | "a holder that is kept out by its fencing token"
  | "a call that does not settle"
  | "a waiter that is never served"
  | "a waiter that is served before its turn"
  | "a free lock with somebody in line"
  | "a grant that nobody is told of"
  | "something left behind";

export class Violation extends Error {
  readonly wrong: Wrong;

  constructor(wrong: Wrong, details: string) {
    super(`${wrong}: ${details}`);
    this.wrong = wrong;
  }
}

/** What a process believes of a lock. */
export interface Hold {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly lock: Lock;
  /** Until when it is its own for certain, on its own clock, as far as was seen. */
  until: number;
}

interface Call {
  readonly name: string;
  readonly process: SimulatedProcess;
  /** On the clock of the process. */
  readonly deadline: number;
  /** How long it may take after a pause. */
  readonly afterPause: number;
}

/** The names of one lock in Redis. */
interface Names {
  readonly key: string;
  readonly fence: string;
  readonly line: string;
  readonly waiters: string;
}

/** What is there of one lock. */
interface Sight {
  readonly value: string | undefined;
  readonly fence: string | undefined;
  /** First in line first. */
  readonly line: readonly Waiter[];
}

/** Who stands in line, as the server knows it. */
interface Waiter {
  readonly stale: number;
  readonly told: string;
  readonly keys: string;
  readonly value: string;
}

/** How late a call may be: timers have whole milliseconds. */
const LATE = 5;

/** After so many calm milliseconds, a grant has been heard. */
const SOON = 500;

/** The scripts that offer a free lock to those in line. */
const SERVING = new Set([
  "obtain",
  "obtainMany",
  "release",
  "releaseMany",
  "leave",
  "forceRelease",
]);

/** Sees everything that happens, and throws a {@link Violation} at what must not be. */
export class Watch implements ServerWatch {
  /** Nothing goes wrong any more: what then is late or out of order is wrong. */
  calm = false;
  /** Who wants a lock, by token. */
  readonly asking = new Map<string, SimulatedProcess>();
  readonly #holds = new Set<Hold>();
  readonly #calls = new Set<Call>();
  readonly #locks = new Map<string, Names>();
  readonly #highest = new Map<string, number>();
  #before = new Map<string, Sight>();
  readonly #timeline: Timeline;
  readonly #history: History;
  readonly #accepted: ReadonlySet<Wrong>;

  /** @param accepted - What may be after all. */
  constructor(timeline: Timeline, history: History, accepted: ReadonlySet<Wrong>) {
    this.#timeline = timeline;
    this.#history = history;
    this.#accepted = accepted;
  }

  /** @throws Violation */
  report(wrong: Wrong, details: string): void {
    if (!this.#accepted.has(wrong)) throw new Violation(wrong, details);
  }

  /**
   * A call that has to settle within so many milliseconds, or so many after a pause of the process;
   * returns what to call when it did.
   */
  call(process: SimulatedProcess, name: string, within: number, afterPause: number): () => void {
    const call = { name, process, deadline: process.clock.now() + within + LATE, afterPause };
    this.#calls.add(call);
    return () => this.#calls.delete(call);
  }

  /** Somebody has a lock, and believes so until it is lost or let go. */
  hold(hold: Hold): void {
    this.#holds.add(hold);
  }

  letGo(hold: Hold): void {
    this.#holds.delete(hold);
  }

  /** Somebody was refused for its fencing token. */
  keptOut(lock: Lock): void {
    for (const hold of this.#holds) {
      if (hold.lock !== lock || hold.process.clock.now() >= hold.until) continue;
      this.report("a holder that is kept out by its fencing token", hold.name);
    }
  }

  /** Looks at what the processes believe. */
  look(): void {
    for (const hold of this.#holds) {
      const { process, lock } = hold;
      // A paused process cannot be asked; it still believes what it did.
      if (process.awake > 0) hold.until = process.clock.now() + lock.remaining;
      if (!process.alive || process.clock.now() >= hold.until) this.#holds.delete(hold);
    }
    for (const one of this.#holds) {
      for (const other of this.#holds) {
        if (one === other || !one.lock.keys.some((key) => other.lock.keys.includes(key))) continue;
        this.report("two holders at once", `${one.name} and ${other.name}`);
      }
    }
    for (const { name, process, deadline, afterPause } of this.#calls) {
      if (process.awake > afterPause + LATE && process.clock.now() > deadline) {
        this.report("a call that does not settle", name);
      }
    }
  }

  before(server: MemoryServer): void {
    this.#before = new Map([...this.#locks].map(([key, names]) => [key, sight(server, names)]));
  }

  after(
    server: MemoryServer,
    script: Script,
    keys: readonly string[],
    args: readonly string[],
  ): void {
    if (SERVING.has(script.name)) this.#learn(keys);
    for (const names of this.#locks.values()) {
      const before = this.#before.get(names.key);
      const after = sight(server, names);
      if (this.#isNewGrant(names, before, after) && this.calm) {
        const leaving = script.name === "leave" ? args[0] : undefined;
        this.#checkTurn(server, names.key, after.value ?? "", before?.line ?? [], leaving);
        this.#expectNews(names.key, after.value ?? "");
      }
      if (this.calm && SERVING.has(script.name) && keys.includes(names.key)) {
        // A lease that ended by itself was handed on to nobody, and a release finds nothing to hand on.
        const handsOn = !script.name.startsWith("release") || before?.value !== undefined;
        if (handsOn) this.#checkServed(server, names, after);
      }
    }
  }

  /** Whether anything of an obtain that was given up is there still. */
  checkNothingLeft(server: MemoryServer, name: string, token: string): void {
    for (const names of this.#locks.values()) {
      const { value, line } = sight(server, names);
      if (value?.startsWith(token) || line.some((waiter) => waiter.value.startsWith(token))) {
        this.report("something left behind", `${name} at ${names.key}`);
      }
    }
  }

  #learn(keys: readonly string[]): void {
    for (let i = 0; i < keys.length; i += 4) {
      const [key = "", fence = "", line = "", waiters = ""] = keys.slice(i);
      this.#locks.set(key, { key, fence, line, waiters });
    }
  }

  #isNewGrant({ key }: Names, before: Sight | undefined, { value, fence }: Sight): boolean {
    if (value === undefined || (value === before?.value && fence === before.fence)) return false;
    if (fence === before?.fence) {
      this.report("a lock that is held again without a new fencing token", `${key} by ${value}`);
    }
    const number = Number(fence?.split(":")[0]);
    const highest = this.#highest.get(key) ?? 0;
    this.#history.note("", () => `  ${key} is granted to ${value}, fencing token ${number}`);
    if (!(number > highest)) {
      this.report("a fencing token that does not rise", `${key}: ${highest}, ${number}`);
    }
    this.#highest.set(key, number);
    return true;
  }

  /** First come, first served, but for those who leave or have not been heard of for too long. */
  #checkTurn(
    server: MemoryServer,
    key: string,
    value: string,
    line: readonly Waiter[],
    leaving: string | undefined,
  ): void {
    const head = line.find((waiter) => waiter.value !== leaving && waiter.stale >= server.now());
    if (head === undefined || head.value === value) return;
    this.report("a waiter that is served before its turn", `${value} at ${key}`);
  }

  #expectNews(key: string, value: string): void {
    this.#timeline.at(this.#timeline.now + SOON, () => {
      if (!this.asking.get(value)?.alive) return;
      this.report("a grant that nobody is told of", `${value} at ${key}`);
    });
  }

  /** A lock that was given back does not stay free while somebody in line could be told. */
  #checkServed(server: MemoryServer, { key }: Names, { value, line: [head] }: Sight): void {
    if (value !== undefined || !head || head.stale < server.now()) return;
    if (head.told === "0" || head.keys !== "1") return;
    this.report("a free lock with somebody in line", key);
  }
}

function sight(server: MemoryServer, { key, fence, line, waiters }: Names): Sight {
  return {
    value: text(server.command("GET", key)),
    fence: text(server.command("GET", fence)),
    line: list(server.command("ZRANGE", line, "0", "-1")).map((id) => {
      const waiter = String(server.command("HGET", waiters, String(id)));
      const [stale, told = "", keys = "", , , , , ...value] = waiter.split(" ");
      return { stale: Number(stale), told, keys, value: value.join(" ") };
    }),
  };
}

function text(reply: Reply): string | undefined {
  return typeof reply === "string" ? reply : undefined;
}

function list(reply: Reply): readonly Reply[] {
  return typeof reply === "object" ? (reply ?? []) : [];
}
