import {
  LockerClosedError,
  type LockLostError,
  NotObtainedError,
  type Operation,
} from "../errors.js";
import { detailsOf, type ObtainDetails, type Teller } from "../events.js";
import { Bag } from "../lease/bag.js";
import { Handle } from "../lease/handle.js";
import { HeldLocks } from "../lease/held-locks.js";
import { Lease } from "../lease/lease.js";
import { HeldLock, type Keeper, type Lock } from "../lease/lock.js";
import { type Asking, type OwnLocks, ownLocksOf } from "../lease/own-locks.js";
import { type Holding, holdDetails, Renewal } from "../lease/renewal.js";
import type { HolderInfo, Inspection } from "../primitives/inspection.js";
import type { Claim, Leftover } from "../primitives/primitive.js";
import type { RedisClient } from "../redis/client.js";
import type { Command, Replied } from "../redis/command.js";
import { Commands } from "../redis/commands.js";
import { failureOf } from "../redis/failure.js";
import { Replicas, type Replication } from "../redis/replicas.js";
import type { Clock } from "../time/clock.js";
import { Timers } from "../time/timers.js";
import { Acquisition, type Answer, type Granted, type Told } from "./acquisition.js";
import { type Line, lineOf } from "./inbox.js";
import { poll } from "./poll.js";
import { noRetry, type RetryStrategy } from "./retry.js";
import { waitInLine } from "./wait.js";

/** How a lock is to be obtained, and kept. */
export interface Manner {
  readonly retry: RetryStrategy | undefined;
  readonly wait: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly renew: boolean;
  /** 0 for a lock that a release frees. */
  readonly holdAtLeast: number;
  /** Other calls may have the same token. */
  readonly ownToken: boolean;
}

/** Where the server of the client is not all that counts. */
interface Ways {
  /** How many replicas must have a lock. Default: none. */
  readonly replication?: Replication | undefined;
  /** Default: in the line of the client's server. */
  readonly waiting?: Waiting;
  /** How it is found out who has a lock, for listeners that ask. Default: not at all. */
  readonly inspect?: (key: string) => Command<Inspection>;
  /** Those of all that is done for its locks: a call that is awaited keeps them going. Default: its own. */
  readonly timers?: Timers;
  /** Which of its locks this process holds. Default: those of the client. */
  readonly own?: OwnLocks;
}

/** Waits for the locks of an obtain, until the deadline; a command under way then, until `lastAnswer`. */
export type Waiting = (
  acquisition: Acquisition,
  deadline: number,
  lastAnswer: number,
) => Promise<Answer>;

/**
 * How long an obtain that ends without a lock waits for Redis to say who has it, or that it is given back,
 * in milliseconds.
 */
const LAST_WORD = 50;
/** A lock that was waited for so long that less than this part of its lease is left gets a whole one. */
const FRESH = 0.75;

