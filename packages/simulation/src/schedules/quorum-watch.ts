/** What must hold of a lock that a majority of several servers keeps. */
import type { MemoryServer } from "@redislock/testing";

import { listOf, type LockNames, locksIn, servesLine, stateOf, tokenIn } from "../protocol.js";
import type { Run, ServerWatch, SimulatedServer } from "../server.js";
import { Violation, type Wrong } from "../violation.js";
import { Beliefs, type Hold } from "./beliefs.js";

/** Milliseconds after which it is looked again whether a server that hung has nothing left. */
const LATER = 500;
/** How much later on the true time a lease may end than a server says, by rounding. */
const ROUNDING = 1;

/** What is known of one of the servers. */
interface Facts {
  readonly server: SimulatedServer;
  /** When the leases end that it has ever proved, by token: true time. */
  readonly proved: Map<string, number>;
  /** The same, of those that it must not have given to another yet. */
  readonly kept: Map<string, number>;
  /** The order of the last refresh that may have cut a lease, by token: whoever cuts it wants no longer one. */
  readonly cuts: Map<string, number>;
  /** When it was started, when it last forgot fences, and locks without being started: true time. */
  startedAt: number;
  forgotAt: number;
  unseenAt: number;
  /** Its clock told the truth about how long it has been up. */
  tellsAge: boolean;
}

/** Who was granted a lock last, and which servers remember that. */
interface LastGrant {
  readonly token: string;
  readonly fencingToken: number;
  readonly remembering: Set<Facts>;
}

export class QuorumWatch extends Beliefs {
  /** In the calm, some servers hang or are gone. */
  hindered = false;
  /** The longest ttl that is asked for. */
  maxTtl = 0;
  readonly #servers: Facts[] = [];
  readonly #locks = new Map<string, LockNames>();
  readonly #last = new Map<string, LastGrant>();
  /** When each was first proved: no sooner can it have been asked for. */
  readonly #begun = new Map<string, number>();
  /** A majority forgot something, so that fencing tokens may have fallen. */
  #inDoubt = false;

  override report(wrong: Wrong, details: string): void {
    if (wrong === "a guarded write that is undone" && this.#inDoubt) return;
    super.report(wrong, details);
  }

  /** Adds a server; returns what sees the scripts that it runs. */
  add(name: string, create: (watch: ServerWatch) => SimulatedServer): SimulatedServer {
    const after = (memory: MemoryServer, run: Run): void => this.#after(name, facts, memory, run);
    const facts: Facts = {
      server: create({ before: (memory) => this.foreign.before(memory), after }),
      ...{ proved: new Map(), kept: new Map(), cuts: new Map(), tellsAge: true },
      ...{ startedAt: -Infinity, forgotAt: -Infinity, unseenAt: -Infinity },
    };
    this.#servers.push(facts);
    return facts.server;
  }

  /** It was started, with all its memory or not. */
  started(server: SimulatedServer, forgot: boolean): void {
    const facts = this.#of(server);
    facts.startedAt = this.timeline.now;
    facts.tellsAge = true;
    if (forgot) this.#losesFences(facts);
  }

  /** It forgot its locks, or its clock ended them, and it does not know. */
  forgets(server: SimulatedServer, how: "clock" | "everything"): void {
    const facts = this.#of(server);
    facts.kept.clear();
    facts.unseenAt = this.timeline.now;
    if (how === "clock") facts.tellsAge = false;
    else this.#losesFences(facts);
  }

  #losesFences(facts: Facts): void {
    facts.forgotAt = this.timeline.now;
    for (const { remembering } of this.#last.values()) remembering.delete(facts);
  }

  override hold(hold: Hold): void {
    super.hold(hold);
    const { key, fencingToken, token } = hold.lock;
    const names = this.#locks.get(key);
    if (!names) throw new Error(`nobody asked for ${key}`);
    const last = this.#last.get(key);
    const isKnown = (last?.remembering.size ?? Infinity) >= this.#majority;
    if (last && fencingToken <= last.fencingToken && token !== last.token) {
      const both = `${key}: ${last.fencingToken}, ${fencingToken}`;
      // Of one that was lost unseen, it may be heard when another has been told of the next.
      if (isKnown && !this.#isLost(hold)) this.report("a fencing token that does not rise", both);
      else this.#inDoubt = true;
    }
    const begun = this.#begun.get(token) ?? 0;
    const remembering = this.#servers.filter(
      ({ server, proved }) =>
        proved.has(token) && Number(server.memory.command("GET", names.fence)) >= fencingToken,
    );
    const excused = this.#servers.filter(({ forgotAt }) => forgotAt >= begun);
    if (new Set([...remembering, ...excused]).size < this.#majority) {
      this.report("a fencing token that too few servers remember", `${fencingToken} of ${key}`);
    }
    this.#last.set(key, { token, fencingToken, remembering: new Set(remembering) });
  }

  /** Two may have it at once only if no majority is left that keeps it for the first. */
  protected override checkHolders(holds: ReadonlySet<Hold>): void {
    const first = new Map<string, Hold>();
    for (const hold of holds) {
      this.#checkProved(hold);
      this.#checkForeign(hold);
      const { key, token } = hold.lock;
      const before = first.get(key);
      if (!before) first.set(key, hold);
      if (!before || before.lock.token === token) continue;
      // Whichever of them was told first: a process that was paused hears of an older one later.
      if (!this.#isLost(before) && !this.#isLost(hold)) {
        this.report("two holders at once", `${before.name} and ${hold.name} have ${key} at once`);
      }
      this.#inDoubt = true;
    }
  }

  /** A plain lock at a majority keeps ours out, and is kept out by them, unless a server forgot one of them. */
  #checkForeign(hold: Hold): void {
    const { key, token } = hold.lock;
    for (const foreign of this.foreign.holders) {
      const since = Math.min(foreign.since, this.#begun.get(token) ?? 0);
      const hasForgotten = this.#servers.some(
        ({ forgotAt, unseenAt }) => Math.max(forgotAt, unseenAt) >= since,
      );
      if (hasForgotten || !foreign.lock.keys.includes(key)) continue;
      this.report("two holders at once", `${foreign.name} and ${hold.name} have ${key} at once`);
    }
  }

