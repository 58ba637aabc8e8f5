import { OutcomeUnknownError, type RedisLockError, RefusedError } from "../errors.js";
import type { ObtainDetails } from "../events.js";
import type { Placed } from "../lease/bag.js";
import { usable } from "../lease/lease.js";
import type { Asked, Claim, Grant, Leftover, LinePlace } from "../primitives/primitive.js";
import { type Command, type Outcome, refusedLater } from "../redis/command.js";
import type { Commands } from "../redis/commands.js";
import { failureOf } from "../redis/failure.js";
import { isLasting } from "../redis/refusals.js";
import { type Replicas, TOO_FEW } from "../redis/replicas.js";
import { onAbort } from "../time/abort.js";
import { type Context, here } from "../time/context.js";
import { Traces } from "./traces.js";

/** What came of asking for the locks once. */
export type Answer =
  | Granted
  | Extract<Asked, { readonly kind: "taken" }>
  | { readonly kind: "failed"; readonly error: RedisLockError; readonly final: boolean };

/** Whether there is no use in asking again: the locks are had, or will not be. */
export function isLast(answer: Answer): boolean {
  return answer.kind === "granted" || (answer.kind === "failed" && answer.final);
}

export interface Granted extends Grant {
  readonly kind: "granted";
  /** When the command was sent that the lease counts from, and how long a lease it was given. */
  readonly sentAt: number;
  readonly ttl: number;
  /** A message was sent because one may have been missed. */
  readonly echoed?: boolean;
}

/** Who is told of obtains while they are under way. */
export interface Told {
  /** It begins to wait; undefined for one that polls, else at this place in line. */
  waiting(acquisition: Acquisition, position: number | undefined): void;
  /** A grant that came when it was over was given back. */
  lateGrant(acquisition: Acquisition): void;
}

interface Caller {
  readonly reject: (reason: unknown) => void;
  /** Does not listen to the signal any more. */
  readonly forget: (() => void) | undefined;
}

/** Whether what is granted now is kept: as long as it is wanted. */
const wanted = (): boolean => true;
/** After that, it goes back. */
const over = (): boolean => false;

/**
 * One obtain under way, from the first command to the last that may still take the locks for it. It is
 * *wanted* until it is over: given up, stopped, or its lock released or lost. Whatever is granted to it
 * after that goes back.
 */
export class Acquisition implements Placed {
  readonly claim: Claim;
  /** By which it is told apart, where somebody listens who wants that. */
  readonly details: ObtainDetails | undefined;
  /** That of the obtain: what is done for it is done there, whatever message or timer it was that said so. */
  readonly context: Context = here();
  /** When it began. */
  readonly started: number;
  /** How often Redis was asked. */
  tries = 0;
  /** Among those that are under way. */
  place = -1;
  readonly #commands: Commands;
  readonly #replicas: Replicas | undefined;
  readonly #told: Told;
  readonly #traces: Traces;
  /** {@link wanted}, {@link over}, or what whoever released its lock says. */
  #keeps: () => boolean = wanted;
  #hasWaited = false;
  #abandoned: Promise<Leftover | undefined> | undefined;
  #onStop: (() => void) | undefined;
  /** Whoever waits for the result, and has none yet. */
  #caller: Caller | undefined;

  constructor(
    claim: Claim,
    commands: Commands,
    replicas: Replicas | undefined,
    told: Told,
    details?: ObtainDetails,
  ) {
    this.claim = claim;
    this.details = details;
    this.#commands = commands;
    this.#replicas = replicas;
    this.#told = told;
    this.#traces = new Traces(claim, commands);
    this.started = commands.timers.now();
  }

  /** Milliseconds since it began. */
  get waited(): number {
    return this.#commands.timers.now() - this.started;
  }

