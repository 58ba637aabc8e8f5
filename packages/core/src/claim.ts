import { type Calls, type Failure, isNotNow, type Outcome } from "./calls.js";
import type { Reply } from "./client.js";
import {
  type Holder,
  NotALockError,
  type Operation,
  OutcomeUnknownError,
  RefusedError,
  type RedisLockError,
} from "./errors.js";
import { usable } from "./lease.js";
import { lockNames, type Space } from "./names.js";
import { redacted, redactedAnswer } from "./redact.js";
import type { Request } from "./request.js";
import { leaveScript, obtainScript, releaseScript, ttlScript } from "./scripts.js";

/** What came of asking for the locks once. */
export type Answer =
  | {
      readonly kind: "granted";
      readonly fencingToken: number;
      /** When the question was sent that the lease counts from, and how long a lease it was given. */
      readonly sentAt: number;
      readonly ttl: number;
    }
  | { readonly kind: "taken"; readonly holder: Holder | undefined; readonly place?: Place }
  | { readonly kind: "failed"; readonly error: RedisLockError; readonly final: boolean };

/** Where we stand in line. The ticket keeps the place when the line itself is lost. */
interface Place {
  readonly position: number;
  readonly ticket: string;
  /** Every grant from then on has a higher fencing token. */
  readonly bound: number;
}

/** Who asks to stand in line. */
export interface Waiter {
  readonly id: string;
  readonly ticket: string | undefined;
  /** Milliseconds after which the place is given up if it does not ask again. */
  readonly patience: number;
  /** Whether it can be told of a grant: 0 no, 1 yes, 2 yes but Redis cannot count who hears. */
  readonly told: 0 | 1 | 2;
  /** Milliseconds of the lease that it is granted unasked. */
  readonly lease: number;
}

/** What an obtain that was given up left: whose the lock is, and our place in line if we had one. */
export interface Left {
  readonly holder: Holder | undefined;
  readonly position: number | undefined;
}

/** Whether a lock is still ours, as Redis says. */
export type Verdict = "ours" | "deleted" | "taken";

/**
 * One holder's claim to its keys, before, while and after it holds them: all that is said of it to
 * Redis, and the only place that knows its token.
 */
export class Claim {
  readonly keys: readonly string[];
  readonly ttl: number;
  readonly token: string;
  readonly metadata: string;
  readonly #calls: Calls;
  readonly #value: string;
  /** Four names for each key, in the order that the scripts take them. */
  readonly #names: string[];
  /** Told when a grant that came after we had given up was released again. */
  readonly #onLateGrant: () => void;
  #gone = false;
  /** Questions that may have taken the locks without our knowing. */
  #unanswered = 0;
  /** Our id in line, once we asked to stand in it. */
  #id: string | undefined;
  #givenUp: Promise<Left | undefined> | undefined;

  constructor(request: Request, space: Space, calls: Calls, onLateGrant: () => void) {
    this.keys = request.keys;
    this.ttl = request.ttl;
    this.token = request.token;
    this.metadata = request.metadata;
    this.#calls = calls;
    this.#value = request.token + request.metadata;
    const [first = "", ...others] = request.keys;
    this.#names = lockNames(first, space);
    for (const key of others) this.#names.push(...lockNames(key, space));
    this.#onLateGrant = onLateGrant;
  }

  /** True while a question may still take the locks, or may have taken them. */
  get uncertain(): boolean {
    return this.#unanswered > 0;
  }

  /** Asks for the locks once; as a `waiter`, also for a place in line if they are taken. */
  async ask(deadline: number, waiter?: Waiter): Promise<Answer> {
    const args = [this.#value, String(this.ttl), String(this.token.length)];
    if (waiter) {
      const { id, ticket = "", patience, told, lease } = waiter;
      this.#id = id;
      args.push(id, ticket, String(patience), String(told), String(lease));
    }
    // An answer that comes when the lease would be over is no answer.
    const until = Math.min(deadline, this.#calls.alarm.now() + usable(this.ttl));
    this.#unanswered++; // Until the answer is there, and for good if it had to be asked twice.
    const outcome = await this.#calls.run(obtainScript, this.#names, args, until, (reply) => {
      this.#unanswered--;
      this.#sweep(reply);
    });
    if (outcome.kind === "unknown") {
      const final = this.#calls.client.closed === true;
      return { kind: "failed", error: this.failure("obtain", outcome), final };
    }
    if (
      outcome.kind === "reply" &&
      typeof outcome.reply === "string" &&
      this.tooLate(outcome.sentAt, this.ttl)
    ) {
      const cause = new Error("the answer took longer than the lease");
      const error = new OutcomeUnknownError(this.keys, "obtain", cause.message, cause);
      return { kind: "failed", error, final: false };
    }
    if (outcome.once) this.#unanswered--;
    if (outcome.kind === "refused") {
      const error = this.failure("obtain", outcome);
      return { kind: "failed", error, final: !isNotNow(outcome.error) };
    }
    this.#sweep(outcome.reply);
    return answer(outcome, this.ttl, waiter !== undefined);
  }

