import { LockLostError, type LossReason } from "../errors.js";
import { controller } from "../time/abort.js";
import { type Context, here } from "../time/context.js";
import type { Entry, Timers } from "../time/timers.js";

/**
 * How much of a ttl can be relied on: all but 1 % and 2 ms, for clocks that run at different speeds and
 * for the precision of Redis' expiry. Source: Redis docs, "Distributed Locks with Redis".
 */
export function usable(ttl: number): number {
  return ttl - ttl / 100 - 2;
}

/** Keeps a controller for as long as somebody has its signal. */
const controllers = new WeakMap<AbortSignal, AbortController>();

/**
 * How long a lock can be proved to be ours, by our own monotonic clock, counted from before the send
 * of the command that Redis answered. Whether it is over is computed when asked, so it is true also
 * right after the event loop was blocked; the timer only sees to it that the signal aborts in time.
 */
export class Lease {
  /** That of the obtain: what is told of the lock later on is told there. */
  readonly context: Context;
  readonly #keys: readonly string[];
  readonly #timers: Timers;
  readonly #onLost: (error: LockLostError) => void;
  #ttl: number;
  #sentAt: number;
  #granted: number;
  #validUntil: number;
  #expiry: Entry;
  #state: "held" | "ended" | LockLostError = "held";
  /** Made when first asked for: most locks are never listened to, and a controller is dear. */
  #controller: AbortController | undefined;
  /** In its stead once only the signal shows whether anybody cares for the lock. */
  #weakController: WeakRef<AbortController> | undefined;
  #dropped = false;
  #interrupted: Error | undefined;
  /** Whether a refresh was sent since the last that was confirmed, and why one got no answer, if known. */
  #asking = false;
  #doubt: unknown;

  /**
   * @param granted - The ttl that Redis gave it, counted from `sentAt`: less than `ttl` where that was
   *   all that could be asked for.
   * @param ttl - The ttl that it is to have from the first refresh on.
   */
  constructor(
    keys: readonly string[],
    timers: Timers,
    { sentAt, granted, ttl }: { sentAt: number; granted: number; ttl: number },
    onLost: (error: LockLostError) => void,
    context: Context = here(),
  ) {
    this.context = context;
    this.#keys = keys;
    this.#timers = timers;
    this.#onLost = onLost;
    this.#ttl = ttl;
    this.#sentAt = sentAt;
    this.#granted = granted;
    this.#validUntil = sentAt + usable(granted);
    this.#expiry = this.#watch();
  }

  /** The ttl that the lock is to have. */
  get ttl(): number {
    return this.#ttl;
  }

  /** The ttl that it has, counted from {@link sentAt}. */
  get granted(): number {
    return this.#granted;
  }

  /** When the command was sent that the lease counts from. */
  get sentAt(): number {
    return this.#sentAt;
  }

  get validUntil(): number {
    return this.#validUntil;
  }

  get held(): boolean {
    if (this.#state === "held" && this.#timers.now() >= this.#validUntil) this.#expire();
    return this.#state === "held";
  }

  /** Milliseconds for which the lock is ours for certain; 0 when it is not. */
  get remaining(): number {
    return this.held ? this.#validUntil - this.#timers.now() : 0;
  }

  get signal(): AbortSignal {
    const over = this.lost ?? this.#interrupted;
    this.#controller ??= controller();
    if (over && !this.#controller.signal.aborted) this.#controller.abort(over);
    return this.#controller.signal;
  }

  /** From now on nothing of ours keeps the signal; returned if anybody may have it. */
  letGoOfSignal(): AbortSignal | undefined {
    const controller = this.#controller;
    if (!controller) return undefined;
    this.#weakController = new WeakRef(controller);
    controllers.set(controller.signal, controller);
    this.#controller = undefined;
    return controller.signal;
  }

  /** Nobody has the lock's handle any more, nor its signal: it ends, and this is why. */
  drop(): void {
    this.#dropped = true;
  }

  /** How it was lost; undefined while it is held, and after it was released. */
  get lost(): LockLostError | undefined {
    return this.held || typeof this.#state === "string" ? undefined : this.#state;
  }

  /**
   * A refresh was sent. Whether or not it will be answered, Redis may have done it, or do it later: a
   * shorter ttl counts from now on, also for renewals.
   */
  refreshing(sentAt: number, ttl: number): void {
    this.#asking = true;
    this.#ttl = Math.min(this.#ttl, ttl);
    this.endBy(sentAt + usable(ttl));
  }

  /** It may have been cut: it cannot be proved for longer than until then. */
  endBy(time: number): void {
    if (time < this.#validUntil) this.#rewatch(time);
  }

  /** Redis confirmed a refresh that was sent at `sentAt`. What is lost stays lost. */
  refreshed(sentAt: number, ttl: number): void {
    if (!this.held) return;
    this.#asking = false;
    this.#doubt = undefined;
    this.#ttl = ttl;
    this.#sentAt = sentAt;
    this.#granted = ttl;
    this.#rewatch(sentAt + usable(ttl));
  }

  /** Whether a refresh was sent, and none confirmed since: it may be done yet. */
  get asking(): boolean {
    return this.#asking;
  }

  /** A refresh was not answered: if nothing else comes in time, this is why the lock is lost. */
  doubt(error: unknown): void {
    this.#doubt = error;
  }

  /** Why the holder was told to end, if it was. */
  get interrupted(): Error | undefined {
    return this.#interrupted;
  }

  /** Tells the holder to end. Until it does, the lock is held and renewed as before. */
  interrupt(reason: Error): void {
    if (!this.held) return;
    this.#interrupted ??= reason;
    this.#abort(reason);
  }

  lose(reason: LossReason, cause?: unknown): void {
    if (this.#state !== "held") return;
    const error = new LockLostError(this.#keys, reason, cause);
    this.#state = error;
    this.#timers.clear(this.#expiry);
    this.#abort(error);
    this.context.runInAsyncScope(() => this.#onLost(error));
  }

  /** The lock was given back: nothing of it can be lost any more. */
  end(): void {
    if (this.#state === "held") this.#state = "ended";
    this.#timers.clear(this.#expiry);
  }

  #abort(reason: Error): void {
    const listened = this.#controller ?? this.#weakController?.deref();
    if (listened) this.context.runInAsyncScope(() => listened.abort(reason));
  }

  #expire(): void {
    if (this.#asking) this.#doubt ??= new Error("no answer to a refresh before the lease ended");
    if (this.#dropped) this.lose("dropped");
    else if (this.#doubt === undefined) this.lose("expired");
    else this.lose("unreachable", this.#doubt);
  }

  #rewatch(validUntil: number): void {
    this.#timers.clear(this.#expiry);
    this.#validUntil = validUntil;
    this.#expiry = this.#watch();
  }

  #watch(): Entry {
    return this.#timers.set(this.#validUntil, () => this.#expire());
  }
}
