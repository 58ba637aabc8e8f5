import { quorumScripts } from "../lua/quorum/scripts.generated.js";
import type { ExclusiveClaim } from "../primitives/exclusive.js";
import type { Asked, Leftover, Released, TimeLeft, Verdict } from "../primitives/primitive.js";
import { readFlag } from "../primitives/replies.js";
import type { Command, Outcome, RunOptions } from "../redis/command.js";
import type { Member } from "./member.js";
import type { Quorum } from "./quorum.js";

/**
 * The vote of one server for one claim, from when it is asked for until it is given back. To that server, it
 * is a lock like any other.
 */
export class Vote {
  readonly member: Member;
  /** What is sent for it; the same one where the client puts the same before its names. */
  readonly claim: ExclusiveClaim;
  /** The fencing token that the server is known to have for it, or a higher one that it was told. */
  fence: number | undefined;
  readonly #quorum: Quorum;
  readonly #ownToken: boolean;
  /** Up to which attempt it is being given back; 0 for none. */
  #givingBack = 0;
  /** The same of the last command that gave it back, and found it, and when that was sent. */
  #gaveBack = { upTo: 0, sentAt: -Infinity };
  #retaking = false;
  #retaken = false;

  constructor(member: Member, claim: ExclusiveClaim, quorum: Quorum, ownToken: boolean) {
    this.member = member;
    this.claim = claim;
    this.#quorum = quorum;
    this.#ownToken = ownToken;
  }

  get index(): number {
    return this.member.index;
  }

  get silent(): boolean {
    return this.member.silent;
  }

  onSilence(run: () => void): () => void {
    return this.member.onSilence(run);
  }

  /** Whether what an attempt had is given back by a command behind the one that asked for it at `sentAt`. */
  isGivenBack(attempt: number, sentAt: number): boolean {
    const gaveBack = this.#gaveBack;
    if (attempt <= this.#givingBack) return true;
    return attempt <= gaveBack.upTo && sentAt < gaveBack.sentAt;
  }

  /** It was given once more under a lock that was held. */
  get retaken(): boolean {
    return this.#retaken;
  }

  /**
   * Asks for it.
   *
   * @param late - Called if it may have been given after that was given up.
   */
  async ask(
    command: Command<Asked>,
    floor: number,
    options: RunOptions<Asked>,
    late: () => void,
  ): Promise<Outcome<Asked>> {
    const { fences, roll } = this.#quorum;
    const outcome = await roll.wordOf(this.member, command, {
      ...options,
      late: (reply) => {
        if (reply?.kind === "granted") this.#has(reply.fencingToken);
        if (reply?.kind !== "taken") late();
      },
    });
    if (outcome.kind === "reply" && outcome.reply.kind === "granted") {
      fences.learn(outcome.reply.fencingToken, outcome.sentAt, floor);
      this.#has(outcome.reply.fencingToken);
    }
    return outcome;
  }

  /** It has this token, or may have been lifted above it by now, or not yet: one that is higher finds it, too. */
  #has(fencingToken: number): void {
    this.fence = Math.max(fencingToken, this.fence ?? 0);
  }

  /** Has the server remember a higher token, and the grant show it. */
  async lift(token: number, until: number): Promise<Outcome<boolean>> {
    const { keys, args } = this.claim.obtain();
    const [value = "", , , , memory = ""] = args;
    const command: Command<boolean> = {
      script: quorumScripts.lift,
      keys: keys.slice(0, 3),
      args: [value, String(token), memory],
      read: readFlag,
    };
    this.#has(token);
    const outcome = await this.#quorum.roll.wordOf(this.member, command, { until });
    if (outcome.kind !== "reply" || outcome.reply) return outcome;
    return { kind: "unknown", error: new Error("its vote was gone again") };
  }

  refresh(
    fencingToken: number,
    ttl: number,
    order: number,
    options: RunOptions<Verdict>,
  ): Promise<Outcome<Verdict>> {
    const { claim, fence = fencingToken } = this;
    return this.#wordOn(claim.refresh(fence, ttl, order), options);
  }

  timeLeft(fencingToken: number, options: RunOptions<TimeLeft>): Promise<Outcome<TimeLeft>> {
    const { claim, fence = fencingToken } = this;
    return this.#wordOn(claim.timeLeft(fence), options);
  }

