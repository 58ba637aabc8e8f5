import { Acquisition, type Answer, isLast } from "../acquire/acquisition.js";
import type { Waiting } from "../acquire/engine.js";
import { waitInLine } from "../acquire/wait.js";
import type { Leftover } from "../primitives/primitive.js";
import { QuorumClaim } from "./claim.js";
import type { Member } from "./member.js";
import type { Quorum } from "./quorum.js";

/** Pauses before votes are asked for again, in milliseconds: at random below these. */
const SHORT_PAUSE = 10;
const LONG_PAUSE = 200;
/** For how long whoever is first in line asks for the other votes, before it gives way. */
const PATIENCE = 300;

/** How those wait who ask one locker for locks of a quorum. */
export function waitingFor(quorum: Quorum): Waiting {
  /** How many wait for each key. */
  const waiting = new Map<string, number>();
  return (acquisition, deadline, lastAnswer) => {
    const { claim } = acquisition;
    if (!(claim instanceof QuorumClaim)) throw new TypeError("it is no claim of a quorum");
    const [key = ""] = claim.keys;
    const others = waiting.get(key) ?? 0;
    waiting.set(key, others + 1);
    const how = { crowded: others > 0, deadline, lastAnswer };
    const waited = waitForQuorum(acquisition, claim, quorum, how).finally(() => {
      const left = (waiting.get(key) ?? 1) - 1;
      if (left > 0) waiting.set(key, left);
      else waiting.delete(key);
    });
    // It may leave its line a moment after whoever waited was told that it is over.
    quorum.leaves(waited.catch(() => undefined));
    return waited;
  };
}

/**
 * Waits in line at the first server that answers, in the order that all share; takes the other votes when
 * granted there. So those who wait meet in one line, and only its first asks the others: no votes are
 * split. A line whose server falls silent is left for that of the next.
 *
 * @param crowded - Others of this process wait for the same: who would only be refused does not try.
 */
async function waitForQuorum(
  acquisition: Acquisition,
  claim: QuorumClaim,
  quorum: Quorum,
  { crowded, deadline, lastAnswer }: { crowded: boolean; deadline: number; lastAnswer: number },
): Promise<Answer> {
  const { timers, members } = quorum;
  let answer: Answer = { kind: "taken", holder: undefined };
  if (!crowded) {
    answer = await acquisition.ask(lastAnswer);
    if (isOver(answer, acquisition)) return answer;
  }
  const passedOver = new Set<Member>();
  for (let pause = SHORT_PAUSE; ; pause = Math.min(2 * pause, LONG_PAUSE)) {
    const member = members.find((one) => !one.silent && !passedOver.has(one)) ?? members[0];
    if (!member) return answer;
    const place = new LinePlace(acquisition, claim, quorum, member);
    const inLine = await place.stand(deadline, lastAnswer);
    if (!acquisition.wanted) {
      void place.leave(); // It may have been granted just then. Whoever closes the locker waits for that.
      return answer;
    }
    if (inLine?.kind === "failed") passedOver.add(member);
    if (inLine) answer = inLine;
    if (inLine?.kind === "granted") {
      claim.grantedInLine(inLine);
      const without = new Set(passedOver);
      passedOver.clear();
      // Of two who are first in two lines, the one of the earlier keeps its vote; the other comes over, and
      // all behind it. Else each would keep the other from its majority for ever.
      const isFirst = (): boolean =>
        members.find((one) => !one.silent && !without.has(one)) === member;
      const patience = Math.min(timers.now() + PATIENCE, deadline);
      do {
        answer = await acquisition.ask(lastAnswer);
        if (answer.kind === "granted") return answer;
        if (isOver(answer, acquisition)) {
          void place.leave();
          return answer;
        }
        await timers.sleep(Math.random() * SHORT_PAUSE);
      } while (timers.now() < patience && isFirst() && acquisition.wanted);
    }
    await member.whileHeard(place.leave(), deadline);
    if (!acquisition.wanted) return answer;
    if (members.every((one) => one.silent || passedOver.has(one))) {
      // There is no line to stand in: what those say together who answer tells whether there can be one.
      if (!members.every((one) => one.silent)) answer = await acquisition.ask(lastAnswer);
      if (isOver(answer, acquisition)) return answer;
      passedOver.clear();
    }
    await timers.sleep(Math.min(Math.random() * pause, Math.max(0, deadline - timers.now())));
    if (!acquisition.wanted || timers.now() >= deadline) return answer;
  }
}

/** One place in the line of one server. */
class LinePlace {
  readonly member: Member;
  readonly #quorum: Quorum;
  readonly #claim: QuorumClaim;
  readonly #whole: Acquisition;
  readonly #own: Acquisition;

  constructor(whole: Acquisition, claim: QuorumClaim, quorum: Quorum, member: Member) {
    this.member = member;
    this.#quorum = quorum;
    this.#claim = claim;
    this.#whole = whole;
    this.#own = new Acquisition(claim.at(member), member.commands, undefined, {
      waiting: (_, position) => whole.waiting(position),
      lateGrant: () => undefined,
    });
    claim.line = this;
    whole.onStop(() => {
      const waits = this.#own.stop(new Error("it is not wanted any more"));
      this.#own.end();
      // Whoever closes the locker waits for that.
      if (waits) quorum.leaves(this.#own.abandon());
    });
  }

  /** Waits there; undefined if that was ended, by the server's silence or because nobody wants it. */
  async stand(deadline: number, lastAnswer: number): Promise<Answer | undefined> {
    const { member } = this;
    const own = this.#own;
    const unwatch = member.watch(this.#quorum.roll.probe(member));
    const forget = member.onSilence(() => own.stop(new Error("the server is silent")));
    try {
      return await own.run(() => waitInLine(own, member.line, deadline, lastAnswer), undefined);
    } catch {
      return undefined;
    } finally {
      forget();
      unwatch();
      this.#whole.tries += own.tries;
    }
  }

  /** Gives back whatever was had of it. Not waited for where nobody answers. */
  leave(): Promise<Leftover | undefined> {
    this.#whole.onStop(undefined);
    const leaving = this.#own.abandon();
    this.#quorum.leaves(leaving);
    if (this.#claim.line === this) this.#claim.leftLine();
    return this.member.silent ? Promise.resolve(undefined) : leaving;
  }
}

/** Whether an answer ends the wait. */
function isOver(answer: Answer, { wanted }: Acquisition): boolean {
  return isLast(answer) || !wanted;
}
