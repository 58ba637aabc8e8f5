import type { Granted } from "../acquire/acquisition.js";
import { type Holder, ServerError } from "../errors.js";
import type { Space } from "../keys/names.js";
import { usable } from "../lease/lease.js";
import { quorumScripts } from "../lua/quorum/scripts.generated.js";
import { ExclusiveClaim } from "../primitives/exclusive.js";
import type { Asked, Claim, Leftover, Released, Verdict } from "../primitives/primitive.js";
import { readFlag } from "../primitives/replies.js";
import type { Command, Outcome, RunOptions } from "../redis/commands.js";
import { isLasting } from "../redis/refusals.js";
import type { Request } from "../options.js";
import { gather, majorityOf, type Reply, said, type Votes } from "./gather.js";
import type { Member } from "./member.js";
import type { Quorum } from "./quorum.js";
import { QuorumError, quorumError } from "./quorum-error.js";

/** Milliseconds that the line's server waits for the others' releases, at the most. */
const RELEASE_PAUSE = 20;

type GrantedVote = Extract<Asked, { kind: "granted" }>;

/** How votes are asked for once. */
interface Asking {
  readonly commandAt: (member: Member) => Command<Asked>;
  readonly floor: number;
  readonly attempt: number;
  readonly options: RunOptions<Asked>;
}

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
  readonly #ownToken: boolean;
  /** For each server; the same one where the client puts the same before its names. */
  readonly #claims: readonly ExclusiveClaim[];
  /** The fencing tokens that servers are known to have for it. */
  readonly #fences: (number | undefined)[];
  /** A vote that was had by standing in line. */
  #granted: Reply<Asked> | undefined;
  /**
   * How often votes were asked for. Each time by a call of its own: what gives back the votes of one may be
   * done late, and must not give back those of the next, which are of the same token.
   */
  #tries = 0;
  /** Whose vote is asked for once more. */
  readonly #retaking = new Set<Member>();
  /** Whose vote was given once more. */
  readonly #retaken = new Set<Member>();
  /** Where a vote is being given back. */
  readonly #givingBack = new Set<Member>();
  /** Whether votes are wanted: from an obtain on, until it fails, or the lock is given back. */
  #wanted = false;

  constructor(request: Request, quorum: Quorum) {
    this.#quorum = quorum;
    this.keys = request.keys;
    this.ttl = request.ttl;
    this.maxTtl = quorum.maxTtl;
    this.token = request.token;
    this.metadata = request.metadata;
    this.#ownToken = request.ownToken;
    const bySpace = new Map<Space, ExclusiveClaim>();
    this.#claims = quorum.members.map(({ space }) => {
      const claim = bySpace.get(space) ?? new ExclusiveClaim(request, space);
      bySpace.set(space, claim);
      return claim;
    });
    this.#fences = quorum.members.map(() => undefined);
    this.names = this.#at(0).names;
  }

  /** The claim at one of the servers, to stand in line there. */
  at(member: Member): Claim {
    const claim = this.#at(member.index);
    const here = <T>(command: Command<T>): Command<T> => ({
      ...command,
      run: (options) => member.run(command, options),
    });
    const attempt = ++this.#tries;
    const vote = (command: Command<Asked>): Command<Asked> =>
      here(this.#vote(command, this.#quorum.fences.floor(), attempt));
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
    const { length } = this.#quorum.members;
    return lasting.length > length - majorityOf(length);
  }

  /** The line's server has granted it, by a lease of `ttl` from `sentAt`. */
  grantedInLine({ fencingToken, sentAt: from, ttl }: Granted): void {
    // Counted as the others are: a shorter lease is one that was sent earlier.
    const sentAt = from + usable(ttl) - usable(this.ttl);
    const reply: GrantedVote = { kind: "granted", fencingToken };
    this.#granted = { kind: "reply", reply, sentAt, once: false };
    if (this.line) this.#fences[this.line.member.index] = fencingToken;
  }

  /** What was granted by standing in line was given back. */
  leftLine(): void {
    if (this.line) this.#fences[this.line.member.index] = undefined;
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
      const ask = (member: Member): Promise<Outcome<Verdict>> => {
        const fence = this.#fences[member.index] ?? fencingToken;
        return member.run(this.#at(member.index).refresh(fence, ttl, order), options);
      };
      return this.#refresh(fencingToken, ttl, ask);
    });
  }

  timeLeft(fencingToken: number): Command<number | Exclude<Verdict, "ours">> {
    const { members } = this.#quorum;
    type Left = number | Exclude<Verdict, "ours">;
    return atAll((options) =>
      gather<Left>(members, {
        ask: (member) => {
          const fence = this.#fences[member.index] ?? fencingToken;
          return member.run(this.#at(member.index).timeLeft(fence), options);
        },
        isYes: (reply) => typeof reply === "number",
        yes: (votes) => {
          const left = votes.map(({ reply }) => Number(reply)).sort((a, b) => b - a);
          const reply = left[majorityOf(members.length) - 1] ?? 0;
          return said(votes, members.length, reply);
        },
        no: (votes) => said(votes, members.length, lossOf(votes)),
      }),
    );
  }

  #at(index: number): ExclusiveClaim {
    const claim = this.#claims[index];
    if (!claim) throw new Error(`there is no server ${index}`);
    return claim;
  }

  /** A command for each server, made once for those whose names are the same. */
  #alike<T>(of: (claim: ExclusiveClaim) => Command<T>): (member: Member) => Command<T> {
    let last: { readonly claim: ExclusiveClaim; readonly command: Command<T> } | undefined;
    return ({ index }) => {
      const claim = this.#at(index);
      if (last?.claim !== claim) last = { claim, command: of(claim) };
      return last.command;
    };
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
    const { members, roll, fences } = this.#quorum;
    const need = majorityOf(members.length);
    const attempt = ++this.#tries;
    await roll.call(options.until);
    // One for all, so that they give the same token.
    const floor = Math.max(fences.floor(), this.#granted ? fenceOf(this.#granted.reply) : 0);
    this.#wanted = true;
    const line = this.#granted && this.line?.member;
    const heard: Votes<Asked> = [];
    const commandAt = this.#alike((claim) => this.#vote(claim.obtain(), floor, attempt));
    const asking: Asking = { commandAt, floor, attempt, options };
    /**
     * The highest token of all votes, and so the lock's. Also of those that come later: where a vote of the
     * first majority is gone again, another may be the only one that remembers the lock before.
     */
    let token = 0;
    /** Up to which token a server is being asked to remember. */
    const lifting = new Map<Member, number>();
    const outcome = await gather<Asked>(members, {
      ask: async (member) => {
        const settled = member === line ? this.#granted : undefined;
        if (settled) return settled;
        return (heard[member.index] = await this.#askForVote(member, asking));
      },
      isYes: isGranted,
      yes: (votes, all, look) => {
        const number = (token = Math.max(token, ...votes.map(({ reply }) => fenceOf(reply))));
        const certain = votes.filter(({ reply }) => fenceOf(reply) >= number);
        if (certain.length >= need) {
          const reply: GrantedVote = { kind: "granted", fencingToken: number };
          // Votes that were not heard of may come later.
          const once = members.every(({ index }) => all[index]?.kind === "reply");
          return { ...said(certain, members.length, reply), once };
        }
        // Until a majority remembers the token, the next one might be lower.
        for (const member of members) {
          const vote = all[member.index];
          if (vote?.kind !== "reply" || !isGranted(vote.reply)) continue;
          if (fenceOf(vote.reply) >= number || lifting.get(member) === number) continue;
          lifting.set(member, number);
          void this.#lift(member, number, options).then((lifted) => {
            if (lifting.get(member) !== number) return; // A higher one is on its way.
            const reply: Asked = { kind: "granted", fencingToken: number };
            all[member.index] = lifted.kind === "reply" ? { ...vote, reply } : lifted;
            look();
          });
        }
        return undefined;
      },
      no: (votes, all) => {
        const holder = holderOf(
          votes.map(({ reply }) => (isGranted(reply) ? undefined : reply.holder)),
        );
        const cause = quorumError(all, isGranted);
        return said(votes, members.length, { kind: "taken", holder, cause });
      },
      straggler: (member, { kind }) => {
        if (kind === "reply") this.#late(member, attempt, options);
      },
    });
    if (outcome.kind === "reply" && isGranted(outcome.reply)) return outcome;
    this.#wanted = false;
    for (const member of members) {
      const vote = heard[member.index];
      const isNo = vote?.kind === "refused" || (vote?.kind === "reply" && !isGranted(vote.reply));
      if (member !== line && !isNo) this.#quorum.leaves(this.#leaveAt(member, attempt));
    }
    return outcome;
  }

  /** A vote came when all was decided: it counts for a lock that is held, and else goes back. */
  #late(member: Member, attempt: number, { late }: RunOptions<Asked>): void {
    if (this.#givingBack.has(member)) return; // By a command behind the one that it answers.
    if (!this.#wanted) this.#quorum.leaves(this.#leaveAt(member, attempt));
    else late?.(undefined); // Whoever asked knows whether the lock is held still.
  }

  #leaveAt(member: Member, attempt: number): Promise<unknown> {
    this.#fences[member.index] = undefined;
    this.#givingBack.add(member);
    const leaving = this.#give(member, leaveOf(this.#at(member.index), attempt), {});
    return leaving.finally(() => this.#givingBack.delete(member));
  }

  /** Asks one server for its vote. */
  async #askForVote(
    member: Member,
    { commandAt, floor, attempt, options }: Asking,
  ): Promise<Outcome<Asked>> {
    const { fences, roll } = this.#quorum;
    const unknown = roll.doubt(member);
    if (unknown) return unknown;
    const outcome = await member.run(commandAt(member), {
      ...options,
      late: (reply) => {
        if (reply?.kind === "granted") this.#fences[member.index] = reply.fencingToken;
        if (reply?.kind !== "taken") this.#late(member, attempt, options);
      },
    });
    if (outcome.kind === "reply" && outcome.reply.kind === "granted") {
      fences.learn(outcome.reply.fencingToken, outcome.sentAt, floor);
      this.#fences[member.index] = outcome.reply.fencingToken;
    }
    return outcome;
  }

  /** Has a server remember the token, and its grant show it. */
  async #lift(
    member: Member,
    token: number,
    { until = Infinity }: RunOptions<Asked>,
  ): Promise<Outcome<boolean>> {
    const { keys, args } = this.#at(member.index).obtain();
    const [value = "", , , , memory = ""] = args;
    const command: Command<boolean> = {
      script: quorumScripts.lift,
      keys: keys.slice(0, 3),
      args: [value, String(token), memory],
      read: readFlag,
    };
    const outcome = await member.run(command, { until });
    if (outcome.kind !== "reply") return outcome;
    if (!outcome.reply) return { kind: "unknown", error: new Error("its vote was gone again") };
    this.#fences[member.index] = token;
    return outcome;
  }

  /** Nothing is asked for any more: of a token that is its own, it leaves whatever is there. */
  #leaveForGood({ index }: Member): Command<Leftover> {
    const claim = this.#at(index);
    return this.#ownToken ? leaveOf(claim, this.#tries) : claim.leave();
  }

  #leave(options: RunOptions<Leftover>): Promise<Outcome<Leftover>> {
    this.#wanted = false;
    const { members } = this.#quorum;
    return gather<Leftover>(members, {
      ask: async (member) => {
        if (member === this.line?.member) {
          const reply = await this.line.leave();
          const error = new Error("no answer to leaving the line");
          if (!reply) return { kind: "unknown", error };
        }
        this.#givingBack.add(member);
        const outcome = await this.#give(member, this.#leaveForGood(member), options);
        this.#givingBack.delete(member);
        return outcome;
      },
      isYes: () => true,
      yes: (votes) => {
        const replies = votes.map(({ reply }) => reply);
        const owned = replies.filter((reply) => reply.owned);
        const holder = holderOf(replies.map((reply) => reply.holder));
        const isOwned = owned.length >= majorityOf(members.length);
        const facts = { holder, position: undefined, owned: isOwned, unserved: false };
        return said(votes, members.length, facts);
      },
      no: (votes) => ({ kind: "unknown", error: quorumError(votes, () => false) }),
    });
  }

  /**
   * At the server where others stand in line last, once a majority of the others has answered: whoever is
   * granted the lock there finds the other votes free.
   */
  #release(fencingToken: number, options: RunOptions<Released>): Promise<Outcome<Released>> {
    this.#wanted = false;
    const { members, timers } = this.#quorum;
    const need = majorityOf(members.length);
    const voted = members.filter(({ index }) => this.#fences[index] !== undefined);
    const last = this.line?.member ?? voted[0] ?? members[0];
    const others = voted.filter((member) => member !== last);
    let answered = 0;
    let goOn: () => void = () => undefined;
    const turn = new Promise<void>((resolve) => (goOn = resolve));
    const pause = timers.set(timers.now() + RELEASE_PAUSE, goOn);
    return gather<Released>(members, {
      ask: async (member) => {
        if (member === last) await turn;
        this.#givingBack.add(member);
        const outcome = await this.#giveBack(member, fencingToken, options);
        this.#givingBack.delete(member);
        if (outcome.kind === "reply" && outcome.reply === "unserved") this.#serve(member);
        if (others.includes(member)) answered++;
        if (answered === Math.min(need, others.length)) {
          timers.clear(pause);
          goOn();
        }
        return outcome;
      },
      isYes: (reply) => reply === "ours" || reply === "unserved",
      yes: (votes) => said(votes, members.length, "ours"),
      no: (votes) => said(votes, members.length, lossOf(votes)),
    });
  }

  /** A vote that was never heard of is left: its fencing token, which own tokens go by, is not known. */
  async #giveBack(
    member: Member,
    fencingToken: number,
    options: RunOptions<Released>,
  ): Promise<Outcome<Released>> {
    const claim = this.#at(member.index);
    const fence = this.#fences[member.index];
    if (!this.#ownToken || fence !== undefined) {
      return member.run(claim.release(fence ?? fencingToken), options);
    }
    const { until = Infinity } = options;
    const outcome = await this.#give(member, this.#leaveForGood(member), { until });
    if (outcome.kind !== "reply") return outcome;
    // Its vote was told of meanwhile: another call with the token may have been told, too.
    const told = this.#fences[member.index];
    if (!outcome.reply.owned && told !== undefined) return member.run(claim.release(told), options);
    return { ...outcome, reply: outcome.reply.owned ? "ours" : "deleted" };
  }

  /** Leaves what it has at one server. */
  async #give(
    member: Member,
    command: Command<Leftover>,
    options: RunOptions<Leftover>,
  ): Promise<Outcome<Leftover>> {
    const outcome = await member.run(command, options);
    if (outcome.kind === "reply" && outcome.reply.unserved) this.#serve(member);
    return outcome;
  }

  /** Not by whoever asked: where a majority has answered, the server of the line may not have. */
  #serve(member: Member): void {
    for (const key of this.keys) this.#quorum.leaves(member.serve(key));
  }

  #refresh(
    fencingToken: number,
    ttl: number,
    ask: (member: Member) => Promise<Outcome<Verdict>>,
  ): Promise<Outcome<Verdict>> {
    const { members } = this.#quorum;
    return gather<Verdict>(members, {
      ask: async (member) => {
        const outcome = await ask(member);
        const isMissing = outcome.kind === "reply" && outcome.reply === "deleted";
        if (isMissing) void this.#retake(member, fencingToken, ttl);
        return outcome;
      },
      isYes: (reply) => reply === "ours",
      yes: (votes) => said(votes, members.length, "ours"),
      no: (votes) => {
        this.#wanted = false;
        for (const member of this.#retaken) this.#quorum.leaves(this.#leaveAt(member, this.#tries));
        return said(votes, members.length, lossOf(votes));
      },
    });
  }

  /**
   * This server has nothing: it was restarted, or its vote never came. Its vote is asked for once more, and
   * counts from the next refresh on: so servers can be restarted one after the other under a lock that is
   * renewed, and it outlives that one hangs which has it. Not where a majority has nothing: then the lock may
   * have been another's meanwhile, and is lost.
   */
  async #retake(member: Member, fencingToken: number, ttl: number): Promise<void> {
    if (!this.#wanted || this.#retaking.has(member)) return;
    this.#retaking.add(member);
    const attempt = this.#tries;
    const command = this.#vote(this.#at(member.index).obtain(), fencingToken, attempt, ttl);
    const outcome = await member.run(command, {});
    this.#retaking.delete(member);
    if (outcome.kind !== "reply" || !isGranted(outcome.reply)) return;
    this.#fences[member.index] = outcome.reply.fencingToken;
    if (this.#wanted) this.#retaken.add(member);
    else this.#quorum.leaves(this.#leaveAt(member, attempt));
  }
}

/** What is done by commands of its own to each server: nothing is sent of it as it stands. */
function atAll<T>(run: NonNullable<Command<T>["run"]>): Command<T> {
  return { script: quorumScripts.vote, keys: [], args: [], read: () => undefined, run };
}

/** Gives back the vote of one attempt, and no other's. */
function leaveOf(claim: ExclusiveClaim, attempt: number, id?: string): Command<Leftover> {
  const command = claim.leave(id);
  const [value = "", place = "", call = ""] = command.args;
  return { ...command, args: [value, place, `${call}.${attempt}`] };
}

/** The fencing token of a vote. */
function fenceOf(reply: Asked): number {
  return reply.kind === "granted" ? reply.fencingToken : 0;
}

function isGranted(reply: Asked): reply is GrantedVote {
  return reply.kind === "granted";
}

/** Why a majority does not have the lock any more. */
function lossOf(votes: readonly Reply<unknown>[]): "taken" | "deleted" {
  const taken = votes.filter(({ reply }) => reply === "taken");
  return 2 * taken.length >= votes.length ? "taken" : "deleted";
}

/** Who has the lock, by what servers say of their own: the one whom most of them name. */
function holderOf(told: readonly (Holder | undefined)[]): Holder | undefined {
  const holders = told.flatMap((holder) => holder ?? []);
  let found: Holder | undefined;
  let most = 0;
  for (const holder of holders) {
    const same = holders.filter(({ metadata }) => metadata === holder.metadata);
    if (same.length <= most) continue;
    most = same.length;
    found = same.reduce((a, b) => (b.remaining > a.remaining ? b : a));
  }
  return found;
}
