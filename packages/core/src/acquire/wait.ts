import { createToken } from "../keys/token.js";
import type { Grant, Reach } from "../primitives/primitive.js";
import type { Entry } from "../time/timers.js";
import { type Acquisition, type Answer, type Granted, isLast } from "./acquisition.js";
import type { Line, Mailbox } from "./inbox.js";
import { LONGEST_PATIENCE, termsOf, untilTurn } from "./waiter.js";

/**
 * Stands in line until the lock is granted, or the `deadline`; a command that is under way then is
 * waited for until `lastAnswer`. The grant comes as a message, and with it the lock. The commands in
 * between keep the place, and notice what no message tells: a lease that ended, a message that was lost.
 */
export function waitInLine(
  acquisition: Acquisition,
  line: Line,
  deadline: number,
  lastAnswer: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    new Waiter(acquisition, line, deadline, lastAnswer, resolve).ask();
  });
}

/**
 *     asking ── answered "wait" ──▶ waiting ── its turn may have come, or told to come ──▶ asking
 *        └── answered "granted", or told so ──▶ over ◀── told so, or stopped ──┘
 *
 * Not an async function: one that waits for long keeps a kilobyte more, and a message takes more steps to
 * become a lock.
 */
class Waiter implements Mailbox {
  readonly #acquisition: Acquisition;
  readonly #line: Line;
  readonly #deadline: number;
  readonly #lastAnswer: number;
  readonly #resolve: (answer: Answer) => void;
  readonly #id: string;
  readonly #secret = createToken();
  #state: "asking" | "waiting" | "over" = "asking";
  #answer: Answer = { kind: "taken", holder: undefined };
  #ticket: string | undefined;
  /** While it asked, or before it first did. */
  #toldToCome = false;
  // What was asked for last. A grant that shows its proof came after it, so its lease counts from then.
  #proof = "";
  #sentAt = 0;
  #lease = 0;
  /** When it may be its turn, or time to check in. */
  #turn: Entry | undefined;

  constructor(
    acquisition: Acquisition,
    line: Line,
    deadline: number,
    lastAnswer: number,
    resolve: (answer: Answer) => void,
  ) {
    this.#acquisition = acquisition;
    this.#line = line;
    this.#deadline = deadline;
    this.#lastAnswer = lastAnswer;
    this.#resolve = resolve;
    this.#id = line.inbox.enter(this, line.owner);
    acquisition.onStop(() => this.#end(this.#answer));
  }

  ask(): void {
    const { inbox, timers } = this.#line;
    const { reach } = inbox;
    const { checkIn, patience, lease } = termsOf(reach, this.#acquisition.claim.ttl);
    // Whoever is in line and was not told to ask may have missed something.
    const echo = this.#ticket !== undefined && !this.#toldToCome && reach !== "none";
    this.#state = "asking";
    this.#toldToCome = false;
    this.#proof = `${this.#secret}${this.#acquisition.tries}`;
    this.#sentAt = timers.now();
    this.#lease = lease;
    const [id, ticket, proof] = [this.#id, this.#ticket, this.#proof];
    const place = { id, ticket, patience, reach, lease, proof, echo };
    void this.#acquisition
      .ask(this.#lastAnswer, place)
      .then((answer) => this.#answered(answer, reach, checkIn));
  }

  #answered(answer: Answer, reach: Reach, checkIn: number): void {
    if (this.#state === "over") return;
    const { inbox, timers } = this.#line;
    if (answer.kind === "granted" && answer.echoed) inbox.expectEcho(this.#sentAt);
    this.#answer = answer;
    if (isLast(answer)) {
      this.#end(answer);
      return;
    }

    this.#state = "waiting";
    let position = 1;
    if (answer.kind === "taken" && answer.place) {
      position = answer.place.position;
      this.#ticket = answer.place.ticket;
      inbox.open();
      if (answer.place.echoed) inbox.expectEcho(this.#sentAt);
    }
    if (this.#toldToCome) {
      this.#goOn();
      return;
    }
    const remaining = answer.kind === "taken" ? answer.holder?.remaining : undefined;
    const turn = timers.now() + untilTurn(reach, position, remaining);
    const next = Math.min(this.#sentAt + checkIn, turn, this.#deadline);
    this.#turn = timers.set(next, () => this.#goOn());
  }

  /** Asks again, if there is time to. */
  #goOn(): void {
    const { timers } = this.#line;
    if (this.#turn) timers.clear(this.#turn);
    if (timers.now() >= this.#deadline) this.#end(this.#answer);
    else this.#acquisition.context.runInAsyncScope(() => this.ask());
  }

  come(): void {
    this.#toldToCome = true;
    if (this.#state === "waiting") this.#goOn();
  }

  granted({ fencingToken, seat }: Grant, proof: string): void {
    const acquisition = this.#acquisition;
    const [sentAt, ttl] = [this.#sentAt, this.#lease];
    // What an earlier command asked for, or what is heard too late, cannot be proved: we ask.
    if (proof !== this.#proof || acquisition.isOver(sentAt, ttl)) {
      this.come();
    } else if (this.#state !== "over") {
      this.#accept({ kind: "granted", fencingToken, seat, sentAt, ttl });
    }
    acquisition.heardOfGrant();
  }

  /** Where replicas are asked first, that is as if it were asked: its time may be over before the answer. */
  #accept(grant: Granted): void {
    const isWaiting = this.#state === "waiting";
    if (isWaiting && this.#turn) this.#line.timers.clear(this.#turn);
    if (isWaiting) this.#state = "asking";
    this.#acquisition.accept(grant, this.#lastAnswer, (answer) => {
      if (answer.kind === "granted") {
        this.#end(answer);
        return;
      }
      if (isWaiting && this.#state === "asking") {
        this.#state = "waiting";
        this.#answer = answer;
      }
      this.come();
    });
  }

  #end(answer: Answer): void {
    if (this.#state === "over") return;
    this.#state = "over";
    if (this.#turn) this.#line.timers.clear(this.#turn);
    if (answer.kind === "granted") this.#leaveInbox(true);
    else void this.#acquisition.abandon().then((left) => this.#leaveInbox(left !== undefined));
    this.#resolve(answer);
  }

  /**
   * Hears messages for as long as a grant may come that would have to go back: while a command may put
   * the waiter in line again, and until Redis has confirmed that it left.
   */
  #leaveInbox(isLeft: boolean): void {
    const { inbox, owner } = this.#line;
    const { uncertain, claim } = this.#acquisition;
    if (isLeft && !uncertain) inbox.leave(this.#id);
    else inbox.linger(this.#id, owner, claim.ttl + LONGEST_PATIENCE);
  }
}
