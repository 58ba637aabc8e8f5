import { ServerError } from "../errors.js";
import { quorumScripts } from "../lua/quorum/scripts.generated.js";
import type { Command, Outcome, Replied } from "../redis/command.js";
import { isLasting } from "../redis/refusals.js";
import type { Member } from "./member.js";
import { quorumError } from "./quorum-error.js";

/** What has come of a command at each of the servers so far. */
export type Votes<T> = (Outcome<T> | undefined)[];

/** How many make a majority of so many. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** One of the servers, or what is had of it. */
type Peer = Pick<Member, "index" | "silent" | "onSilence">;

/** How what several servers say becomes one outcome. */
interface Count<T, P extends Peer> {
  /** What to send to one of them; counted when it has settled. */
  readonly ask: (peer: P) => Promise<Outcome<T>>;
  /** A vote for it. Default: any reply. */
  readonly isYes?: (reply: T) => boolean;
  /**
   * What a majority of such amounts to; undefined while that is open, which `look` is called to end. Takes
   * the replies that say yes, and what has come so far of all.
   */
  readonly yes: (
    votes: readonly Replied<T>[],
    all: Votes<T>,
    look: () => void,
  ) => Outcome<T> | undefined;
  /** What so many amount to that say no that no majority can come any more; left out if nobody can say it. */
  readonly no?: (votes: readonly Replied<T>[], all: Votes<T>) => Outcome<T>;
  /** What came of one when all was decided. */
  readonly straggler?: (peer: P, outcome: Outcome<T>) => void;
}

/** What is done by commands of its own to each server: nothing is sent of it as it stands. */
export function atAll<T>(run: NonNullable<Command<T>["run"]>): Command<T> {
  return { script: quorumScripts.vote, keys: [], args: [], read: () => undefined, run };
}

/**
 * Asks all servers at once, and has an outcome as soon as a majority has said one thing, without waiting
 * for the others. A server that has been silent is not waited for where nothing else is open, unless so
 * many have been that it takes some of them for a majority: then until it is silent to this, too.
 *
 * Yes and no are what majorities say; refused, if none can say yes because of refusals; else unknown.
 */
export function gather<T, P extends Peer>(
  peers: readonly P[],
  count: Count<T, P>,
): Promise<Outcome<T>> {
  const { isYes = isReply } = count;
  const votes: Votes<T> = peers.map(() => undefined);
  const need = majorityOf(peers.length);
  const most = peers.length - need;
  // Without those that were silent before there can be no majority: they are waited for as if they were not.
  const heard = peers.filter(({ silent }) => !silent);
  const hoped = new Set(heard.length < need ? peers : []);
  return new Promise((resolve) => {
    let over = false;
    const outcomeSoFar = (): Outcome<T> | undefined => {
      const yes: Replied<T>[] = [];
      const no: Replied<T>[] = [];
      const refusals: ServerError[] = [];
      let open = false;
      for (const peer of peers) {
        const vote = votes[peer.index];
        if (vote?.kind === "reply") (isYes(vote.reply) ? yes : no).push(vote);
        else if (vote?.kind === "refused") refusals.push(vote.error);
        else if (!vote && (!peer.silent || hoped.has(peer))) open = true;
      }
      // What a majority amounts to may take a moment to find out.
      if (yes.length >= need) return count.yes(yes, votes, look);
      if (count.no && no.length > most) return count.no(no, votes);
      const first = refusals.find(isLasting) ?? refusals[0];
      if (first && no.length + refusals.length > most) {
        return { kind: "refused", error: refusal(first, quorumError(votes, isYes)) };
      }
      if (open) return undefined;
      return { kind: "unknown", error: quorumError(votes, isYes) };
    };
    const look = (): void => {
      const outcome = over ? undefined : outcomeSoFar();
      if (!outcome) return;
      over = true;
      for (const run of forget) run();
      resolve(outcome);
    };
    const forget = peers.map((peer) =>
      peer.onSilence(() => {
        hoped.delete(peer);
        look();
      }),
    );
    for (const peer of peers) {
      void count.ask(peer).then((outcome) => {
        votes[peer.index] = isHeard(outcome, votes) ? twice() : outcome;
        if (over) count.straggler?.(peer, outcome);
        else look();
      });
    }
  });
}

function isReply(): boolean {
  return true;
}

/** Whether it is of a server that was heard by another address: the two have been exchanged meanwhile. */
function isHeard(outcome: Outcome<unknown>, votes: Votes<unknown>): boolean {
  if (outcome.kind !== "reply" || outcome.from === undefined) return false;
  return votes.some((vote) => vote?.kind === "reply" && vote.from === outcome.from);
}

function twice(): Outcome<never> {
  const error = new Error("it is a server that was heard by another address just before");
  return { kind: "unknown", error };
}

/** One refusal, with what the others said. */
function refusal(first: ServerError, cause: Error): ServerError {
  const error = new ServerError(first.message);
  Object.defineProperty(error, "cause", { value: cause, configurable: true });
  return error;
}

/**
 * What they amount to, as a reply that proves a lease for as long as a majority of them does: from when the
 * one was sent which is the last that a majority needs.
 */
export function said<T>(votes: readonly Replied<unknown>[], members: number, reply: T): Replied<T> {
  const sent = votes.map(({ sentAt }) => sentAt).sort((a, b) => b - a);
  const sentAt = sent[majorityOf(members) - 1] ?? -Infinity;
  return { kind: "reply", reply, sentAt, once: true };
}
