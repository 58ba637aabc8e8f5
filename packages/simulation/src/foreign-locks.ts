import type { MemoryServer } from "@redislock/testing";

import { foreignScripts, isForeign, isForeignToken } from "./foreign.js";
import type { Believer } from "./safety.js";
import type { Run } from "./server.js";
import type { Timeline } from "./timeline.js";

/** A foreign program has a lock, or may believe so. */
export interface ForeignHold extends Believer {
  /** When it began, and until when its ttl goes from the moment at which it asked: true time. */
  readonly since: number;
  until: number;
  /** Whether it has it no more, by what its way of locking does not stand. */
  readonly isVoid: () => boolean;
}

/** What is at a key, and for how long. */
interface Seen {
  readonly value: string;
  readonly left: string;
}

/**
 * What may be relied on by a program that locks by a plain `SET key token NX PX ttl`:
 *
 * - It is a holder of its own: from the reply that says `OK`, until its ttl ends as counted from when it
 *   asked, nobody else has the lock, alone or shared. So its SET is done only while nobody has it.
 * - As long as its token is at the key, no script of this library deletes, replaces, cuts or prolongs it.
 *
 * What it does not get: a fencing token, a place in line, or news. It may come before those in line, as
 * they may before it. When it deletes its lock, nobody is told: whoever is in line finds out when it next
 * checks in, and when its ttl ends, as with any other lease.
 */
export class ForeignLocks {
  readonly #timeline: Timeline;
  readonly #holds = new Set<ForeignHold>();
  readonly #keys = new Set<string>();
  /** What foreign programs had at these keys, before the script that runs now. */
  #before = new Map<string, Seen>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  hold(hold: ForeignHold): void {
    this.#holds.add(hold);
  }

  letGo(hold: ForeignHold): void {
    this.#holds.delete(hold);
  }

  /** Who has a lock now. */
  get holders(): readonly ForeignHold[] {
    for (const hold of this.#holds) {
      if (hold.until <= this.#timeline.now || hold.isVoid()) this.#holds.delete(hold);
    }
    return [...this.#holds];
  }

  before(server: MemoryServer): void {
    this.#before = new Map();
    for (const key of this.#keys) {
      const seen = seenAt(server, key);
      if (seen) this.#before.set(key, seen);
    }
  }

  /** What a script did to a foreign lock that it must not; undefined if it did nothing. */
  after(server: MemoryServer, { script, keys }: Run): string | undefined {
    if (isForeign(script)) {
      for (const key of keys) this.#keys.add(key);
      return undefined;
    }
    for (const [key, { value, left }] of this.#before) {
      const now = seenAt(server, key);
      if (now?.value !== value) return `${script.name} takes ${key} from ${value}`;
      if (now.left !== left) return `${script.name} makes the ttl of ${value} ${now.left} ms`;
    }
    return undefined;
  }
}

function seenAt(server: MemoryServer, key: string): Seen | undefined {
  const value = server.command("GET", key);
  if (typeof value !== "string" || !isForeignToken(value)) return undefined;
  return { value, left: String(server.command("PTTL", key)) };
}

/** The keys of which a foreign program has just deleted its lock, without telling anybody. */
export function endedSilently({ script, keys, outcome }: Run): readonly string[] {
  const isDone = script.name === foreignScripts.delete.name && "reply" in outcome;
  return isDone && String(outcome.reply) === "1" ? keys : [];
}
