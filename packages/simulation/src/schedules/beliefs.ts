import type { Lock } from "@redislock/core";
import type { MemoryServer } from "@redislock/testing";

import { type Sharing } from "../protocol.js";
import { twoHolders } from "../safety.js";
import type { Run } from "../server.js";
import type { Timeline } from "../timeline.js";
import { Violation, type Wrong } from "../violation.js";
import { ForeignLocks } from "../foreign-locks.js";
import type { History } from "./history.js";
import type { SimulatedProcess } from "./process.js";

/** What a process believes of a lock. */
export interface Hold {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly lock: Lock;
  /** Undefined for one who has it alone. */
  readonly sharing: Sharing | undefined;
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

/** How late a call may be: timers have whole milliseconds. */
const LATE = 5;

/** Sees what all processes believe and wait for, and throws a {@link Violation} at what must not be. */
export abstract class Beliefs {
  /** Nothing goes wrong any more: what then is late or out of order is wrong. */
  calm = false;
  /** Who wants a lock, by the name that the server shows. */
  readonly asking = new Map<string, SimulatedProcess>();
  /** What other programs have. */
  readonly foreign: ForeignLocks;
  protected readonly timeline: Timeline;
  protected readonly history: History;
  readonly #holds = new Set<Hold>();
  readonly #calls = new Set<Call>();
  readonly #accepted: ReadonlySet<Wrong>;

  /** @param accepted - What may be after all. */
  constructor(timeline: Timeline, history: History, accepted: ReadonlySet<Wrong>) {
    this.foreign = new ForeignLocks(timeline);
    this.timeline = timeline;
    this.history = history;
    this.#accepted = accepted;
  }

  /** Whether anything of an obtain that was given up is at a server still. */
  abstract checkNothingLeft(name: string, token: string): void;

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
    // One that comes too late is asked for again, or is none.
    if (!hold.lock.held) this.report("a lock that is over when it is obtained", hold.name);
    this.#holds.add(hold);
  }

  /** Somebody lets go of a lock, and with it all that have it by the same token. */
  letGo({ lock: { token } }: Hold): void {
    for (const hold of this.#holds) if (hold.lock.token === token) this.#holds.delete(hold);
  }

  /** An obtain ended with this error. */
  failed(_name: string, _error: unknown): void {
    // For those who know what it should be.
  }

  /** A release or a refresh was refused to somebody who has the lock, when nothing goes wrong. */
  turnedAway(name: string, error: unknown): void {
    if (this.calm) this.report("a holder that is turned away", `${name}: ${String(error)}`);
  }

  /** Whether somebody believes that it has a lock by this token. */
  isHeld(token: string): boolean {
    return [...this.#holds].some(({ lock }) => lock.token === token);
  }

  /** Somebody was refused for its fencing token. */
  keptOut(lock: Lock): void {
    for (const hold of this.#holds) {
      if (hold.lock !== lock || hold.process.clock.now() >= hold.until) continue;
      if (this.isExcused(hold)) continue;
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
    this.checkHolders(this.#holds);
    for (const { name, process, deadline, afterPause } of this.#calls) {
      if (process.awake > afterPause + LATE && process.clock.now() > deadline) {
        this.report("a call that does not settle", name);
      }
    }
  }

  /** A script was run: it leaves foreign locks alone. */
  protected checkForeign(server: MemoryServer, run: Run): void {
    const wrong = this.foreign.after(server, run);
    if (wrong !== undefined) this.report("a foreign lock that is taken away", wrong);
  }

  /** Whether it may be another's as well: what the lock is documented to rely on was broken. */
  protected isExcused(_hold: Hold): boolean {
    return false;
  }

  /** Looks at those who believe that they have a lock now. */
  protected checkHolders(holds: ReadonlySet<Hold>): void {
    const two = twoHolders([...holds, ...this.foreign.holders]);
    if (two !== undefined) this.report("two holders at once", two);
  }

  /** A message was sent to a process whose subscription is deaf. */
  unheard(_process: SimulatedProcess, _message: string): void {
    // For those who see to what comes of that.
  }
}
