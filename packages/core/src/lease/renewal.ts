import type { HoldDetails, ObtainDetails, Teller } from "../events.js";
import type { Claim, Grant, Verdict } from "../primitives/primitive.js";
import type { Failure } from "../redis/command.js";
import type { Commands } from "../redis/commands.js";
import { failureOf } from "../redis/failure.js";
import type { Entry, Timers } from "../time/timers.js";
import type { Placed } from "./bag.js";
import type { Handle } from "./handle.js";
import { type Lease, usable } from "./lease.js";
import type { OwnLocks } from "./own-locks.js";

/** A lock that is held: what is said of it to Redis, and how long it is ours. */
export interface Holding extends Grant, Placed {
  readonly claim: Claim;
  readonly lease: Lease;
  /** When it was obtained. */
  readonly since: number;
  /** Until then it stays taken, also when it is released before. */
  readonly takenUntil: number;
  /** The obtain, where something may be granted to it yet. */
  readonly obtaining: Obtaining | undefined;
  /** Of its obtain, where a listener wants them. */
  readonly details: ObtainDetails | undefined;
  /** The lock's object. */
  readonly handle: Handle;
  /** For {@link Renewal} alone. */
  readonly renewed: Renewed;
}

/** What a listener that wants details is told of a lock that was obtained. */
export function holdDetails(
  { details, fencingToken, since }: Pick<Holding, "details" | "fencingToken" | "since">,
  timers: Timers,
): HoldDetails | undefined {
  return details && { ...details, fencingToken, held: timers.now() - since };
}

interface Obtaining {
  /** A grant that comes from now on goes back, unless `kept` says that it does not. */
  end(kept?: () => boolean): void;
}

/** What renewal knows of a lock. */
interface Renewed {
  /** When it is renewed next; undefined if it is not. */
  timer?: Entry | undefined;
  /** Settles when the refresh that is under way does. */
  busy?: Promise<unknown> | undefined;
  /** Renewed over and over, or only until it has a whole lease; undefined if it is not. */
  wanted?: "kept" | "once" | undefined;
  /** Counts refreshes from the first that shortened the lease on; 0 before. */
  order?: number;
}

/** A lease is renewed after this part of its ttl, and again after the smaller one if that failed. */
const RENEW_AFTER = 1 / 3;
const TRY_AGAIN_AFTER = 1 / 30;
/** Milliseconds after which a lock's object is let go. Lower: weak references for short holds, which are dear. */
const LOOSEN_AFTER = 1_000;
/** Milliseconds between two tries, at the least. */
const SHORTEST_PAUSE = 10;

/**
 * Starts leases anew: once, when asked to, or over and over until stopped. Renews each third of the
 * ttl; what comes due in the same thirtieth of it leaves together. A renewal that failed is tried again
 * within the lease; only Redis' "not yours" or the end of the lease ends it.
 */
export class Renewal {
  readonly #commands: Commands;
  /** Runs what moves a lease. */
  readonly #moving: Pick<Commands, "run">;
  readonly #own: OwnLocks;
  readonly #emit: Teller | undefined;
  /** Whoever drops a lock without releasing it must not hold it for ever. */
  readonly #dropped: FinalizationRegistry<Holding> | undefined;

  constructor(
    commands: Commands,
    moving: Pick<Commands, "run">,
    own: OwnLocks,
    emit: Teller | undefined,
  ) {
    this.#commands = commands;
    this.#moving = moving;
    this.#own = own;
    this.#emit = emit;
    // Some edge runtimes have none.
    if (typeof FinalizationRegistry !== "undefined") {
      this.#dropped = new FinalizationRegistry((holding) => this.#drop(holding));
    }
  }

  /** Renews the lease until it is stopped, lost, or the lock's object and signal were garbage-collected. */
  keep(holding: Holding): void {
    const { renewed } = holding;
    const { timers } = this.#commands;
    const first = nextRenewal(holding.lease);
    renewed.wanted = "kept";
    renewed.timer = timers.set(Math.min(first, timers.now() + LOOSEN_AFTER), () => {
      this.#loosen(holding);
      this.#schedule(holding, first);
    });
  }

  /** The lease is shorter than was asked for: sees to it that it gets a whole one. */
  complete(holding: Holding): void {
    holding.renewed.wanted ??= "once";
    void this.#renew(holding, false);
  }

  stop(holding: Holding): void {
    const { renewed, handle } = holding;
    if (handle.isLoose) this.#dropped?.unregister(holding);
    if (renewed.timer) this.#commands.timers.clear(renewed.timer);
    renewed.wanted = undefined;
  }

