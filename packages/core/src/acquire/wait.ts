import { createToken } from "../keys/token.js";
import type { Grant } from "../primitives/primitive.js";
import type { Timers } from "../time/timers.js";
import type { Acquisition, Answer, Granted } from "./acquisition.js";
import type { Inbox, Owner } from "./inbox.js";
import { News } from "./news.js";
import { LONGEST_PATIENCE, termsOf, untilTurn } from "./waiter.js";

/** What a waiter may hear while it waits. */
type Heard =
  | { readonly kind: "answered"; readonly answer: Answer }
  | { readonly kind: "granted"; readonly grant: Granted }
  | { readonly kind: "come" }
  | { readonly kind: "stopped" };

/**
 * Stands in line until the lock is granted, or the `deadline`; a command that is under way then is
 * waited for until `lastAnswer`. The grant comes as a message, and with it the lock. The commands in
 * between keep the place, and notice what no message tells: a lease that ended, a message that was lost.
 *
 *     asking ── answered "wait" ──▶ waiting ── its turn may have come, or told to come ──▶ asking
 *        └── answered "granted", or told so ──▶ held ◀── told so ──┘        either ── stopped ──▶ over
 */
export async function waitInLine(
  acquisition: Acquisition,
  timers: Timers,
  { inbox, owner }: { readonly inbox: Inbox; readonly owner: Owner },
  deadline: number,
  lastAnswer: number,
): Promise<Answer> {
  const { ttl } = acquisition.claim;
  const news = new News<Heard>(timers);
  const secret = createToken();
  // What was asked for last. A grant that shows its proof came after it, so its lease counts from then.
  let asked = { proof: "", sentAt: 0, lease: 0 };
  const mailbox = {
    granted(told: Grant, proof: string): void {
      const { sentAt, lease } = asked;
      // What an earlier command asked for, or what is heard too late, cannot be proved: we ask.
      const proved = proof === asked.proof && !acquisition.isOver(sentAt, lease);
      const put = (grant: Granted | undefined): void =>
        news.put(grant ? { kind: "granted", grant } : { kind: "come" });
      if (proved) acquisition.accept({ kind: "granted", ...told, sentAt, ttl: lease }, put);
      else put(undefined);
      acquisition.heardOfGrant();
    },
    come: () => news.put({ kind: "come" }),
  };
  const id = inbox.enter(mailbox, owner);
  acquisition.onStop(() => news.put({ kind: "stopped" }));

  let answer: Answer = { kind: "taken", holder: undefined };
  let ticket: string | undefined;
  let toldToCome = false;
  try {
    for (;;) {
      // Asking. Whoever is in line and was not told to may have missed something.
      const { reach } = inbox;
      const { checkIn, patience, lease } = termsOf(reach, ttl);
      const sentAt = timers.now();
      const proof = `${secret}${acquisition.tries}`;
      asked = { proof, sentAt, lease };
      const echo = ticket !== undefined && !toldToCome && reach !== "none";
      const place = { id, ticket, patience, reach, lease, proof, echo };
      void acquisition
        .ask(lastAnswer, place)
        .then((reply) => news.put({ kind: "answered", answer: reply }));
      toldToCome = false;
      for (let answered = false; !answered;) {
        const heard = await news.next(Infinity);
        if (heard?.kind === "granted") return (answer = heard.grant);
        if (heard?.kind === "stopped") return answer;
        if (heard?.kind === "come") toldToCome = true;
        if (heard?.kind === "answered") {
          answer = heard.answer;
          answered = true;
        }
      }
      if (answer.kind === "granted" && answer.echoed) inbox.expectEcho(sentAt);
      if (answer.kind === "granted" || (answer.kind === "failed" && answer.final)) return answer;

      // Waiting.
      let position = 1;
      if (answer.kind === "taken" && answer.place) {
        ({ position, ticket } = answer.place);
        inbox.open();
        if (answer.place.echoed) inbox.expectEcho(sentAt);
      }
      const remaining = answer.kind === "taken" ? answer.holder?.remaining : undefined;
      const turn = timers.now() + untilTurn(reach, position, remaining);
      if (!toldToCome) {
        const heard = await news.next(Math.min(sentAt + checkIn, turn, deadline));
        if (heard?.kind === "granted") return (answer = heard.grant);
        if (heard?.kind === "stopped") return answer;
        toldToCome = heard?.kind === "come";
      }
      if (timers.now() >= deadline) return answer;
    }
  } finally {
    void leaveInbox(acquisition, inbox, owner, id, answer.kind === "granted");
  }
}

/**
 * Hears messages for as long as a grant may come that would have to go back: while a command may put the
 * waiter in line again, and until Redis has confirmed that it left.
 */
async function leaveInbox(
  acquisition: Acquisition,
  inbox: Inbox,
  owner: Owner,
  id: string,
  held: boolean,
): Promise<void> {
  const left = held || (await acquisition.abandon()) !== undefined;
  if (left && !acquisition.uncertain) inbox.leave(id);
  else inbox.linger(id, owner, acquisition.claim.ttl + LONGEST_PATIENCE);
}
