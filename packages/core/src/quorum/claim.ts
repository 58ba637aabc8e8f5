import type { Granted } from "../acquire/acquisition.js";
import { ServerError } from "../errors.js";
import type { Space } from "../keys/names.js";
import { usable } from "../lease/lease.js";
import { quorumScripts } from "../lua/quorum/scripts.generated.js";
import type { Request } from "../options.js";
import { ExclusiveClaim } from "../primitives/exclusive.js";
import type {
  Asked,
  Claim,
  Leftover,
  Released,
  TimeLeft,
  Verdict,
} from "../primitives/primitive.js";
import type { Command, Failure, Outcome, Replied, RunOptions } from "../redis/command.js";
import { isLasting } from "../redis/refusals.js";
import { Ballot, fenceOf, type VoteInLine } from "./ballot.js";
import { atAll, gather, majorityOf, said } from "./gather.js";
import { holderOf } from "./inspection.js";
import type { Member } from "./member.js";
import type { Quorum } from "./quorum.js";
import { QuorumError } from "./quorum-error.js";
import { leaveOf, Vote } from "./vote.js";

/** Milliseconds that the line's server waits for the others' releases, at the most. */
const RELEASE_PAUSE = 20;

/** A place in line at one of the servers, and the lock that was granted there. */
export interface LinePlaceHeld {
  readonly member: Member;
  /** Leaves both. */
  leave(): Promise<Leftover | undefined>;
}

/**
 * The claim of one holder to one lock at several servers: a lock is its own once a majority has given it,
 * and remembers its fencing token. All are sent the same commands that one server is sent.
 */
export class QuorumClaim implements Claim {
  readonly keys: readonly string[];
  readonly names: readonly string[];
  readonly ttl: number;
  readonly maxTtl: number;
  readonly token: string;
  readonly metadata: string;
  /** Where it stands in line, or stood. */
  line: LinePlaceHeld | undefined;
  readonly #quorum: Quorum;
  /** Of each server, in their order. */
  readonly #votes: readonly Vote[];
  /** What the line's server calls its run. */
  #lineRun: string | undefined;
  /** The vote that was had by standing in line. */
  #granted: VoteInLine | undefined;
  /**
   * How often votes were asked for. Each time by a call of its own: what gives back the votes of one may be
   * done late, and must not give back those of the next, which are of the same token.
   */
  #tries = 0;
  /** Whether votes are wanted: from an obtain on, until it fails, or the lock is given back. */
  #wanted = false;
  /** The ttl of the last refresh: what is asked for behind it must not last longer. */
  #lastTtl = Infinity;