  /** Whether a lease that counts from `sentAt` is over. */
  tooLate(sentAt: number, ttl: number): boolean {
    return this.#calls.alarm.now() >= sentAt + usable(ttl);
  }

  /**
   * Leaves nothing behind when an obtain is given up: no place in line, no lock granted meanwhile.
   * Returns what it left, for the caller to tell of; undefined if there was nothing to leave or no answer.
   */
  giveUp(): Promise<Left | undefined> {
    this.#gone = true;
    if (this.#id === undefined && this.#unanswered === 0) return Promise.resolve(undefined);
    this.#givenUp ??= this.giveBack();
    return this.#givenUp;
  }

  /** Leaves the line and gives back what was granted meanwhile. */
  async giveBack(): Promise<Left | undefined> {
    const args = [this.#value, this.#id ?? ""];
    const outcome = await this.#calls.run(leaveScript, this.#names, args);
    if (outcome.kind !== "reply") return undefined;
    const [left = null, fence = null, metadata = null, position, owned] = listOf(outcome.reply);
    if (owned === "1") this.#onLateGrant();
    return {
      holder: describedHolder(left, fence, metadata),
      position: Number(position) || undefined,
    };
  }

  /** Gives the locks back: "ours" if all of them were. */
  async release(): Promise<Verdict | Failure> {
    this.#gone = true;
    const outcome = await this.#calls.run(releaseScript, this.#names, [this.#value]);
    return outcome.kind === "reply" ? verdictOf([outcome.reply]) : outcome;
  }

  /** Milliseconds until Redis ends the lock, `Infinity` if it never will; or whose it is if not ours. */
  async timeLeft(): Promise<number | Exclude<Verdict, "ours"> | Failure> {
    const keys = this.#names.filter((_, index) => index % NAMES === 0);
    const outcome = await this.#calls.run(ttlScript, keys, [this.#value]);
    if (outcome.kind !== "reply") return outcome;
    const { reply } = outcome;
    if (reply === "taken" || reply === "deleted") return reply;
    return reply === "none" ? Infinity : Number(reply);
  }

  /** This claim's part in a refresh of many: the keys and arguments for each of its locks. */
  refreshPart(ttl: number, cut: boolean): { keys: string[]; args: string[] } {
    const keys = this.#names.filter((_, index) => index % NAMES < 2);
    return { keys, args: this.keys.flatMap(() => [this.#value, String(ttl), cut ? "1" : "0"]) };
  }

  /** The error to throw for an outcome that is no reply. */
  failure(operation: Operation, outcome: Failure): RedisLockError {
    return failure(this.keys, operation, outcome, this.token);
  }

  /** A grant was heard of: if nobody wants it any more, it goes back; if it is held already, fine. */
  grantedLate(): void {
    if (this.#gone) void this.giveBack();
  }

  /** The claim came to its end without us: a grant that comes now must go back. */
  end(): void {
    this.#gone = true;
  }

  /** A question was answered when we had already given up: what it took goes back. */
  #sweep(reply: Reply): void {
    if (!this.#gone || (typeof reply !== "string" && this.#id === undefined)) return;
    void this.giveBack();
  }
}

/** The error to throw for an outcome that is no reply; without the token, wherever it stood. */
export function failure(
  keys: readonly string[],
  operation: Operation,
  outcome: Failure,
  token: string = "",
): RedisLockError {
  if (outcome.kind === "unknown") {
    const cause = redacted(outcome.error, token);
    return new OutcomeUnknownError(keys, operation, cause.message, cause);
  }
  const cause = redactedAnswer(outcome.error, token);
  if (cause.reply === "WRONGTYPE") return new NotALockError(keys, cause);
  return new RefusedError(keys, operation, cause);
}

/** How many names {@link lockNames} gives for each key. */
const NAMES = 4;

/** The verdict on all locks of a claim, from the replies for each: one that is not ours is enough. */
export function verdictOf(replies: readonly Reply[]): Verdict {
  if (replies.includes("-1")) return "taken";
  return replies.includes("0") ? "deleted" : "ours";
}

/** What the scripts tell of a lock: milliseconds left, fencing token, metadata. */
export function describedHolder(left: Reply, fence: Reply, metadata: Reply): Holder | undefined {
  if (left === null) return undefined;
  return {
    metadata: typeof metadata === "string" ? metadata : undefined,
    fencingToken: fence === null ? undefined : Number(fence),
    remaining: left === "-1" ? Infinity : Number(left),
  };
}

/** The parts of a reply that is a list; none of any other. */
export function listOf(reply: Reply): readonly Reply[] {
  return typeof reply === "object" ? (reply ?? []) : [];
}

function answer(outcome: Outcome & { kind: "reply" }, ttl: number, inLine: boolean): Answer {
  const { reply, sentAt } = outcome;
  if (typeof reply === "string") {
    return { kind: "granted", fencingToken: Number(reply), sentAt, ttl };
  }
  const [left = null, second = null, third = null, bound = null] = listOf(reply);
  if (!inLine) return { kind: "taken", holder: describedHolder(left, second, third) };
  const holder = describedHolder(left, null, null);
  const place = { position: Number(second), ticket: String(third), bound: Number(bound) };
  return { kind: "taken", holder, place };
}
