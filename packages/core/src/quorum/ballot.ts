import type { Asked } from "../primitives/primitive.js";
import type { Command, Outcome, Replied, RunOptions } from "../redis/command.js";
import { gather, majorityOf, said, type Votes } from "./gather.js";
import { holderOf } from "./inspection.js";
import { quorumError } from "./quorum-error.js";
import type { Vote } from "./vote.js";

/** A vote that was granted by standing in line for it. */
export interface VoteInLine {
  readonly vote: Vote;
  readonly reply: Replied<Asked>;
}

/** How votes are asked for once. */
interface Asking {
  readonly commandFor: (vote: Vote) => Command<Asked>;
  /** Below which no fencing token is to be. */
  readonly floor: number;
  readonly options: RunOptions<Asked>;
  /** When the highest token has to be remembered at the latest. */
  readonly until: number;
  /** Is not asked for again. */
  readonly granted: VoteInLine | undefined;
  /** Takes a vote that came, or may have come, when all was decided; when it was asked for, if that is known. */
  readonly late: (vote: Vote, sentAt?: number) => void;
}

/** All servers are asked for their votes, once: until a majority has given them, and remembers the token. */
export class Ballot {
  readonly #votes: readonly Vote[];
  readonly #asking: Asking;
  readonly #heard: Votes<Asked> = [];
  /**
   * The highest token of all votes, and so the lock's. Also of those that come later: where a vote of the
   * first majority is gone again, another may be the only one that remembers the lock before.
   */
  #token = 0;
  /** Up to which token a server is being asked to remember. */
  readonly #lifting = new Map<Vote, number>();

  constructor(votes: readonly Vote[], asking: Asking) {
    this.#votes = votes;
    this.#asking = asking;
  }

  count(): Promise<Outcome<Asked>> {
    const votes = this.#votes;
    return gather<Asked, Vote>(votes, {
      ask: (vote) => this.#ask(vote),
      isYes: isGranted,
      yes: (given, all, look) => this.#agree(given, all, look),
      no: (refused, all) => {
        const holders = refused.map(({ reply }) => (isGranted(reply) ? undefined : reply.holder));
        const reply = { holder: holderOf(holders), cause: quorumError(all, isGranted) };
        return said(refused, votes.length, { kind: "taken", ...reply });
      },
      straggler: (vote, outcome) => {
        if (outcome.kind === "reply") this.#asking.late(vote, outcome.sentAt);
      },
    });
  }

  /** The votes that were given, or may have been, but for the one that was granted in line. */
  get given(): readonly Vote[] {
    const { granted } = this.#asking;
    return this.#votes.filter((vote) => {
      const outcome = this.#heard[vote.index];
      const isNo =
        outcome?.kind === "refused" || (outcome?.kind === "reply" && !isGranted(outcome.reply));
      return vote !== granted?.vote && !isNo;
    });
  }

  async #ask(vote: Vote): Promise<Outcome<Asked>> {
    const { commandFor, floor, options, granted, late } = this.#asking;
    if (vote === granted?.vote) return granted.reply;
    const outcome = await vote.ask(commandFor(vote), floor, options, () => late(vote));
    this.#heard[vote.index] = outcome;
    return outcome;
  }

  /** A majority has given its votes: the lock is had once a majority remembers the highest token of them. */
  #agree(
    given: readonly Replied<Asked>[],
    all: Votes<Asked>,
    look: () => void,
  ): Outcome<Asked> | undefined {
    const token = Math.max(this.#token, ...given.map(({ reply }) => fenceOf(reply)));
    this.#token = token;
    const certain = given.filter(({ reply }) => fenceOf(reply) >= token);
    if (certain.length >= majorityOf(this.#votes.length)) {
      const reply: Asked = { kind: "granted", fencingToken: token };
      // Votes that were not heard of may come later.
      const once = this.#votes.every(({ index }) => all[index]?.kind === "reply");
      return { ...said(certain, this.#votes.length, reply), once };
    }
    // Until a majority remembers the token, the next one might be lower.
    for (const vote of this.#votes) {
      const outcome = all[vote.index];
      if (outcome?.kind !== "reply" || !isGranted(outcome.reply)) continue;
      if (fenceOf(outcome.reply) >= token || this.#lifting.get(vote) === token) continue;
      this.#lifting.set(vote, token);
      void this.#lift(vote, outcome, token, all).then(look);
    }
    return undefined;
  }

  async #lift(
    vote: Vote,
    outcome: Replied<Asked>,
    token: number,
    all: Votes<Asked>,
  ): Promise<void> {
    const lifted = await vote.lift(token, this.#asking.until);
    if (this.#lifting.get(vote) !== token) return; // A higher one is on its way.
    const reply: Asked = { kind: "granted", fencingToken: token };
    all[vote.index] = lifted.kind === "reply" ? { ...outcome, reply } : lifted;
  }
}

function isGranted(reply: Asked): reply is Extract<Asked, { kind: "granted" }> {
  return reply.kind === "granted";
}

/** The fencing token of a vote. */
export function fenceOf(reply: Asked): number {
  return reply.kind === "granted" ? reply.fencingToken : 0;
}