  constructor(request: Request, quorum: Quorum) {
    this.#quorum = quorum;
    this.keys = request.keys;
    this.ttl = request.ttl;
    this.maxTtl = quorum.maxTtl;
    this.token = request.token;
    this.metadata = request.metadata;
    const bySpace = new Map<Space, ExclusiveClaim>();
    this.#votes = quorum.members.map((member) => {
      const claim = bySpace.get(member.space) ?? new ExclusiveClaim(request, member.space);
      bySpace.set(member.space, claim);
      return new Vote(member, claim, quorum, request.ownToken);
    });
    this.names = this.#at(0).claim.names;
  }

  /** The claim at one of the servers, to stand in line there. */
  at(member: Member): Claim {
    const { claim } = this.#at(member.index);
    const here = <T>(command: Command<T>): Command<T> => ({
      ...command,
      run: (options) => member.run(command, options),
    });
    const attempt = ++this.#tries;
    const { roll, fences } = this.#quorum;
    const vote = (command: Command<Asked>): Command<Asked> => {
      const asked = this.#vote(command, fences.floor(), attempt);
      const run = async (options: RunOptions<Asked>): Promise<Outcome<Asked>> => {
        await roll.recall(member, options.until);
        if (isGivenUp(options)) return notSent();
        this.#lineRun = roll.runIdOf(member);
        return roll.wordOf(member, asked, options);
      };
      return { ...asked, run };
    };
    return {
      ...{ keys: claim.keys, names: claim.names, ttl: claim.ttl },
      ...{ token: claim.token, metadata: claim.metadata },
      obtain: () => vote(claim.obtain()),
      standInLine: (place) => vote(claim.standInLine(place)),
      leave: (id) => here(leaveOf(claim, attempt, id)),
      release: (fencingToken) => here(claim.release(fencingToken)),
      refresh: (fencingToken, ttl, order) => here(claim.refresh(fencingToken, ttl, order)),
      timeLeft: (fencingToken) => here(claim.timeLeft(fencingToken)),
      // Who is refused a place here for now may have one at the next.
      isFinal: () => true,
    };
  }

  /** Not while a majority may come: of servers that get older, or whose votes others give back. */
  isFinal(refusal: ServerError): boolean {
    const { cause } = refusal;
    if (!(cause instanceof QuorumError)) return isLasting(refusal);
    const lasting = cause.errors.filter(
      (error) => error instanceof ServerError && isLasting(error),
    );
    const { length } = this.#votes;
    return lasting.length > length - majorityOf(length);
  }

  /** The line's server has granted it, by a lease of `ttl` from `sentAt`. */
  grantedInLine({ fencingToken, sentAt: asked, ttl }: Granted): void {
    if (!this.line) return;
    const { member } = this.line;
    // Its address may lead to another server by now, which has given no vote.
    const from = this.#lineRun;
    if (from === undefined || this.#quorum.roll.runIdOf(member) !== from) return;
    const vote = this.#at(member.index);
    vote.fence = fencingToken;
    // Counted as the others are: a shorter lease is one that was sent earlier.
    const sentAt = asked + usable(ttl) - usable(this.ttl);
    const reply: Asked = { kind: "granted", fencingToken };
    this.#granted = { vote, reply: { kind: "reply", reply, sentAt, once: false, from } };
  }

  /** What was granted by standing in line was given back. */
  leftLine(): void {
    if (this.line) this.#at(this.line.member.index).fence = undefined;
    this.line = undefined;
    this.#granted = undefined;
  }

  obtain(): Command<Asked> {
    return atAll((options) => this.#obtain(options));
  }

  /** Not at several servers at once: who waits does so at one, by {@link at}. */
  standInLine(): Command<Asked> {
    return this.obtain();
  }

  leave(): Command<Leftover> {
    return atAll((options) => this.#leave(options));
  }

  release(fencingToken: number): Command<Released> {
    return atAll((options) => this.#release(fencingToken, options));
  }

  refresh(fencingToken: number, ttl: number, order: number): Command<Verdict> {
    return atAll((options) => {
      this.#lastTtl = ttl;
      const asking = { ...options, wanted: () => this.#wants(ttl) };
      return gather<Verdict, Vote>(this.#votes, {
        ask: async (vote) => {
          const outcome = await vote.refresh(fencingToken, ttl, order, asking);
          if (outcome.kind === "reply" && outcome.reply === "deleted") {
            this.#retake(vote, fencingToken, ttl);
          }
          return outcome;
        },
        isYes: (reply) => reply === "ours",
        yes: (votes) => said(votes, this.#votes.length, "ours"),
        no: (votes) => this.#lost(votes),
      });
    });
  }

  timeLeft(fencingToken: number): Command<TimeLeft> {
    return atAll((options) =>
      gather<TimeLeft, Vote>(this.#votes, {
        ask: (vote) => vote.timeLeft(fencingToken, options),
        isYes: (reply) => typeof reply === "number",
        yes: (votes) => {
          const left = votes.map(({ reply }) => Number(reply)).sort((a, b) => b - a);
          const reply = left[majorityOf(this.#votes.length) - 1] ?? 0;
          return said(votes, this.#votes.length, reply);
        },
        no: (votes) => this.#lost(votes),
      }),
    );
  }

  /** So many say that it has nothing that no majority has it: what was taken back for it goes back. */
  #lost(votes: readonly Replied<unknown>[]): Replied<"taken" | "deleted"> {
    this.#wanted = false;
    for (const vote of this.#votes) if (vote.retaken) vote.giveBack(this.#tries);
    return said(votes, this.#votes.length, lossOf(votes));
  }

  #at(index: number): Vote {
    const vote = this.#votes[index];
    if (!vote) throw new Error(`there is no server ${index}`);
    return vote;
  }

  /** An obtain as a vote: with how long the server must have been up, and a floor for the fencing token. */
  #vote(
    command: Command<Asked>,
    floor: number,
    attempt: number,
    ttl: number = this.ttl,
  ): Command<Asked> {
    const [value = "", , length = "", call = "", ...rest] = command.args;
    const asking = [value, String(ttl), length, `${call}.${attempt}`, ...rest];
    const args = [String(this.#quorum.oldEnough), String(floor), ...asking];
    return { script: quorumScripts.vote, keys: command.keys, args, read: command.read };
  }

  async #obtain(options: RunOptions<Asked>): Promise<Outcome<Asked>> {
    const { roll, fences, timers, timeout } = this.#quorum;
    const attempt = ++this.#tries;
    await roll.call(options.until);
    if (isGivenUp(options)) return notSent();
    const until = Math.min(options.until ?? Infinity, timers.now() + timeout);
    const granted = this.#granted;
    // One for all, so that they give the same token.
    const floor = Math.max(fences.floor(), granted ? fenceOf(granted.reply.reply) : 0);
    this.#wanted = true;
    const commandFor = alike((claim) => this.#vote(claim.obtain(), floor, attempt));
    const late = (vote: Vote, sentAt = Infinity): void => {
      if (vote.isGivenBack(attempt, sentAt)) return;
      if (!this.#wanted) vote.giveBack(attempt);
      else options.late?.(undefined); // Whoever asked knows whether the lock is held still.
    };
    const ballot = new Ballot(this.#votes, { commandFor, floor, options, until, granted, late });
    const outcome = await ballot.count();
    if (outcome.kind === "reply" && outcome.reply.kind === "granted") return outcome;
    this.#wanted = false;
    for (const vote of ballot.given) vote.giveBack(attempt);
    return outcome;
  }

  /** A late reply of one server says nothing of the majority, and is told to nobody. */
  #leave({ until = Infinity }: RunOptions<Leftover>): Promise<Outcome<Leftover>> {
    this.#wanted = false;
    return gather<Leftover, Vote>(this.#votes, {
      ask: async (vote) => {
        if (vote.member === this.line?.member) {
          const reply = await this.line.leave();
          const error = new Error("no answer to leaving the line");
          if (!reply) return { kind: "unknown", error };
        }
        return vote.leave(this.#tries, { until });
      },
      yes: (votes) => {
        const replies = votes.map(({ reply }) => reply);
        const owned = replies.filter((reply) => reply.owned);
        const holder = holderOf(replies.map((reply) => reply.holder));
        const isOwned = owned.length >= majorityOf(this.#votes.length);
        const facts = { holder, position: undefined, owned: isOwned, unserved: false };
        return said(votes, this.#votes.length, facts);
      },
    });
  }

  /**
   * At the server where others stand in line last, once a majority of the others has answered: whoever is
   * granted the lock there finds the other votes free.
   */
  #release(fencingToken: number, options: RunOptions<Released>): Promise<Outcome<Released>> {
    this.#wanted = false;
    const votes = this.#votes;
    const { timers } = this.#quorum;
    const given = votes.filter(({ fence }) => fence !== undefined);
    const last = this.line ? this.#at(this.line.member.index) : (given[0] ?? votes[0]);
    const others = given.filter((vote) => vote !== last);
    const enough = Math.min(majorityOf(votes.length), others.length);
    let answered = 0;
    let goOn: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => (goOn = resolve));
    const pause = timers.set(timers.now() + RELEASE_PAUSE, goOn);
    const release = async (vote: Vote): Promise<Outcome<Released>> => {
      if (vote === last) await turn;
      const outcome = await vote.release(fencingToken, this.#tries, options);
      if (others.includes(vote)) answered++;
      if (answered === enough) {
        timers.clear(pause);
        goOn();
      }
      return outcome;
    };
    return gather<Released, Vote>(votes, {
      ask: (vote) => {
        const released = release(vote);
        // The last of them has yet to be sent when a majority has answered: whoever closes waits for it.
        this.#quorum.leaves(released);
        return released;
      },
      isYes: (reply) => reply === "ours" || reply === "unserved",
      yes: (replies) => said(replies, votes.length, "ours"),
      no: (replies) => said(replies, votes.length, lossOf(replies)),
    });
  }

  /**
   * This server has nothing: it was restarted, or its vote never came. Its vote is asked for once more, and
   * counts from the next refresh on: so servers can be restarted one after the other under a lock that is
   * renewed, and it outlives that one hangs which has it. Not where a majority has nothing: then the lock may
   * have been another's meanwhile, and is lost. Nor for longer than it is to be had by now.
   */
  #retake(vote: Vote, fencingToken: number, ttl: number): void {
    const attempt = this.#tries;
    const command = this.#vote(vote.claim.obtain(), fencingToken, attempt, ttl);
    void vote.retake(command, attempt, () => this.#wants(ttl));
  }

  /** Whether votes are wanted for so long, still. */
  #wants(ttl: number): boolean {
    return this.#wanted && ttl <= this.#lastTtl;
  }
}

/** A command for each server, made once for those whose names are the same. */
function alike<T>(of: (claim: ExclusiveClaim) => Command<T>): (vote: Vote) => Command<T> {
  let last: { readonly claim: ExclusiveClaim; readonly command: Command<T> } | undefined;
  return ({ claim }) => {
    if (last?.claim !== claim) last = { claim, command: of(claim) };
    return last.command;
  };
}

/** Nobody waits for it any more: what is sent now would come behind the command that gave it back. */
function isGivenUp({ wanted }: RunOptions<Asked>): boolean {
  return wanted?.() === false;
}

function notSent(): Failure {
  return { kind: "unknown", error: new Error("it was given up before it was sent") };
}

/** Why a majority does not have the lock any more. */
function lossOf(votes: readonly Replied<unknown>[]): "taken" | "deleted" {
  const taken = votes.filter(({ reply }) => reply === "taken");
  return 2 * taken.length >= votes.length ? "taken" : "deleted";
}
