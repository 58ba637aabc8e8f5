import type { MemoryServer } from "@redislock/testing";

import { isForeign } from "../foreign.js";
import { isOutOfMemory } from "../memory-full.js";
import {
  askerIn,
  asksFor,
  checkInOf,
  fencingTokenGranted,
  hasRoom,
  type Holder,
  isRelease,
  isUnfinished,
  ticketIn,
  leaverIn,
  type LockNames,
  locksIn,
  type LockState,
  losesTurn,
  servesLine,
  stateOf,
  toldNobody,
  type Waiter,
  worksWithMemoryFull,
} from "../protocol.js";
import { FencingTokens, mayShare } from "../safety.js";
import type { Run, ServerWatch } from "../server.js";
import { Beliefs, type Hold } from "./beliefs.js";
import { endedSilently } from "../foreign-locks.js";
import type { SimulatedProcess } from "./process.js";

/** After so many calm milliseconds, a grant has been heard, and a free lock is somebody's. */
const SOON = 500;
/** The same for a grant to one who hears no messages, and asks after half of its ttl. */
const CHECKED_IN = 1_500;
/** So many milliseconds after it learned that a message was not heard, a process has subscribed anew. */
const HEARS_AGAIN = 1_100;

/** Sees everything that happens, also in the server, and throws a {@link Violation} at what must not be. */
export class Watch extends Beliefs implements ServerWatch {
  /** How many may be gone from a line after one script; undefined for any number. */
  mostGone: number | undefined;
  readonly #locks = new Map<string, LockNames>();
  readonly #fencingTokens = new FencingTokens();
  #server: MemoryServer | undefined;
  #before = new Map<string, LockState>();
  /** Since when a lock has been free although the first of those in line who live could be told. */
  readonly #freeSince = new Map<string, number>();
  /** The locks that a foreign program has deleted, which nobody has had since. */
  readonly #silently = new Set<string>();
  /** Those whose lease was told to nobody, as too many dead stood in front of the first who lives. */
  readonly #untold = new Set<string>();
  /** Fencing tokens of grants that were sent to a process that hears no messages. */
  readonly #unheard = new Map<string, SimulatedProcess>();

  override hold(hold: Hold): void {
    super.hold(hold);
    this.#expectToHear(hold);
  }