  /** The locks are taken, and it will be tried again; in line, at this place. */
  waiting(position?: number): void {
    if (!this.#hasWaited) this.#told.waiting(this, position);
    this.#hasWaited = true;
  }

  /** Whether it was not over with its first command: a message may have told of the grant. */
  get hasWaited(): boolean {
    return this.#hasWaited || this.tries > 1;
  }

  get wanted(): boolean {
    return this.#keeps === wanted;
  }

  /** The locks were granted, also if too few replicas had them. */
  get granted(): boolean {
    return this.#traces.granted;
  }

  /** True while a command may still take the locks, or may have taken them. */
  get uncertain(): boolean {
    return this.#traces.uncertain;
  }

  /** Nothing can be granted to it any more that it has not heard of. */
  get settled(): boolean {
    const { uncertain, inLine } = this.#traces;
    return !uncertain && inLine === undefined && this.#onStop === undefined;
  }

  /**
   * The result of `work`, or a rejection with the reason as soon as it is stopped or the signal aborts.
   * The work then learns by {@link onStop} that it is to end.
   */
  run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const forget = signal && onAbort(signal, () => this.stop(signal.reason));
      this.#caller = { reject, forget };
      work().then(
        (result) => {
          this.#dismissCaller();
          resolve(result);
        },
        (error: unknown) => this.#dismissCaller()?.reject(error),
      );
    });
  }

  /** Nobody waits for it any more. Returns false when the result is there: then it is whoever waited's. */
  stop(reason: unknown): boolean {
    const caller = this.#dismissCaller();
    if (!caller) return false;
    this.#keeps = over;
    caller.reject(reason);
    this.#onStop?.();
    return true;
  }

  #dismissCaller(): Caller | undefined {
    const caller = this.#caller;
    this.#caller = undefined;
    caller?.forget?.();
    return caller;
  }

  /** Calls `run`, in place of any before it, when it is stopped, or its lock released or lost. */
  onStop(run: (() => void) | undefined): void {
    this.#onStop = run;
  }

  /** Asks for the locks once; with a `place`, also to stand in line if they are taken. */
  ask(deadline: number, place?: LinePlace): Promise<Answer> {
    const { claim } = this;
    const isFirst = this.tries++ === 0;
    if (place) this.#traces.inLine = place.id;
    const command = place ? claim.standInLine(place) : claim.obtain();
    const replicas = this.#replicas;
    if (isFirst && replicas?.isFree(command.keys)) {
      return this.#askDirectly(replicas, command);
    }
    return this.#send(command, deadline);
  }

  /** Over the connection that waits for replicas, where a lock needs no second command, or as otherwise. */
  async #askDirectly(replicas: Replicas, command: Command<Asked>): Promise<Answer> {
    const { timers, timeout } = this.#commands;
    // No deadline of an obtain comes before that of its first command.
    const lastAnswer = timers.now() + timeout;
    const answer = await this.#send(command, lastAnswer, replicas);
    const isOver = !this.wanted || timers.now() >= lastAnswer;
    if (isOver || answer.kind !== "failed" || isTooFew(answer.error)) return answer;
    return this.#send(command, lastAnswer);
  }

  #send(command: Command<Asked>, deadline: number, direct?: Replicas): Promise<Answer> {
    const { timers } = this.#commands;
    // A reply that comes when the lease would be over is none.
    const until = Math.min(deadline, timers.now() + usable(this.claim.ttl));
    this.#traces.sent(direct !== undefined);
    const late = (reply: Asked | undefined): void => {
      if (reply) this.#traces.known();
      // It may have come together with those of other calls.
      this.context.runInAsyncScope(() => this.#giveBackIfOver(reply));
    };
    const sent = direct
      ? direct.obtain(command, { until, late })
      : this.#commands.run(command, { until, late, wanted: () => this.wanted });
    return sent.then((outcome) => this.#heard(outcome, deadline, direct));
  }

  /** What an outcome comes to for whoever asked. */
  #heard(
    outcome: Outcome<Asked>,
    deadline: number,
    direct: Replicas | undefined,
  ): Answer | Promise<Answer> {
    const { claim } = this;
    const traces = this.#traces;
    if (outcome.kind === "unknown") {
      const error = failureOf(claim.keys, "obtain", outcome);
      return { kind: "failed", error, final: this.#commands.client.closed === true };
    }
    const granted = outcome.kind === "reply" && outcome.reply.kind === "granted";
    if (granted && this.isOver(outcome.sentAt, claim.ttl)) return this.#tooLate();
    // What was sent twice may be done a second time, later.
    if (outcome.kind === "refused" || outcome.once) traces.known();
    if (outcome.kind === "refused") {
      // It may have been the replicas alone that were missing.
      if (direct) traces.granted = true;
      // An earlier command may have been done.
      const earlier = "an earlier command was not answered";
      const failure = this.uncertain ? refusedLater(earlier, outcome.error) : outcome;
      const error = failureOf(claim.keys, "obtain", failure);
      const final = claim.isFinal?.(outcome.error) ?? isLasting(outcome.error);
      return { kind: "failed", error, final };
    }
    const { reply, sentAt } = outcome;
    this.#giveBackIfOver(reply);
    traces.granted = reply.kind === "granted";
    if (reply.kind !== "granted") {
      // Told at once: whoever hears of it may look at what is held now.
      if (reply.place && this.wanted) this.waiting(reply.place.position);
      return reply;
    }
    const { fencingToken, seat, echoed = false } = reply;
    const grant: Granted = { kind: "granted", fencingToken, seat, echoed, sentAt, ttl: claim.ttl };
    return this.#replicas && !direct ? this.#confirm(this.#replicas, grant, deadline) : grant;
  }

  /** What a grant that was heard of comes to: itself; where replicas must have it, only once they do. */
  accept(grant: Granted, deadline: number, tell: (answer: Answer) => void): void {
    this.#traces.granted = true;
    if (this.#replicas) void this.#confirm(this.#replicas, grant, deadline).then(tell);
    else tell(grant);
  }

  /**
   * A grant counts once enough replicas have it. A refresh proves that the master has the lock which is
   * asked for replicas: it may be another by now than the one that granted it.
   */
  async #confirm(replicas: Replicas, grant: Granted, deadline: number): Promise<Answer> {
    const { keys, ttl } = this.claim;
    const { fencingToken, seat, sentAt } = grant;
    const until = Math.min(deadline, sentAt + usable(grant.ttl));
    const command = this.claim.refresh(fencingToken, ttl, 0, seat);
    const outcome = await replicas.run(command, { until });
    if (outcome.kind === "reply") {
      if (this.isOver(outcome.sentAt, ttl)) return this.#tooLate();
      if (outcome.reply === "ours") {
        // One that was taken earlier may be on a server that has taken over since.
        if (this.tries === 1 && !this.uncertain) replicas.agree(command.keys);
        return { ...grant, sentAt: outcome.sentAt, ttl };
      }
      const why = "it was granted, and gone before replicas could have it";
      return { kind: "failed", error: new OutcomeUnknownError(keys, "obtain", why), final: false };
    }
    const final = outcome.kind === "refused" && isLasting(outcome.error);
    return { kind: "failed", error: failureOf(keys, "obtain", outcome), final };
  }

  /** Whether a lease that counts from `sentAt` is over. */
  isOver(sentAt: number, ttl: number): boolean {
    return this.#commands.timers.now() >= sentAt + usable(ttl);
  }

  /**
   * Gives it up, once: leaves the line, and gives back what was granted. Resolves to what it left, for
   * the caller to tell of; to undefined if there was nothing to leave, or no reply.
   */
  abandon(): Promise<Leftover | undefined> {
    this.#keeps = over;
    if (this.#traces.none) return Promise.resolve(undefined);
    this.#abandoned ??= this.#takeBack();
    return this.#abandoned;
  }

  /** The lock that it obtained was released or lost. What is granted after that goes back, unless `kept`. */
  end(kept: () => boolean = over): void {
    this.#keeps = kept;
    this.#onStop?.();
  }

  /** A grant was heard of: when it is over, it goes back. */
  heardOfGrant(): void {
    if (!this.#keeps()) void this.#takeBack();
  }

  #giveBackIfOver(reply: Asked | undefined): void {
    const nothingTaken = reply?.kind === "taken" && this.#traces.inLine === undefined;
    if (!nothingTaken) this.heardOfGrant();
  }

  #takeBack(): Promise<Leftover | undefined> {
    return this.#traces.takeBack(() => {
      this.context.runInAsyncScope(() => this.#told.lateGrant(this));
    });
  }

  #tooLate(): Answer {
    const cause = new Error("the answer took longer than the lease");
    const error = new OutcomeUnknownError(this.claim.keys, "obtain", cause.message, cause);
    return { kind: "failed", error, final: false };
  }
}

function isTooFew(error: RedisLockError): boolean {
  return error instanceof RefusedError && error.reply === TOO_FEW;
}