  /** What the server says to a command, once it has said who it is. */
  async #wordOn<T>(command: Command<T>, options: RunOptions<T>): Promise<Outcome<T>> {
    const { roll } = this.#quorum;
    await roll.recall(this.member, options.until);
    return roll.wordOf(this.member, command, options);
  }

  /** Asks for it once more, by the attempt that it was of, while its lock `isHeld`. */
  async retake(command: Command<Asked>, attempt: number, isHeld: () => boolean): Promise<void> {
    if (this.#retaking || !isHeld()) return;
    this.#retaking = true;
    const { roll } = this.#quorum;
    // Without a reply, it may have been given.
    const given = (reply: Asked | undefined): void => {
      if (reply?.kind === "taken") return;
      if (reply) this.#has(reply.fencingToken);
      if (!isHeld()) this.giveBack(attempt);
      else if (reply) this.#retaken = true;
    };
    const options = { wanted: isHeld, late: given };
    const outcome = await roll.wordOf(this.member, command, options);
    this.#retaking = false;
    if (outcome.kind !== "refused") given(outcome.kind === "reply" ? outcome.reply : undefined);
  }

  /** Gives back what one attempt had, and no other. */
  giveBack(attempt: number): void {
    this.fence = undefined;
    this.#quorum.leaves(this.#leave(leaveOf(this.claim, attempt), attempt, {}));
  }

  /** Gives back whatever it is: nothing is asked for any more. */
  leave(attempt: number, options: RunOptions<Leftover>): Promise<Outcome<Leftover>> {
    // Of a token that is the caller's own, another call's may be there.
    const command = this.#ownToken ? leaveOf(this.claim, attempt) : this.claim.leave();
    return this.#leave(command, attempt, options);
  }

  /** Releases the lock as the holder. */
  release(
    fencingToken: number,
    attempt: number,
    options: RunOptions<Released>,
  ): Promise<Outcome<Released>> {
    const { claim, fence } = this;
    // One that was never heard of is left: its fencing token, which own tokens go by, is not known.
    if (this.#ownToken && fence === undefined) return this.#releaseUnheard(attempt, options);
    const command = claim.release(fence ?? fencingToken);
    return this.#giveBackBy(command, attempt, foundByRelease, options);
  }

  async #releaseUnheard(
    attempt: number,
    options: RunOptions<Released>,
  ): Promise<Outcome<Released>> {
    const { until = Infinity } = options;
    const outcome = await this.leave(attempt, { until });
    if (outcome.kind !== "reply") return outcome;
    // It was told of meanwhile: another call with the token may have been told, too.
    const told = this.fence;
    if (!outcome.reply.owned && told !== undefined) return this.release(told, attempt, options);
    return { ...outcome, reply: outcome.reply.owned ? "ours" : "deleted" };
  }

  #leave(
    command: Command<Leftover>,
    attempt: number,
    options: RunOptions<Leftover>,
  ): Promise<Outcome<Leftover>> {
    return this.#giveBackBy(command, attempt, (left) => left, options);
  }

  /** Gives it back by this command, and has the line served where its reply says that it is not. */
  async #giveBackBy<T>(
    command: Command<T>,
    attempt: number,
    foundBy: (reply: T) => Found,
    options: RunOptions<T>,
  ): Promise<Outcome<T>> {
    const { member, claim } = this;
    this.#givingBack = attempt;
    const outcome = await member.run(command, options);
    this.#givingBack = 0;
    if (outcome.kind !== "reply") return outcome;
    const { owned, unserved } = foundBy(outcome.reply);
    // What found nothing may have overtaken what asked for it, over another connection of a pool.
    if (owned) this.#gaveBack = { upTo: attempt, sentAt: outcome.sentAt };
    // Not by whoever asked: where a majority has answered, the server of the line may not have.
    if (unserved) for (const key of claim.keys) this.#quorum.leaves(member.serve(key));
    return outcome;
  }
}

/** Whether there was a vote to give back, and whether the line is to be served yet. */
type Found = Pick<Leftover, "owned" | "unserved">;

function foundByRelease(reply: Released): Found {
  return { owned: reply === "ours" || reply === "unserved", unserved: reply === "unserved" };
}

/** Gives back the vote of one attempt, and no other's. */
export function leaveOf(claim: ExclusiveClaim, attempt: number, id?: string): Command<Leftover> {
  const command = claim.leave(id);
  const [value = "", place = "", call = ""] = command.args;
  return { ...command, args: [value, place, `${call}.${attempt}`] };
}
