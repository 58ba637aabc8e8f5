import type { Calls, Command, Failure } from "./calls.js";
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
import { isNotNow } from "./refusals.js";
import { listOf, textOrNull, wholeNumber } from "./replies.js";
import type { Request } from "./request.js";
import { leaveScript, obtainScript, releaseScript, ttlScript } from "./scripts.js";
import { createToken } from "./token.js";

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
  /** A secret of this command: who shows it grants what the command asked for, after it was sent. */
  readonly proof: string;
}

/** What an obtain that was given up left: whose the lock is, and our place in line if we had one. */
export interface Left {
  readonly holder: Holder | undefined;
  readonly position: number | undefined;
}

/** What Redis says to being asked for the locks. */
type Asked =
  | { readonly kind: "granted"; readonly fencingToken: number }
  | { readonly kind: "taken"; readonly holder: Holder | undefined; readonly place?: Place };

/** What Redis says that an obtain which was given up left. */
interface Leftover extends Left {
  /** It had a lock to give back. */
  readonly owned: boolean;
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
  /** Tells this call from others with the same token; "" where the token is this call's alone. */
  readonly #call: string;
  /** The fencing token that we were told of, for scripts that must tell our lock from a later one. */
  #fence = "";
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
    this.#call = request.ownToken ? createToken() : "";
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
    const args = [this.#value, String(this.ttl), String(this.token.length), this.#call];
    if (waiter) {
      const { id, ticket = "", patience, told, lease, proof } = waiter;
      this.#id = id;
      args.push(id, ticket, String(patience), String(told), String(lease), proof);
    }
    const read = waiter ? readInLine : readAsked;
    const command: Command<Asked> = { script: obtainScript, keys: this.#names, args, read };
    // An answer that comes when the lease would be over is no answer.
    const until = Math.min(deadline, this.#calls.alarm.now() + usable(this.ttl));
    this.#unanswered++; // Until the answer is there, and for good if it had to be asked twice.
    const outcome = await this.#calls.run(command, until, (reply) => {
      if (reply) this.#unanswered--;
      this.#sweep(reply);
    });
    if (outcome.kind === "unknown") {
      const final = this.#calls.client.closed === true;
      return { kind: "failed", error: this.failure("obtain", outcome), final };
    }
    if (
      outcome.kind === "reply" &&
      outcome.reply.kind === "granted" &&
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
    const { reply, sentAt } = outcome;
    return reply.kind === "granted" ? { ...reply, sentAt, ttl: this.ttl } : reply;
  }

  /** The lock is ours, with this fencing token. */
  granted(fencingToken: number): void {
    if (this.#call !== "") this.#fence = String(fencingToken);
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
    const args = [this.#value, this.#id ?? "", this.#call];
    const command = { script: leaveScript, keys: this.#names, args, read: readLeftover };
    const outcome = await this.#calls.run(command);
    if (outcome.kind !== "reply") return undefined;
    const { owned, ...left } = outcome.reply;
    if (owned) this.#onLateGrant();
    return left;
  }

  /** Gives the locks back: "ours" if all of them were. */
  async release(): Promise<Verdict | Failure> {
    this.#gone = true;
    const args = [this.#value, this.#fence];
    const command = { script: releaseScript, keys: this.#names, args, read: readVerdict };
    const outcome = await this.#calls.run(command);
    return outcome.kind === "reply" ? outcome.reply : outcome;
  }

  /** Milliseconds until Redis ends the lock, `Infinity` if it never will; or whose it is if not ours. */
  async timeLeft(): Promise<number | Exclude<Verdict, "ours"> | Failure> {
    const args = [this.#value, this.#fence];
    const command = { script: ttlScript, keys: this.#keysAndFences(), args, read: readTimeLeft };
    const outcome = await this.#calls.run(command);
    return outcome.kind === "reply" ? outcome.reply : outcome;
  }

  /** This claim's part in a refresh of many: the keys and arguments for each of its locks. */
  refreshPart(ttl: number, cut: boolean): { keys: string[]; args: string[] } {
    const args = [this.#value, this.#fence, String(ttl), cut ? "1" : "0"];
    return { keys: this.#keysAndFences(), args: this.keys.flatMap(() => args) };
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

  #keysAndFences(): string[] {
    return this.#names.filter((_, index) => index % NAMES < 2);
  }

  /** A question was answered when we had already given up: what it took, or may have, goes back. */
  #sweep(reply: Asked | undefined): void {
    if (!this.#gone || (reply?.kind === "taken" && this.#id === undefined)) return;
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

/** What the reply for one lock, or for all of a claim, means. */
export function readVerdict(reply: Reply | undefined): Verdict | undefined {
  return reply === "1" ? "ours" : reply === "0" ? "deleted" : reply === "-1" ? "taken" : undefined;
}

/** The verdict on all locks of a claim: one that is not ours is enough. */
export function verdictOn(locks: readonly Verdict[]): Verdict {
  if (locks.includes("taken")) return "taken";
  return locks.includes("deleted") ? "deleted" : "ours";
}

/**
 * What the scripts tell of a lock: milliseconds left, fencing token, metadata. `"nobody"` if there is no
 * lock; undefined for what they cannot tell.
 */
export function readHolder(
  left: Reply | undefined,
  fence: Reply | undefined,
  metadata: Reply | undefined,
): Holder | "nobody" | undefined {
  if (left === null) return fence === null && metadata === null ? "nobody" : undefined;
  const remaining = wholeNumber(left, -1);
  const fencingToken = fence === null ? null : wholeNumber(fence, 1);
  const said = textOrNull(metadata);
  if (remaining === undefined || fencingToken === undefined || said === undefined) return undefined;
  return {
    metadata: said ?? undefined,
    fencingToken: fencingToken ?? undefined,
    remaining: remaining === -1 ? Infinity : remaining,
  };
}

/** The reply to an obtain that does not stand in line. */
function readAsked(reply: Reply): Asked | undefined {
  const granted = readGrant(reply);
  if (granted) return granted;
  const [left, fence, metadata] = listOf(reply, 3) ?? [];
  const holder = readHolder(left, fence, metadata);
  return holder && { kind: "taken", holder: holder === "nobody" ? undefined : holder };
}

/** The reply to an obtain that stands in line. */
function readInLine(reply: Reply): Asked | undefined {
  const granted = readGrant(reply);
  if (granted) return granted;
  const [left, place, ticket] = listOf(reply, 3) ?? [];
  const holder = readHolder(left, null, null);
  const position = wholeNumber(place, 1);
  if (!holder || position === undefined || wholeNumber(ticket) === undefined) return undefined;
  return {
    kind: "taken",
    holder: holder === "nobody" ? undefined : holder,
    place: { position, ticket: String(ticket) },
  };
}

function readGrant(reply: Reply): (Asked & { kind: "granted" }) | undefined {
  const fencingToken = wholeNumber(reply, 1);
  return fencingToken === undefined ? undefined : { kind: "granted", fencingToken };
}

function readLeftover(reply: Reply): Leftover | undefined {
  const [left, fence, metadata, place, owned] = listOf(reply, 5) ?? [];
  const holder = readHolder(left, fence, metadata);
  const position = wholeNumber(place);
  if (!holder || position === undefined || (owned !== "0" && owned !== "1")) return undefined;
  return {
    holder: holder === "nobody" ? undefined : holder,
    position: position || undefined,
    owned: owned === "1",
  };
}

function readTimeLeft(reply: Reply): number | Exclude<Verdict, "ours"> | undefined {
  if (reply === "taken" || reply === "deleted") return reply;
  return reply === "none" ? Infinity : wholeNumber(reply);
}
