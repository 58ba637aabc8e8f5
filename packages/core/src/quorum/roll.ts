import { createToken } from "../keys/token.js";
import { quorumScripts } from "../lua/quorum/scripts.generated.js";
import { listOf, type Reply } from "../redis/client.js";
import type { Command, Failure, Outcome, RunOptions } from "../redis/command.js";
import { isNotNow } from "../redis/refusals.js";
import type { Timers } from "../time/timers.js";
import { majorityOf } from "./gather.js";
import type { Member } from "./member.js";

/** Milliseconds for which a server keeps its secret: long enough for a replica to get it. */
const SECRET_TTL = 60_000;

/** What a server says of itself, and which of the secrets it has. */
interface Identity {
  readonly runId: string;
  readonly mode: string;
  readonly role: string;
  readonly has: readonly boolean[];
}

/**
 * Finds out that the servers are independent, before any of them casts a vote: none is another by a second
 * address, none a replica, none a node of a cluster. Each is given a secret; whoever has that of another
 * has its writes, and would lose them together with it.
 */
export class Roll {
  readonly #members: readonly Member[];
  readonly #timers: Timers;
  readonly #timeout: number;
  /** Made when it is first needed: some platforms give no random bytes while a module loads. */
  #tag: string | undefined;
  /** How often each address may have led to another server: the one before has the secret of then. */
  readonly #moves = new Map<Member, number>();
  /** Those that cast votes, each with the connection over which it said who it is. */
  readonly #known = new Map<Member, unknown>();
  /** What each called its run when it last said so. */
  readonly #runIds = new Map<Member, string>();
  /** Those whose secret was written. */
  readonly #written = new Set<Member>();
  readonly #underWay = new Map<Member, Promise<void>>();
  readonly #doubts = new Map<Member, Failure>();
  /** Why these servers make no quorum, for good. */
  #problem: TypeError | undefined;
  readonly #onChange = new Set<() => void>();

  constructor(members: readonly Member[], timers: Timers, timeout: number) {
    this.#members = members;
    this.#timers = timers;
    this.#timeout = timeout;
  }

  /**
   * Calls those who are not known yet, and resolves when all are that are not silent.
   *
   * @throws TypeError if they make no quorum
   */
  async call(until: number = Infinity): Promise<void> {
    await this.#know(this.#members, until);
    if (this.#problem) throw this.#problem;
  }

  /**
   * What counts as the word of this server, and not of another that its address has led to since: it is
   * known before, and its client has not connected anew when the reply is there.
   */
  async wordOf<T>(
    member: Member,
    command: Command<T>,
    options: RunOptions<T>,
  ): Promise<Outcome<T>> {
    return this.#doubt(member) ?? this.byKnown(member, await member.run(command, options));
  }

  /** The same for what is done at every server, known or not. */
  byKnown<T>(member: Member, outcome: Outcome<T>): Outcome<T> {
    if (outcome.kind !== "reply") return outcome;
    const from = this.runIdOf(member);
    // Never a refusal: what was asked for may have been done.
    return from === undefined ? nameless() : { ...outcome, from };
  }

  /** Has a server say who it is, if its client has connected anew; not for longer than `until`. */
  recall(member: Member, until: number | undefined): Promise<void> {
    return this.#know([member], until);
  }

  /** What a server calls its run; undefined while it is not known. */
  runIdOf(member: Member): string | undefined {
    return this.#isKnown(member) ? this.#runIds.get(member) : undefined;
  }

  #isKnown(member: Member): boolean {
    return this.#known.has(member) && this.#known.get(member) === member.client.epoch;
  }

  /** Why this server casts no vote yet; undefined if it may. */
  #doubt(member: Member): Failure | undefined {
    if (this.#isKnown(member)) return undefined;
    return this.#doubts.get(member) ?? nameless();
  }

