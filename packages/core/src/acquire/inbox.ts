import type { Teller } from "../events.js";
import { createToken } from "../keys/token.js";
import type { Grant, Reach } from "../primitives/primitive.js";
import { wholeNumber } from "../primitives/replies.js";
import { Channel, ON_ITS_WAY } from "../redis/channel.js";
import type { RedisClient } from "../redis/client.js";
import { Idle } from "../redis/idle.js";
import { redacted } from "../redis/redact.js";
import type { Clock } from "../time/clock.js";
import { type Entry, Timers } from "../time/timers.js";

/** What a waiter hears. */
export interface Mailbox {
  /** The lock was granted to it, for the command that this proof is of. */
  granted(grant: Grant, proof: string): void;
  /** It should ask: it may be its turn, or messages may have been missed. */
  come(): void;
}

/** A locker whose waiters have mailboxes. */
class Owner {
  readonly #emit: Teller | undefined;
  #weak: Weak<Owner> | undefined;

  constructor(emit: Teller | undefined) {
    this.#emit = emit;
  }

  /** For who must not keep it: where each request has a locker of its own, those of the past are forgotten. */
  get weak(): Weak<Owner> {
    return (this.#weak ??=
      typeof WeakRef === "undefined" ? { deref: () => this } : new WeakRef<Owner>(this));
  }

  /** Messages do not come on this channel, or not any more; it is tried again. */
  failed(error: unknown, id: string): void {
    this.#emit?.({ type: "subscribeFailed", error: redacted(error, [id]) });
  }
}

/** A weak reference; a strong one where the platform has no others. */
interface Weak<T> {
  deref(): T | undefined;
}

/** Where one stands in line, and hears of it. */
export interface Line {
  readonly timers: Timers;
  readonly inbox: Inbox;
  readonly owner: Owner;
}

/** The line at a client's server, for the waiters of one locker, whose listener is told if nothing is heard. */
export function lineOf(
  client: RedisClient,
  clock: Clock,
  timers: Timers,
  emit: Teller | undefined,
): Line {
  return { timers, inbox: inboxOf(client, clock), owner: new Owner(emit) };
}

/** For how many waiters that are over it is listened at most: each takes some 2 KB. */
const MOST_LINGERING = 1_000;

/** Milliseconds for which nobody has waited, after which the channel is left. */
const IDLE = 30_000;

const inboxes = new WeakMap<RedisClient, Map<Clock, Inbox>>();

/** The one inbox of a client, however many lockers share it. */
function inboxOf(client: RedisClient, clock: Clock): Inbox {
  const known = inboxes.get(client) ?? new Map<Clock, Inbox>();
  inboxes.set(client, known);
  const inbox = known.get(clock) ?? new Inbox(client, new Timers(clock));
  known.set(clock, inbox);
  return inbox;
}

/**
 * Where waiters are told that it is their turn: one channel for all waiters of a client, subscribed to
 * when the first of them has to wait, and left when the last locker is closed, or nobody has waited for
 * some time.
 */
class Inbox {
  #id: string | undefined;
  readonly #client: RedisClient;
  readonly #timers: Timers;
  readonly #channel: Channel;
  readonly #idle: Idle;
  readonly #mailboxes = new Map<number, Mailbox>();
  readonly #owners = new Set<Weak<Owner>>();
  /** If there are more, those that are gone are taken out. */
  #mostOwners = 1;
  /** Waiters that are over, for which a grant may come yet that would have to go back. */
  readonly #lingering = new Map<string, { readonly owner: Owner; readonly timer: Entry }>();
  #lastNumber = 0;
  /** The server that runs the scripts said that it does not see us listen, though we hear it. */
  #unseen = false;
  /** When it last heard something, or began to listen: what was sent before may have been lost. */
  #heardAt = 0;