/** Obtains and holds locks of any kind: what is the same for all of them. */
export class Engine implements Keeper {
  readonly commands: Commands;
  readonly renewal: Renewal;
  readonly own: OwnLocks;
  readonly emit: Teller | undefined;
  readonly #timers: Timers;
  /** Where leases count only once replicas have them. */
  readonly #replicas: Replicas | undefined;
  readonly #line: Line;
  /** Called when the locker is closed. */
  readonly onClose: Set<() => void> = new Set<() => void>();
  readonly #underWay = new Bag<Acquisition>();
  /** What is left behind by obtains that were given up. */
  readonly #leaving = new Set<Promise<unknown>>();
  readonly #held = new HeldLocks();
  readonly #waiting: Waiting;
  readonly #told: Told = {
    waiting: (acquisition, position) => this.#tellOfWait(acquisition, position),
    lateGrant: (acquisition) => this.#tellOfLateGrant(acquisition),
  };
  readonly #inspect: Ways["inspect"];
  /** Called when nothing is under way or held. */
  readonly #onIdle = new Set<() => void>();
  #closed = false;
  /** What is held is to be given back. */
  #ending = false;

  constructor(
    client: RedisClient,
    clock: Clock,
    timeout: number,
    emit: Teller | undefined,
    {
      replication,
      waiting,
      inspect,
      timers = new Timers(clock),
      own = ownLocksOf(client),
    }: Ways = {},
  ) {
    this.#timers = timers;
    this.commands = new Commands(client, timers, timeout);
    this.emit = emit;
    this.#inspect = inspect;
    this.#replicas = replication && new Replicas(this.commands, replication);
    this.renewal = new Renewal(this.commands, this.#replicas ?? this.commands, own, emit);
    this.own = own;
    const line = lineOf(client, clock, timers, emit);
    this.#line = line;
    this.#waiting =
      waiting ??
      ((acquisition, deadline, lastAnswer) => waitInLine(acquisition, line, deadline, lastAnswer));
  }

  /** Obtains the lock of a claim, or says who has it. */
  obtain(claim: Claim, manner: Manner): Promise<Lock | NotObtainedError> {
    const tell = this.emit?.more;
    return tell ? this.#tellOfObtain(claim, manner, tell) : this.#obtain(claim, manner);
  }

  /** Obtains the lock, and tells whoever wants details how that begins, and fails. */
  async #tellOfObtain(
    claim: Claim,
    manner: Manner,
    tell: NonNullable<Teller["more"]>,
  ): Promise<Lock | NotObtainedError> {
    const { keys } = claim;
    const details = detailsOf(claim);
    const started = this.#timers.now();
    tell({ type: "obtaining", keys, ...details });
    try {
      return await this.#obtain(claim, manner, details);
    } catch (error) {
      const waited = this.#timers.now() - started;
      tell({ type: "obtainFailed", keys, waited, error, ...details });
      throw error;
    }
  }

  /** Runs a command of an operator, and returns its reply. */
  async ask<T>(operation: Operation, key: string, command: Command<T>): Promise<T> {
    const { reply } = await this.replyTo(operation, key, command);
    return reply;
  }

  /** As {@link ask}, with whether the command was sent once. */
  async replyTo<T>(operation: Operation, key: string, command: Command<T>): Promise<Replied<T>> {
    this.checkOpen([key]);
    const outcome = await this.#timers.awaited(this.commands.run(command));
    if (outcome.kind !== "reply") throw failureOf([key], operation, outcome);
    return outcome;
  }

  /** The locks that are held now. */
  held(): Iterator<Lock> {
    return this.#held.locks();
  }

  /**
   * Ends what is under way with a `LockerClosedError`, and closes what the engine itself opened. With
   * `grace`, tells whoever holds a lock to end, and after so many milliseconds gives back what is left.
   */
  async close(grace?: number): Promise<void> {
    this.#closed = true;
    for (const run of this.onClose) run();
    for (const acquisition of this.#underWay.all()) {
      const stopped = acquisition.stop(new LockerClosedError(acquisition.claim.keys));
      if (stopped) void this.#abandon(acquisition);
    }
    this.#replicas?.close();
    const { inbox, owner } = this.#line;
    const ending: Promise<unknown>[] = [inbox.close(owner)];
    if (grace !== undefined) ending.push(this.#endHeld(grace));
    const ended = Promise.allSettled(ending);
    // What was held until now may have left a line yet to be served.
    await this.#timers.awaited(ended.then(() => Promise.allSettled(this.#leaving)));
  }

  async #endHeld(grace: number): Promise<void> {
    this.#ending = true;
    for (const holding of this.#held.all()) interrupt(holding);
    const over = this.#timers.sleep(grace);
    await Promise.resolve(); // A listener of events may have called, in the middle of an obtain.
    await Promise.race([this.#idle(), over]);
    for (const holding of this.#held.all()) {
      const { lock = new HeldLock(holding, this) } = holding.handle;
      lock.takeBack();
    }
    await this.#idle();
  }

  /** Resolves when nothing is under way or held. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.add(resolve);
      this.#tellIfIdle();
    });
  }

  #tellIfIdle(): void {
    if (this.#onIdle.size === 0 || this.#underWay.size + this.#held.size > 0) return;
    for (const tell of this.#onIdle) tell();
    this.#onIdle.clear();
  }

  /**
   * The main flow: ask, wait if that is wanted, and hold the lock or leave nothing behind. Not an async
   * function: one that waits for long keeps half a kilobyte more.
   */
  #obtain(claim: Claim, manner: Manner, details?: ObtainDetails): Promise<Lock | NotObtainedError> {
    const { keys } = claim;
    const { signal } = manner;
    this.checkOpen(keys);
    signal?.throwIfAborted();

    const { commands } = this;
    const acquisition = new Acquisition(claim, commands, this.#replicas, this.#told, details);
    const asking = manner.ownToken ? this.own.ask(claim) : undefined;
    this.#underWay.add(acquisition);
    this.#timers.ref();
    return acquisition
      .run(() => this.#pursue(acquisition, manner), signal)
      .then<Lock | NotObtainedError>(
        (answer) => {
          this.#isOver(acquisition, asking);
          if (answer.kind === "granted") return this.#hold(acquisition, answer, manner, asking);
          return this.#timers.awaited(this.#leaveWithout(acquisition, answer, signal));
        },
        (error: unknown) => {
          void this.#abandon(acquisition);
          this.#isOver(acquisition, asking);
          this.#tellIfIdle();
          throw error;
        },
      );
  }

  #isOver(acquisition: Acquisition, asking: Asking | undefined): void {
    this.#underWay.remove(acquisition);
    if (asking) this.own.asked(asking);
    this.#timers.unref();
    if (!acquisition.hasWaited) return;
    const { waited, claim, details } = acquisition;
    this.emit?.({ type: "waited", keys: claim.keys, waited }, details);
  }

  /** No lock: says who has it, once nothing is left behind of the obtain; throws if it failed. */
  async #leaveWithout(
    acquisition: Acquisition,
    answer: Exclude<Answer, Granted>,
    signal: AbortSignal | undefined,
  ): Promise<NotObtainedError> {
    this.#tellIfIdle();
    const left = this.#abandon(acquisition);
    if (answer.kind === "failed" && !acquisition.granted) throw answer.error;
    const facts = await Promise.race([left, this.#timers.sleep(LAST_WORD)]);
    if (answer.kind === "failed") throw answer.error;
    signal?.throwIfAborted();
    const { claim, tries, waited, details } = acquisition;
    const { keys } = claim;
    const found = facts ? facts.holder : answer.holder;
    const isOwn = found && this.own.include(claim.names, found);
    const holder = isOwn ? { ...found, own: true } : found;
    const position = facts ? facts.position : answer.place?.position;
    this.emit?.({ type: "notObtained", keys, waited, tries, holder }, details);
    const { cause } = answer;
    return new NotObtainedError(keys, { holder, waited, attempts: tries, position, cause });
  }

  #pursue(acquisition: Acquisition, manner: Manner): Promise<Answer> {
    const { wait, retry = noRetry, signal } = manner;
    const { started, claim } = acquisition;
    if (wait === undefined) {
      if (retry === noRetry) return acquisition.ask(Infinity);
      const deadline = signal ? Infinity : started + claim.ttl;
      return poll(acquisition, this.commands, retry, deadline);
    }
    const deadline = started + wait;
    const lastAnswer = Math.max(deadline, started + this.commands.timeout);
    return this.#waiting(acquisition, deadline, lastAnswer);
  }

  #tellOfWait({ claim, details }: Acquisition, position: number | undefined): void {
    const { keys, names } = claim;
    if (details) {
      const holders = (): Promise<readonly HolderInfo[]> => this.#holdersOf(keys);
      this.emit?.more?.({ type: "waiting", keys, position, holders, ...details });
    }
    if (this.emit && this.own.include(names)) this.emit({ type: "waitingForOwn", keys }, details);
  }

  #tellOfLateGrant({ claim, details }: Acquisition): void {
    this.emit?.({ type: "lateGrantReleased", keys: claim.keys }, details);
  }

  /** Who has the locks, as of now. */
  async #holdersOf(keys: readonly string[]): Promise<readonly HolderInfo[]> {
    const inspect = this.#inspect;
    if (!inspect) return [];
    const found = keys.map(async (key) => this.ask("inspect", key, inspect(key)));
    return (await Promise.all(found)).flatMap(({ holders }) => holders);
  }

  #hold(
    acquisition: Acquisition,
    granted: Granted,
    manner: Manner,
    asking: Asking | undefined,
  ): Lock {
    const { claim, details, context, started, tries } = acquisition;
    const { fencingToken, seat, sentAt, ttl } = granted;
    const since = this.#timers.now();
    const [keys, waited] = [claim.keys, since - started];
    this.emit?.({ type: "obtained", keys, waited, tries, fencingToken }, details);
    const terms = { sentAt, granted: ttl, ttl: claim.ttl };
    const lost = (error: LockLostError): void => this.#lost(holding, error);
    const lease = new Lease(keys, this.#timers, terms, lost, context);
    const takenUntil = since + manner.holdAtLeast;
    const obtaining = acquisition.settled ? undefined : acquisition;
    const holding: Holding = {
      place: -1,
      claim,
      fencingToken,
      seat,
      lease,
      since,
      takenUntil,
      obtaining,
      details,
      handle: new Handle(),
      renewed: {},
    };
    this.own.add(holding);
    const lock = new HeldLock(holding, this);
    holding.handle.take(lock);
    this.#held.add(holding);
    if (manner.renew) this.renewal.keep(holding);
    if (this.#ending) interrupt(holding);
    // A grant can be proved only from the last command on: after a long wait, ask for a whole lease.
    if (since + claim.ttl * FRESH > sentAt + ttl) this.renewal.complete(holding);
    if (asking) this.own.catchUp(holding, asking);
    return lock;
  }

  #lost(holding: Holding, error: LockLostError): void {
    this.renewal.stop(holding);
    this.own.remove(holding);
    holding.obtaining?.end();
    const { keys } = holding.claim;
    this.emit?.({ type: "lost", keys, error }, holdDetails(holding, this.#timers));
    this.released(holding);
  }

  released(holding: Holding): void {
    this.#held.remove(holding);
    this.#tellIfIdle();
  }

  /** Gives an obtain up. Whoever closes the locker waits for that: the client may be closed next. */
  #abandon(acquisition: Acquisition): Promise<Leftover | undefined> {
    const leaving = acquisition.abandon();
    this.leaves(leaving);
    return leaving;
  }

  leaves(leaving: Promise<unknown>): void {
    this.#leaving.add(leaving);
    void leaving.finally(() => this.#leaving.delete(leaving));
  }

  checkOpen(keys: readonly string[]): void {
    if (this.#closed) throw new LockerClosedError(keys);
    if (this.commands.client.closed)
      throw new TypeError("client is closed: connect it, or use another");
  }
}

function interrupt({ claim, lease }: Holding): void {
  lease.interrupt(new LockerClosedError(claim.keys, true));
}
