import type { Alarm } from "./alarm.js";
import type { Answer, Claim } from "./claim.js";
import type { Effort } from "./effort.js";
import type { Inbox } from "./inbox.js";
import { PRESENCE } from "./scripts.js";
import { createToken } from "./token.js";

/** How long after the holder's lease the first in line asks, and each behind it after the one before. */
const STAGGER = 10;
/** How often the first in line asks when it cannot be told; those behind it as much less often. */
const UNTOLD_PAUSE = 50;
/** How often a waiter shows at least that it is there, when it cannot be told. */
const UNTOLD_PRESENCE = 1_000;
/** The same where it can be told, but Redis cannot see whether it hears. */
const UNCOUNTED_PRESENCE = 2_000;
/** By how much a grant to such a waiter outlasts its patience: if it is dead, nobody waits for more. */
const UNCOUNTED_LEASE = 1_000;

/** What a waiter heard while it slept. */
class Heard {
  /** Its question was answered. */
  answer = false;
  /** It was told to ask. */
  ask = false;
  /** The lock was granted, with this fencing token. */
  grant: number | undefined;

  nothing(): void {
    this.answer = false;
    this.ask = false;
    this.grant = undefined;
  }
}

/**
 * Stands in line until the lock is granted, or the `deadline`; a question that is under way then is
 * waited for until `lastAnswer`. The grant comes as a message, and with it
 * the lock. The questions in between keep the place, and notice what no message tells: a lease that
 * ended, a message that was lost.
 */
export async function standInLine(
  claim: Claim,
  effort: Effort,
  alarm: Alarm,
  inbox: Inbox,
  deadline: number,
  lastAnswer: number,
): Promise<Answer> {
  const heard = new Heard();
  const secret = createToken();
  let proof = "";
  const id = inbox.enter({
    granted(fencingToken, shown) {
      // What another command of ours asked for cannot be proved any more: we ask whether we have it.
      if (shown === proof) heard.grant = fencingToken;
      else heard.ask = true;
      effort.ring();
      claim.grantedLate();
    },
    ask() {
      heard.ask = true;
      effort.ring();
    },
  });
  const settled = (): boolean => heard.grant !== undefined || effort.over;
  let ticket: string | undefined;
  let held = false;
  try {
    for (;;) {
      const told = inbox.told;
      const presence = presenceOf(told, claim.ttl);
      const patience = Math.ceil(2 * presence);
      const lease = told === 2 ? Math.min(claim.ttl, patience + UNCOUNTED_LEASE) : claim.ttl;
      const asked = alarm.now();
      heard.nothing();
      // A grant that shows the proof of a command came after it, so its lease counts from its sending.
      proof = `${secret}${effort.tries}`;
      const question = claim
        .ask(lastAnswer, { id, ticket, patience, told, lease, proof })
        .finally(() => (heard.answer = true));
      effort.tries++;
      while (!heard.answer && !settled()) await effort.sleep(Infinity, question);

      const answer: Answer = heard.answer ? await question : { kind: "taken", holder: undefined };
      held = answer.kind === "granted";
      if (held || (answer.kind === "failed" && answer.final)) return answer;
      if (answer.kind === "taken" && answer.place) {
        ticket = answer.place.ticket;
        inbox.open();
      }
      const turn = Math.min(asked + presence, expectedTurn(answer, told, alarm.now()), deadline);
      while (!heard.ask && !settled() && alarm.now() < turn) await effort.sleep(turn);

      const { grant } = heard;
      if (grant !== undefined && !claim.tooLate(asked, lease)) {
        held = true;
        return { kind: "granted", fencingToken: grant, sentAt: asked, ttl: lease };
      }
      // A grant that was heard too late is asked about: it may be ours yet.
      if (effort.over || alarm.now() >= deadline) return answer;
    }
  } finally {
    void forget(id, claim, alarm, inbox, held);
  }
}

/**
 * Closes the mailbox of a waiter, as soon as no grant can come any more that would have to go back: not
 * while a question may put it in line again, nor before Redis has confirmed that it left.
 */
async function forget(
  id: string,
  claim: Claim,
  alarm: Alarm,
  inbox: Inbox,
  held: boolean,
): Promise<void> {
  const left = held || (await claim.giveUp()) !== undefined;
  if (!left || claim.uncertain) await alarm.sleep(claim.ttl + 2 * PRESENCE);
  inbox.leave(id);
}

/** Milliseconds between the questions of a waiter that only wants to keep its place. */
function presenceOf(told: 0 | 1 | 2, ttl: number): number {
  if (told === 0) return Math.min(ttl / 2, UNTOLD_PRESENCE);
  return Math.min(ttl / 2, told === 1 ? PRESENCE : UNCOUNTED_PRESENCE);
}

/** When it may be our turn although nobody tells us. */
function expectedTurn(answer: Answer, told: 0 | 1 | 2, now: number): number {
  const position = answer.kind === "taken" ? (answer.place?.position ?? 1) : 1;
  const soon = now + UNTOLD_PAUSE * position;
  if (answer.kind !== "taken" || answer.holder === undefined) return soon;
  const leaseEnd = now + answer.holder.remaining + 1 + STAGGER * (position - 1);
  return told === 0 ? Math.min(soon, leaseEnd) : leaseEnd;
}