  /** The handle is gone. Whoever still has the signal relies on the lock. */
  #drop(holding: Holding): void {
    const signal = holding.lease.letGoOfSignal();
    if (signal) {
      this.#dropped?.register(signal, holding, holding);
      return;
    }
    holding.lease.drop();
    this.stop(holding);
  }

  /** Starts one lease anew, with this ttl from now on. One at a time for each lock, to keep their order. */
  async refresh(holding: Holding, ttl: number): Promise<Verdict | Failure> {
    const { timers, timeout } = this.#commands;
    const deadline = timers.now() + timeout;
    while (holding.renewed.busy) await holding.renewed.busy;
    if (timers.now() >= deadline) return outOfTurn();
    const result = await this.#send(holding, ttl, deadline, false);
    if (typeof result === "string") this.#scheduleNext(holding);
    else if (holding.renewed.wanted) this.#scheduleRetry(holding);
    return result;
  }

  /**
   * For a lock that is over for its holder: sees to it that it stays taken until its time and no longer,
   * whether its lease must be cut for that or made longer. After a refresh that is under way, which could
   * make it longer again.
   */
  async leaveTaken(holding: Holding): Promise<Verdict | Failure> {
    const { lease, renewed } = holding;
    const { timers, timeout } = this.#commands;
    const until = timers.now() + timeout;
    while (renewed.busy) await renewed.busy;
    if (timers.now() >= until) return outOfTurn();
    const first = await this.#cut(holding, until);
    if (first !== "ours" || !lease.asking) return first;
    // Of two connections, a server that hung reads either first: once it answers, it has read both.
    const second = await this.#cut(holding, until);
    return typeof second === "string" ? first : second;
  }

  async #cut(holding: Holding, until: number): Promise<Verdict | Failure> {
    const { claim, fencingToken, seat, takenUntil, renewed } = holding;
    renewed.order = (renewed.order ?? 0) + 1;
    const rest = Math.max(1, Math.ceil(takenUntil - this.#commands.timers.now()));
    const command = claim.refresh(fencingToken, rest, renewed.order, seat);
    const outcome = await this.#commands.run(command, { until });
    return outcome.kind === "reply" ? outcome.reply : outcome;
  }

  #schedule(holding: Holding, at: number): void {
    const { renewed } = holding;
    const { timers } = this.#commands;
    if (renewed.timer) timers.clear(renewed.timer);
    renewed.timer = timers.set(at, () => {
      // The timer that was to do so may be the one before this.
      if (renewed.wanted === "kept") this.#loosen(holding);
      if (!holding.lease.held || renewed.busy) return;
      void holding.lease.context.runInAsyncScope(() => this.#renew(holding, true));
    });
  }

  /** From now on it is found out whether anybody has the lock's object. */
  #loosen(holding: Holding): void {
    const lock = this.#dropped && holding.handle.loosened();
    if (lock) this.#dropped?.register(lock, holding, holding);
  }

  #scheduleNext(holding: Holding): void {
    if (holding.renewed.wanted === "kept") this.#schedule(holding, nextRenewal(holding.lease));
    else this.stop(holding);
  }

  #scheduleRetry(holding: Holding): void {
    const pause = Math.max(holding.lease.granted * TRY_AGAIN_AFTER, SHORTEST_PAUSE);
    this.#schedule(holding, this.#commands.timers.now() + pause);
  }

  async #renew(holding: Holding, gather: boolean): Promise<void> {
    const { claim, lease } = holding;
    const { timers, timeout } = this.#commands;
    const result = await this.#send(holding, lease.ttl, timers.now() + timeout, gather);
    const { remaining } = lease;
    const { wanted } = holding.renewed;
    if (wanted === undefined || remaining === 0) return;
    if (typeof result === "string") {
      this.#scheduleNext(holding);
      if (wanted !== "kept") return;
      const details = holdDetails(holding, timers);
      this.#emit?.({ type: "renewed", keys: claim.keys, remaining }, details);
      return;
    }
    this.#scheduleRetry(holding);
    if (!this.#emit) return;
    const error = failureOf(claim.keys, "refresh", result);
    const details = holdDetails(holding, timers);
    this.#emit({ type: "renewalFailed", keys: claim.keys, remaining, error }, details);
  }

  /** Sends a refresh and tells the lease what came of it. */
  async #send(
    holding: Holding,
    ttl: number,
    deadline: number,
    gather: boolean,
  ): Promise<Verdict | Failure> {
    const { claim, fencingToken, seat, lease, renewed } = holding;
    const { order = 0 } = renewed;
    renewed.order = order > 0 || ttl < lease.ttl ? order + 1 : 0;
    const command = claim.refresh(fencingToken, ttl, renewed.order, seat);
    const until = Math.min(deadline, lease.validUntil);
    const now = this.#commands.timers.now();
    lease.refreshing(now, ttl);
    const isCut = renewed.order > 0;
    if (isCut) this.#own.cut(holding, now + usable(ttl));
    const sent = this.#moving.run(command, { until, gather });
    renewed.busy = sent;
    const outcome = await sent;
    renewed.busy = undefined;
    // Once more, for those who were told meanwhile that they have it.
    if (isCut) this.#own.cut(holding, now + usable(ttl));
    if (outcome.kind !== "reply") {
      lease.doubt(failureOf(claim.keys, "refresh", outcome));
      return outcome;
    }
    if (outcome.reply === "ours") lease.refreshed(outcome.sentAt, ttl);
    else if (lease.held) lease.lose(outcome.reply);
    return outcome.reply;
  }
}

function outOfTurn(): Failure {
  return { kind: "unknown", error: new Error("no answer to the refresh before this one") };
}

/** A third of the ttl after the lease began, on a grid of thirtieths so that renewals meet. */
function nextRenewal(lease: Lease): number {
  const grid = lease.granted * TRY_AGAIN_AFTER;
  return Math.floor((lease.sentAt + lease.granted * RENEW_AFTER) / grid) * grid;
}