  /** The locks that were asked for. */
  get locks(): readonly LockNames[] {
    return [...this.#locks.values()];
  }

  /** A message was sent to a process whose subscription is deaf. */
  override unheard(process: SimulatedProcess, message: string): void {
    const fence = fencingTokenGranted(message);
    if (fence !== undefined) this.#unheard.set(fence, process);
  }

  before(server: MemoryServer): void {
    this.#server = server;
    this.#before = new Map([...this.#locks].map(([key, names]) => [key, stateOf(server, names)]));
    this.foreign.before(server);
  }

  after(server: MemoryServer, { script, keys, args, outcome }: Run): void {
    this.history.note("server", () => {
      const told = "error" in outcome ? outcome.error.message : JSON.stringify(outcome.reply);
      const whose = askerIn(script, args).replace(/-+$/, "");
      return `${script.name} ${keys[0] ?? ""} for ${whose}: ${told}`;
    });
    this.checkForeign(server, { script, keys, args, outcome });
    if (isForeign(script)) {
      this.#lookAtForeign(server, { script, keys, args, outcome });
      return;
    }
    this.#checkMemoryFull({ script, keys, args, outcome });
    if (servesLine(script))
      for (const names of locksIn(script, keys)) this.#locks.set(names.key, names);
    for (const names of this.#locks.values()) {
      const before = this.#before.get(names.key);
      const after = stateOf(server, names);
      const gone = (before?.line.length ?? 0) - after.line.length;
      this.#checkBound(names.key, gone);
      if (toldNobody(gone)) this.#untold.add(names.key);
      else if (before?.value !== after.value) this.#untold.delete(names.key);
      if (this.calm) this.#checkFree(server, names, after);
      const granted = this.#newGrants(names, before, after);
      if (!mayShare(after.holders.map(({ sharing }) => sharing))) {
        const all = after.holders.map(({ value }) => value);
        this.report("two holders at once", `${all.join(" and ")} have ${names.key} in the server`);
      }
      if (after.astray > 0 || after.astray < 0) {
        this.report("permits that nobody has", `${after.astray} of ${names.key}`);
      }
      for (const { value, sharing } of granted) {
        const waited = before?.line.some((waiter) => waiter.value === value);
        if (sharing && !waited && !asksFor(script, args, value)) {
          this.report("a lock that is held again without a new fencing token", value);
        }
        if (!this.calm) continue;
        // Who was dropped from the line comes back before those who came later.
        const asked = ticketIn(script, args, value);
        const line = (before?.line ?? []).filter(({ ticket }) => ticket < (asked ?? Infinity));
        this.#checkTurn(server, names.key, value, line, [
          leaverIn(script, args),
          ...granted.map((one) => one.value),
        ]);
        this.#expectNews(names.key, value);
      }
      if (this.calm && servesLine(script) && keys.includes(names.key)) {
        // A lease that ended by itself was handed on to nobody, and a release finds nothing to hand on.
        const handsOn = !isRelease(script) || before?.value !== undefined;
        const goesOn = "reply" in outcome && isUnfinished(script, outcome.reply);
        if (handsOn && !goesOn) this.#checkServed(server, names, after);
      }
    }
  }

  /** Whether anything of an obtain that was given up is there still. */
  override checkNothingLeft(name: string, token: string): void {
    const server = this.#server;
    if (!server) return;
    for (const names of this.#locks.values()) {
      const { holders, line } = stateOf(server, names);
      if ([...holders, ...line].some(({ value }) => value.startsWith(token))) {
        this.report("something left behind", `${name} at ${names.key}`);
      }
    }
  }

  /** Who is in line for what a foreign program has deleted is not told, and has to find that out. */
  #lookAtForeign(server: MemoryServer, run: Run): void {
    for (const key of endedSilently(run)) this.#silently.add(key);
    if (!this.calm) return;
    for (const names of this.#locks.values()) {
      this.#checkFree(server, names, stateOf(server, names));
    }
  }

  /** Those who have a lock now, and did not before. */
  #newGrants({ key }: LockNames, before: LockState | undefined, after: LockState): Holder[] {
    const granted = after.holders.filter(
      ({ value, fence, seat }) =>
        !before?.holders.some(
          (one) => one.value === value && one.fence === fence && one.seat === seat,
        ),
    );
    for (const { value, fence, sharing } of granted) {
      if (!sharing && (fence === undefined || fence === before?.fence)) {
        this.report("a lock that is held again without a new fencing token", `${key} by ${value}`);
      }
      const number = fence ?? 0;
      this.history.note("", () => `  ${key} is granted to ${value}, fencing token ${number}`);
      // All of one phase have the same; that of the next is above it.
      if (sharing && after.phase === before?.phase) continue;
      const holder = sharing ? `those who share it from ${this.timeline.now}` : value;
      const fallen = this.#fencingTokens.given(key, number, holder);
      if (fallen !== undefined) this.report("a fencing token that does not rise", fallen);
    }
    return granted;
  }

  /** First come, first served, but for those who leave or lose their turn. */
  #checkTurn(
    server: MemoryServer,
    key: string,
    value: string,
    line: readonly Waiter[],
    passed: readonly (string | undefined)[],
  ): void {
    const first = line.find(
      (one) => one.value === value || (!passed.includes(one.value) && !losesTurn(server, one)),
    );
    if (first === undefined || first.value === value) return;
    this.report("a waiter that is served before its turn", `${value} at ${key}`);
  }

  #expectNews(key: string, value: string): void {
    const within = this.asking.get(value)?.deaf ? CHECKED_IN : SOON;
    this.timeline.at(this.timeline.now + within, () => {
      if (!this.asking.get(value)?.alive) return;
      this.report("a grant that nobody is told of", `${value} at ${key}`);
    });
  }

  /** Who had to find out by itself that it has a lock finds out as well that it is deaf. */
  #expectToHear({ name, process, lock, sharing }: Hold): void {
    const fence = String(lock.fencingToken);
    // Who shares a lock has its fencing token in common with others, who were told of it or not.
    if (!this.calm || sharing || !process.deaf || this.#unheard.get(fence) !== process) return;
    this.timeline.at(this.timeline.now + HEARS_AGAIN, () => {
      if (process.deaf) this.report("a subscription that stays deaf", name);
    });
  }

  /** A lock does not stay free for long while somebody stands in line who lives and could be told. */
  #checkFree(server: MemoryServer, names: LockNames, after: LockState): void {
    const { key } = names;
    const next = (state: LockState): Waiter | undefined => {
      const first = state.line.find((waiter) => this.asking.get(waiter.value)?.alive);
      if (!first) return undefined;
      const { keys, sharing } = first;
      if (sharing ? !hasRoom(state, sharing) : state.value !== undefined || keys !== 1) {
        return undefined;
      }
      const isTold = first.reach !== "none" && !this.asking.get(first.value)?.deaf;
      return isTold ? first : undefined;
    };
    const first = next(after);
    if (!first) {
      this.#freeSince.delete(key);
      if (after.value !== undefined) this.#silently.delete(key);
      return;
    }
    if (this.#freeSince.has(key)) return;
    const since = this.timeline.now;
    this.#freeSince.set(key, since);
    // Without a message, the first finds out when it checks in.
    const isUntold = this.#silently.has(key) || this.#untold.has(key);
    const within = SOON + (isUntold ? checkInOf(first) : 0);
    this.timeline.at(since + within, () => {
      if (this.#freeSince.get(key) !== since || !next(stateOf(server, names))) return;
      this.report("a free lock with somebody in line", `${key} for ${within} ms`);
    });
  }

  /** What was begun goes on with memory full, and what is held is kept and given back. */
  #checkMemoryFull({ script, args, outcome }: Run): void {
    if (!("error" in outcome) || !isOutOfMemory(outcome.error)) return;
    if (!worksWithMemoryFull(script, args)) return;
    this.report("a command that memory full keeps from being done", script.name);
  }

  /** However many are dead, one script drops only so many. */
  #checkBound(key: string, gone: number): void {
    if (this.mostGone === undefined || gone <= this.mostGone) return;
    this.report("a script that drops too many at once", `${gone} at ${key}`);
  }

  /** A lock that was given back does not stay free while somebody in line could be told. */
  #checkServed(server: MemoryServer, { key }: LockNames, { value, line: [head] }: LockState): void {
    if (value !== undefined || !head || losesTurn(server, head)) return;
    if (head.reach === "none" || head.keys !== 1) return;
    this.report("a free lock with somebody in line", key);
  }
}