  /** It could not say who it is when it was last asked, as while it loads its data: that may take long. */
  #isBusy(member: Member): boolean {
    const doubt = this.#doubts.get(member);
    return doubt?.kind === "refused" && isNotNow(doubt.error);
  }

  /** Asks a server whether it is there. */
  probe(member: Member): Command<unknown> {
    return this.#command(member, "who");
  }

  /**
   * Calls those who are not known yet, and waits for them: not for who is silent, nor, where a majority is
   * known, for who could not say it the last time, and not beyond `until`.
   */
  async #know(members: readonly Member[], until: number = Infinity): Promise<void> {
    if (members.every((member) => this.#isKnown(member))) return;
    for (const member of members) this.#callOne(member);
    const deadline = Math.min(until, this.#timers.now() + this.#timeout);
    await new Promise<void>((resolve) => {
      const timer = this.#timers.set(deadline, () => done());
      const done = (): void => {
        this.#onChange.delete(look);
        this.#timers.clear(timer);
        resolve();
      };
      const look = (): void => {
        const known = members.filter((member) => this.#isKnown(member));
        const isEnough = known.length >= majorityOf(this.#members.length);
        const open = members.some(
          (member) =>
            this.#underWay.has(member) && !member.silent && !(isEnough && this.#isBusy(member)),
        );
        if (!open || this.#problem) done();
      };
      this.#onChange.add(look);
      look();
    });
  }

  #callOne(member: Member): void {
    if (this.#isKnown(member) || this.#underWay.has(member)) return;
    const forget = member.onSilence(() => this.#changed());
    const call = this.#check(member).finally(() => {
      forget();
      this.#underWay.delete(member);
      this.#changed();
    });
    this.#underWay.set(member, call);
  }

  #changed(): void {
    for (const run of this.#onChange) run();
  }

  async #check(member: Member, isFirst: boolean = true): Promise<void> {
    // First without a key, which a node of a cluster would refuse.
    const own = await this.#ask(member, "who");
    if (!own) return;
    const { epoch } = member.client;
    const isSame = (): boolean => member.client.epoch === epoch;
    // The same one, over another connection.
    if (this.#known.has(member) && this.#runIds.get(member) === own.runId) {
      this.#isThere(member, epoch);
      return;
    }
    this.#known.delete(member);
    this.#accuse(aloneProblem(member, own));
    if (this.#runIds.has(member)) this.#moved(member);
    // Of one server, two databases have nothing in common but this.
    this.#runIds.set(member, own.runId);
    for (const [other, runId] of this.#runIds) {
      if (other === member || runId !== own.runId) continue;
      if (!(await this.#isAnother(other, member, runId))) return;
    }
    if (this.#problem || !(await this.#ask(member, "write"))) return;
    this.#written.add(member);
    const others = [...this.#written].filter((other) => other !== member);
    // One that is down must not keep others from voting. They are asked for what it has, as it will be, if it
    // was not, when it is called itself.
    const looks = others.map((other) => other.whileHeard(this.#look(other, [member])));
    const [isThere] = await Promise.all([this.#look(member, others), ...looks]);
    if (!isThere) return;
    if (isSame()) this.#isThere(member, epoch);
    else if (isFirst) await this.#check(member, false); // It has just connected.
  }

  /**
   * Whether a server that called its run the same is another by now: of two that have been exchanged, one is
   * asked first. If it is not, the two are one server. As long as it does not say, nobody knows.
   */
  async #isAnother(other: Member, member: Member, runId: string): Promise<boolean> {
    const isConnectedAnew = this.#known.has(other) && !this.#isKnown(other);
    if (!isConnectedAnew) {
      let now: Identity | undefined;
      await other.whileHeard(this.#ask(other, "who").then((said) => (now = said)));
      if (now?.runId === runId) this.#accuse(sameProblem(other, member));
      if (!now || now.runId === runId) return false;
    }
    // It casts no vote until it has been found to be independent, too.
    this.#known.delete(other);
    this.#moved(other);
    return true;
  }

  /** Its address may lead to another server, which is given another secret. */
  #moved(member: Member): void {
    this.#moves.set(member, (this.#moves.get(member) ?? 0) + 1);
  }

  /** It casts votes from now on, over this connection. */
  #isThere(member: Member, epoch: unknown): void {
    this.#known.set(member, epoch);
    this.#doubts.delete(member);
  }

  /** Whether a server answers; if it has what was written to others, that is a problem. */
  async #look(member: Member, others: readonly Member[]): Promise<boolean> {
    if (others.length === 0) return true;
    const identity = await this.#ask(member, "look");
    const other = others.find(({ index }) => identity?.has[index] === true);
    if (other) this.#accuse(sameProblem(member, other));
    return identity !== undefined;
  }

  #accuse(problem: TypeError | undefined): void {
    if (!problem) return;
    this.#problem ??= problem;
    this.#changed();
  }

  async #ask(member: Member, how: "who" | "write" | "look"): Promise<Identity | undefined> {
    const outcome = await member.run(this.#command(member, how), {});
    if (outcome.kind === "reply") return outcome.reply;
    this.#doubts.set(member, outcome);
    return undefined;
  }

  /** The key by which a server has its secret. */
  #secretOf(member: Member): string {
    this.#tag ??= createToken();
    const moves = this.#moves.get(member);
    const name = `redislock:quorum:{${this.#tag}}:${member.index + 1}`;
    return member.space.namespace + (moves === undefined ? name : `${name}:${moves}`);
  }

  #command(member: Member, how: "who" | "write" | "look"): Command<Identity> {
    const keys = how === "who" ? [] : this.#members.map((one) => this.#secretOf(one));
    return {
      script: quorumScripts.member,
      keys,
      args: [how === "write" ? String(member.index + 1) : "0", String(SECRET_TTL)],
      read: (reply) => readIdentity(reply, keys.length),
    };
  }
}

/** Also of one that has said so before its client connected anew: its address may lead to another since. */
function nameless(): Failure {
  return { kind: "unknown", error: new Error("it has not said yet which server it is") };
}

function aloneProblem(member: Member, { runId, mode, role }: Identity): TypeError | undefined {
  if (mode === "cluster") {
    return new TypeError(
      `${named(member)} is a node of a cluster: a quorum is of servers that do not share their data`,
    );
  }
  if (runId === "" || role === "") {
    return new TypeError(
      `${named(member)} does not say its run_id and role (INFO): it cannot be told from the others`,
    );
  }
  if (role === "master") return undefined;
  return new TypeError(
    `${named(member)} is a ${role}: a quorum is of masters that do not share their data`,
  );
}

function sameProblem(a: Member, b: Member): TypeError {
  return new TypeError(
    `${named(a)} and ${named(b)} are one server, or one is a replica of the other: a quorum is of ` +
      "servers that do not share their data",
  );
}

function named({ index }: Member): string {
  return `server ${index + 1}`;
}

function readIdentity(reply: Reply, members: number): Identity | undefined {
  const [runId, mode, role, found] = listOf(reply, 4) ?? [];
  if (typeof runId !== "string" || typeof mode !== "string" || typeof role !== "string") return;
  if (typeof found !== "string" || found.length !== members || /[^01]/.test(found)) return;
  return { runId, mode, role, has: Array.from(found, (flag) => flag === "1") };
}
