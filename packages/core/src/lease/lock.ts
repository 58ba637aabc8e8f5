/// <reference lib="esnext.disposable" preserve="true" />
import {
  LockNotHeldError,
  type Operation,
  OutcomeUnknownError,
  type RedisLockError,
} from "../errors.js";
import type { Teller } from "../events.js";
import type { LockMode, Released } from "../primitives/primitive.js";
import type { Command, Failure } from "../redis/command.js";
import type { Commands } from "../redis/commands.js";
import { failureOf } from "../redis/failure.js";
import type { Lease } from "./lease.js";
import { leave } from "./leave.js";
import type { OwnLocks } from "./own-locks.js";
import { type Holding, holdDetails, type Renewal } from "./renewal.js";
import { checkTtl } from "./ttl.js";

/** A lock that was obtained: one holder's, for as long as its lease can be proved. */
export interface Lock extends AsyncDisposable {
  /** The key, or the first of several. */
  readonly key: string;
  /** All keys, as they were asked for. */
  readonly keys: readonly string[];
  /** The secret by which Redis knows the holder. Whoever has it can release the lock. */
  readonly token: string;
  /** What `metadata` was given; "" if none. */
  readonly metadata: string;
  /** Who may hold it at the same time: nobody else, or as `mode` and `limit` were given. */
  readonly mode: LockMode;
  /** How many permits it takes of a counted lock; 1 for any other. */
  readonly permits: number;
  /**
   * Goes up with each grant of the key; those who share a lock at the same time have one together, above
   * all before them. Hand it to what the lock protects, and have it refuse a number
   * below one it has seen: that is what keeps a holder out who was paused past its lease.
   */
  readonly fencingToken: number;
  /**
   * Whether the lock is ours for certain, computed at this moment on the monotonic clock, and by the wall
   * clock for pauses that the other does not see.
   */
  readonly held: boolean;
  /** Milliseconds for which it is ours for certain; 0 when it is not. */
  readonly remaining: number;
  /**
   * Aborts with a `LockLostError` when the lock is lost, or cannot be proved any more; with a
   * `LockerClosedError`, while the lock is still held, when its locker is closed with a time of grace. A
   * lock that is renewed is so for as long as this object or the signal is kept; the token alone keeps
   * nothing, and neither does a listener on the signal, or a signal that is made of it.
   *
   * @example
   * await fetch(url, { method: "POST", signal: lock.signal });
   */
  readonly signal: AbortSignal;

  /**
   * Asks Redis how many milliseconds the lock goes on by itself: 0 if it is no longer ours, `Infinity`
   * if someone took its ttl away.
   *
   * @throws OutcomeUnknownError, RefusedError
   */
  ttl(): Promise<number>;

  /**
   * Starts the lease anew.
   *
   * @param ttl - Milliseconds from now on, also for later renewals. Default: what it was before.
   * @example
   * for (const page of pages) {
   *   await lock.refresh();
   *   await write(page, lock.fencingToken);
   * }
   * @throws LockNotHeldError if it is no longer ours; OutcomeUnknownError, RefusedError if that could
   *   not be found out, in which case the lock is held on for what remains of its lease.
   */
  refresh(ttl?: number): Promise<void>;

  /**
   * Gives the lock back, to the next in line if there is one; with `holdAtLeast`, when that time is over.
   *
   * @throws LockNotHeldError if it was not ours any more, or was released before;
   *   OutcomeUnknownError, RefusedError if that could not be found out: try again, or leave it to the ttl.
   */
  release(): Promise<void>;

  /** Releases the lock if that was not done. Never throws: what fails is told to `onEvent`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the locks of a locker share. */
export interface Keeper {
  readonly commands: Commands;
  readonly renewal: Renewal;
  readonly own: OwnLocks;
  readonly emit: Teller | undefined;
  /** The release of a lock has come to its end, well or badly. */
  released(holding: Holding): void;
  /** Something is being given back, which whoever closes the locker waits for. */
  leaves(leaving: Promise<unknown>): void;
}

/** How a lock was when its release was sent. */
interface Before extends Pick<Lease, "lost" | "validUntil"> {
  /** Who had it as well, by the same token. */
  readonly beside: readonly Holding[];
}

export class HeldLock implements Lock {
  readonly keys: readonly string[];
  readonly metadata: string;
  readonly fencingToken: number;
  readonly #holding: Holding;
  readonly #keeper: Keeper;
  #released = false;
  /** Why it was given back in its holder's stead. */
  #takenBack: Error | undefined;

  constructor(holding: Holding, keeper: Keeper) {
    this.keys = holding.claim.keys;
    this.metadata = holding.claim.metadata;
    this.fencingToken = holding.fencingToken;
    this.#holding = holding;
    this.#keeper = keeper;
  }

  get key(): string {
    return this.keys[0] ?? "";
  }

  get token(): string {
    return this.#holding.claim.token;
  }

  get mode(): LockMode {
    return this.#holding.claim.sharing?.mode ?? "exclusive";
  }

  get permits(): number {
    return this.#holding.claim.sharing?.permits ?? 1;
  }

  get held(): boolean {
    return this.#holding.lease.held;
  }

  get remaining(): number {
    return this.#holding.lease.remaining;
  }

  get signal(): AbortSignal {
    return this.#holding.lease.signal;
  }

  /** Why it is held no more, though its holder has not given it back; undefined where that is not so. */
  get ended(): Error | undefined {
    return this.#holding.lease.lost ?? this.#takenBack;
  }