  constructor(client: RedisClient, timers: Timers) {
    this.#client = client;
    this.#timers = timers;
    this.#channel = new Channel(client, timers, () => `redislock:inbox:${this.id}`, {
      message: (text) => this.#deliver(text),
      opened: () => this.#opened(),
      lost: (error) => this.#failed(error),
      refused: (error) => this.#failed(error),
    });
    this.#idle = new Idle(client, timers, IDLE, () => {
      this.#owners.clear();
      void this.#channel.close();
    });
  }

  /**
   * Names the channel; nobody else can guess it. Made when first needed: some platforms give no random
   * bytes while they load a program, and copies of a process that has a locker must not share it.
   */
  get id(): string {
    return (this.#id ??= createToken());
  }

  /** Whom messages reach. */
  get reach(): Reach {
    if (!this.#channel.isOpen) return "none";
    return this.#client.cluster === true || this.#unseen ? "uncounted" : "counted";
  }

  /** The id in line of a new waiter. */
  enter(mailbox: Mailbox, owner: Owner): string {
    this.#idle.end();
    this.#owners.add(owner.weak);
    if (this.#owners.size > this.#mostOwners) this.#mostOwners = 2 * [...this.#living()].length;
    this.#mailboxes.set(++this.#lastNumber, mailbox);
    return `${this.id}:${this.#lastNumber}`;
  }

  /** The lockers that there are. */
  *#living(): Generator<Owner> {
    for (const weak of this.#owners) {
      const owner = weak.deref();
      if (owner) yield owner;
      else this.#owners.delete(weak);
    }
  }

  leave(id: string): void {
    this.#mailboxes.delete(Number(id.slice(this.id.length + 1)));
    if (this.#mailboxes.size === 0 && this.#channel.subscription) this.#idle.begin();
  }

  /** Hears for a waiter that is over for so long, in milliseconds, or until its locker is closed. */
  linger(id: string, owner: Owner, ms: number): void {
    if (!this.#owners.has(owner.weak)) {
      this.leave(id);
      return;
    }
    // Of very many, as when Redis is silent for long, the first are given up: their grants end by ttl.
    const [oldest] = this.#lingering.size < MOST_LINGERING ? [] : this.#lingering.keys();
    if (oldest !== undefined) this.#forget(oldest);
    const timer = this.#timers.set(this.#timers.now() + ms, () => this.#forget(id));
    this.#lingering.set(id, { owner, timer });
  }

  #forget(id: string): void {
    const known = this.#lingering.get(id);
    if (known) this.#timers.clear(known.timer);
    this.#lingering.delete(id);
    this.leave(id);
  }

  /** Subscribes if that was not done; everyone who waits asks again once it is. */
  open(): void {
    this.#channel.open();
  }

  /**
   * A message was sent before the reply to a command that was sent at `sentAt`. If none is heard, none
   * is.
   */
  expectEcho(sentAt: number): void {
    const channel = this.#channel;
    const { subscription } = channel;
    this.#timers.setAfterReading(this.#timers.now() + ON_ITS_WAY, () => {
      const deaf = channel.isOpen && this.#heardAt < sentAt;
      if (!deaf || channel.subscription !== subscription) return;
      channel.foundDeaf();
      channel.open();
    });
  }

  /** The locker needs no messages any more. Unsubscribes if it was the last one. */
  async close(owner: Owner): Promise<void> {
    this.#owners.delete(owner.weak);
    for (const [id, lingering] of this.#lingering) if (lingering.owner === owner) this.#forget(id);
    if (this.#living().next().done) await this.#channel.close();
  }

  #opened(): void {
    this.#heardAt = this.#timers.now();
    this.#unseen = false; // The new connection may lead elsewhere.
    this.#callAll();
  }

  #failed(error: unknown): void {
    for (const owner of this.#living()) owner.failed(error, this.id);
    this.#callAll();
  }

  #callAll(): void {
    for (const mailbox of this.#mailboxes.values()) mailbox.come();
  }

  /** A message that is not understood, such as one of a later version, is a reason to ask. */
  #deliver(text: string): void {
    this.#heardAt = this.#timers.now();
    const [what, number, fence, proof, seatTold] = text.split(" ");
    const mailbox = this.#mailboxes.get(Number(number));
    if (what === "unseen") this.#unseen = true;
    const [fencingToken, seat] = [wholeNumber(fence, 1), wholeNumber(seatTold, 1)];
    if (what === "grant" && fencingToken !== undefined && proof !== undefined) {
      mailbox?.granted({ fencingToken, seat }, proof);
    } else {
      mailbox?.come();
    }
  }
}