  protected override isExcused(hold: Hold): boolean {
    return this.#inDoubt || this.#isLost(hold);
  }

  /** Servers have forgotten it without being started, and those that have not are no majority. */
  #isLost({ lock: { token } }: Hold): boolean {
    const { now } = this.timeline;
    const begun = this.#begun.get(token) ?? 0;
    const keeping = this.#servers.filter(({ kept }) => (kept.get(token) ?? 0) > now);
    const hasForgotten = this.#servers.some(({ unseenAt }) => unseenAt >= begun);
    return hasForgotten && keeping.length < this.#majority;
  }

  override turnedAway(name: string, error: unknown): void {
    // Of the majority that it has, some may be among those that hang.
    if (!this.hindered) super.turnedAway(name, error);
  }

  /** The lease is the one that a majority proves. */
  #checkProved({ name, lock: { token }, until, process: { clock, rate } }: Hold): void {
    // Nobody has looked yet.
    if (until === Infinity) return;
    const end = this.timeline.now + (until - clock.now()) / rate;
    const proving = this.#servers.filter(
      ({ proved }) => (proved.get(token) ?? 0) >= end - ROUNDING,
    );
    if (proving.length >= this.#majority) return;
    this.report("a lease that too few servers prove", `${name}, until ${end.toFixed(1)}`);
  }

  #after(name: string, facts: Facts, memory: MemoryServer, run: Run): void {
    const { script, keys, outcome } = run;
    const { now } = this.timeline;
    this.checkForeign(memory, run);
    this.history.note(name, () => {
      const told = "error" in outcome ? outcome.error.message : JSON.stringify(outcome.reply);
      return `${script.name} ${keys[0] ?? ""} ${run.args.slice(0, 3).join(" ")}: ${told}`;
    });
    const isYoung = facts.tellsAge && now - facts.startedAt < this.maxTtl;
    if (script.name === "vote" && isYoung && isGranted(run)) {
      this.report("a vote of a server that is too young", name);
    }
    if (servesLine(script)) {
      for (const names of locksIn(script, keys)) this.#locks.set(names.key, names);
    }
    // What came too late to count may be given back while the lock is held.
    if (script.name === "leave") facts.kept.delete(tokenIn(run.args[0] ?? ""));
    const isCut = script.name === "shorten" && isLatest(run, facts.cuts);
    for (const { key } of this.#locks.values()) {
      const value = memory.command("GET", key);
      if (typeof value !== "string") continue;
      const token = tokenIn(value);
      const end = now + Number(memory.command("PTTL", key));
      if (!this.#begun.has(token)) this.#begun.set(token, now);
      facts.proved.set(token, Math.max(end, facts.proved.get(token) ?? 0));
      const kept = isCut && token === tokenIn(run.args[0] ?? "") ? 0 : facts.kept.get(token);
      facts.kept.set(token, Math.max(end, kept ?? 0));
    }
  }

  override checkNothingLeft(name: string, token: string): void {
    for (const { server } of this.#servers) this.#checkNothingLeft(server, name, token);
  }

  #checkNothingLeft(server: SimulatedServer, name: string, token: string): void {
    if (!server.up) return;
    if (server.hangs) {
      const later = (): void => this.#checkNothingLeft(server, name, token);
      this.timeline.at(this.timeline.now + LATER, later);
      return;
    }
    for (const names of this.#locks.values()) {
      const { holders, line } = stateOf(server.memory, names);
      if ([...holders, ...line].some(({ value }) => value.startsWith(token))) {
        this.report("something left behind", `${name} at ${names.key}`);
      }
    }
  }

  /** Nothing is held, nobody waits, and whatever is there ends by itself. */
  checkEnd(): void {
    for (const { server } of this.#servers) {
      if (!server.up) continue;
      const { memory } = server;
      for (const names of this.#locks.values()) {
        // Of the dead, places stay for as long as a line is remembered.
        const { holders } = stateOf(memory, names);
        if (holders.length > 0) this.report("something left behind", names.key);
      }
      for (const key of listOf(memory.command("KEYS", "*")).map(String)) {
        if (Number(memory.command("PTTL", key)) < 0) this.report("something left behind", key);
      }
    }
  }

  get #majority(): number {
    return Math.floor(this.#servers.length / 2) + 1;
  }

  #of(server: SimulatedServer): Facts {
    const facts = this.#servers.find((one) => one.server === server);
    if (!facts) throw new Violation("something left behind", "a server that nobody knows");
    return facts;
  }
}

/** Whether a refresh is no copy of one that is known, and comes behind none that was later. */
function isLatest({ args }: Run, orders: Map<string, number>): boolean {
  const [value = "", , , , order] = args;
  const token = tokenIn(value);
  if (Number(order) <= (orders.get(token) ?? 0)) return false;
  orders.set(token, Number(order));
  return true;
}

/** Whether a vote was given: its fencing token, perhaps with whether an echo was sent. */
function isGranted({ outcome }: Run): boolean {
  if (!("reply" in outcome)) return false;
  const { reply } = outcome;
  return typeof reply === "string" ? /^\d+$/.test(reply) : listOf(reply).length === 2;
}