  /** Gives it back in the stead of its holder, who was told to by the signal, and has not in time. */
  takeBack(): void {
    if (!this.#released) this.#takenBack = this.#holding.lease.interrupted;
    void this[Symbol.asyncDispose]();
  }

  async ttl(): Promise<number> {
    const { claim, lease, seat } = this.#holding;
    const left = await this.#run(claim.timeLeft(this.fencingToken, seat));
    if (typeof left === "object") throw this.#failure("ttl", left);
    if (typeof left === "number") return left;
    if (lease.held) lease.lose(left);
    return 0;
  }

  async refresh(ttl: number = this.#holding.lease.ttl): Promise<void> {
    checkTtl("ttl", ttl, this.#holding.claim.maxTtl);
    this.#checkHeld();
    const { commands, renewal } = this.#keeper;
    const result = await commands.timers.awaited(renewal.refresh(this.#holding, ttl));
    if (typeof result === "object") throw this.#failure("refresh", result);
    this.#checkHeld();
  }

  async release(): Promise<void> {
    if (this.#released) throw new LockNotHeldError(this.keys, "it was released before");
    const error = await this.#giveBack();
    if (!error) return;
    // Whoever called is told; of listeners only those that want to know how each lock ended.
    if (this.#holding.details) this.#tellOfFailure(error);
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#released) return;
    const error = await this.#giveBack();
    if (error) this.#tellOfFailure(error);
  }

  #tellOfFailure(error: RedisLockError): void {
    const { commands, emit } = this.#keeper;
    const details = holdDetails(this.#holding, commands.timers);
    emit?.({ type: "releaseFailed", keys: this.keys, error }, details);
  }

  /** Releases, and returns what there is to say against it. */
  #giveBack(): Promise<RedisLockError | undefined> {
    const { claim, lease, seat, takenUntil, obtaining } = this.#holding;
    const { commands, renewal, own } = this.#keeper;
    const { timers } = commands;
    this.#released = true;
    const { lost, validUntil } = lease;
    lease.end();
    own.remove(this.#holding);
    const beside = own.beside(this.#holding);
    renewal.stop(this.#holding);
    const staysTaken = takenUntil > timers.now();
    obtaining?.end(staysTaken ? () => this.#leaveTaken() : undefined);
    const sent: Promise<Released | Failure> = staysTaken
      ? timers.awaited(renewal.leaveTaken(this.#holding))
      : this.#run(claim.release(this.fencingToken, seat));
    return sent.then((result) => this.#givenBack(result, { lost, validUntil, beside }));
  }

  /** What there is to say against a release, by its result and how the lock was before. */
  #givenBack(
    result: Released | Failure,
    { lost, validUntil, beside }: Before,
  ): RedisLockError | undefined {
    const { claim, since } = this.#holding;
    const { commands, own, emit } = this.#keeper;
    const { timers } = commands;
    this.#keeper.released(this.#holding);
    if (typeof result === "object") {
      this.#released = false; // So that it can be tried again.
      const error = this.#failure("release", result);
      // It may have been done.
      if (result.kind === "unknown") {
        for (const { lease } of beside) lease.lose("unreachable", error);
      }
      return error;
    }
    if (result === "unserved") this.#keeper.leaves(leave(commands, claim, undefined));
    const { keys } = this;
    const isOurs = result === "ours" || result === "unserved";
    // Of several, some may have been given back where not all were ours.
    if (isOurs || keys.length > 1) own.released(this.#holding, beside);
    if (isOurs) {
      const details = holdDetails(this.#holding, timers);
      emit?.({ type: "released", keys, held: timers.now() - since }, details);
      return undefined;
    }
    if (lost || timers.now() >= validUntil) {
      return new LockNotHeldError(this.keys, lost?.message ?? "its ttl ran out", lost);
    }
    // Clients send again what they got no answer to, and then the first copy may have done it.
    return new OutcomeUnknownError(
      this.keys,
      "release",
      "it was gone before its lease ended, as after a release that the client had to send twice",
    );
  }

  /** What a late command may have made longer is to stay taken until its time, and no longer. */
  #leaveTaken(): boolean {
    const { commands, renewal } = this.#keeper;
    if (commands.timers.now() >= this.#holding.takenUntil) return false;
    void renewal.leaveTaken(this.#holding);
    return true;
  }

  /** A command that the caller awaits: what it replied, or why there is no reply. */
  #run<T>(command: Command<T>): Promise<T | Failure> {
    const { commands } = this.#keeper;
    const run = commands.timers.awaited(commands.run(command));
    return run.then((outcome) => (outcome.kind === "reply" ? outcome.reply : outcome));
  }

  #failure(operation: Operation, outcome: Failure): RedisLockError {
    return failureOf(this.keys, operation, outcome);
  }

  #checkHeld(): void {
    const { lease } = this.#holding;
    if (lease.held && !this.#released) return;
    const why = lease.lost?.message ?? "it was released before";
    throw new LockNotHeldError(this.keys, why, lease.lost);
  }
}

/**
 * Throws why a lock is held no more that its holder has not given back. The signal alone does not say: in a
 * time of grace it has aborted, whatever became of the lock.
 */
export function throwIfEnded(lock: Lock): void {
  // A subclass of a locker may give another.
  if (!(lock instanceof HeldLock)) lock.signal.throwIfAborted();
  else if (lock.ended) throw lock.ended;
}
