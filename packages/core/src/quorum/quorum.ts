import type { Timers } from "../time/timers.js";
import { Fences } from "./fences.js";
import type { Member } from "./member.js";
import { Roll } from "./roll.js";

/** Several independent servers that together keep locks. */
export class Quorum {
  /** In the order of those who make the locker, which all of them must share. */
  readonly members: readonly Member[];
  readonly timers: Timers;
  readonly roll: Roll;
  readonly fences: Fences;
  /** Milliseconds that the votes of one obtain may take, and what is told of them. */
  readonly timeout: number;
  /** The longest ttl that a lock may have, when it is obtained and later on. */
  readonly maxTtl: number;
  /** Seconds that a server must say it has been up before it may vote. */
  readonly oldEnough: number;
  readonly #leaving = new Set<Promise<unknown>>();

  constructor(members: readonly Member[], timers: Timers, timeout: number, maxTtl: number) {
    this.members = members;
    this.timers = timers;
    this.timeout = timeout;
    this.roll = new Roll(members, timers, timeout);
    this.maxTtl = maxTtl;
    this.fences = new Fences(timers);
    // Servers count whole seconds, by moments that are cut off to whole seconds: up to one less has passed.
    this.oldEnough = Math.ceil(maxTtl / 1000) + 1;
  }

  /** Something is being given back, which whoever closes the locker waits for. */
  leaves(leaving: Promise<unknown>): void {
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  /** Resolves when what is being given back was answered, by servers that are not silent. */
  async left(): Promise<void> {
    while (this.#leaving.size > 0) await Promise.all(this.#leaving);
  }
}
