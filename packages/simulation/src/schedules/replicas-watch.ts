/** What must hold of a lock that counts once so many replicas have it. */
import { NotObtainedError, OutcomeUnknownError, RefusedError } from "@redislock/core";
import type { MemoryServer } from "@redislock/testing";

import { type LockNames, locksIn, servesLine, stateOf, tokenIn } from "../protocol.js";
import { FencingTokens } from "../safety.js";
import type { Run } from "../server.js";
import { Beliefs, type Hold } from "./beliefs.js";
import type { ReplicationWatch, Server } from "./replica-set.js";

/** How much later on the true time a lease may end than a server says, by rounding. */
const ROUNDING = 1;

export class ReplicasWatch extends Beliefs implements ReplicationWatch {
  minReplicas = 1;
  /** There are too few replicas, and nothing else goes wrong. */
  starved = false;
  /** Where locks are. */
  current: () => MemoryServer | undefined = () => undefined;
  readonly #locks = new Map<string, LockNames>();
  readonly #fencingTokens = new FencingTokens();
  /** When the lease ends that a replica has of a master: by key and token, reign and replica. */
  readonly #ends = new Map<string, Map<number, Map<Server, number>>>();

  override hold(hold: Hold): void {
    super.hold(hold);
    const { keys, fencingToken, token } = hold.lock;
    for (const key of keys) {
      const fallen = this.#fencingTokens.given(key, fencingToken, token);
      if (fallen !== undefined) this.report("a fencing token that does not rise", fallen);
    }
  }

  /** Nobody is told anything but that there are too few replicas, or that another has it. */
  override failed(name: string, error: unknown): void {
    if (!this.starved || error instanceof NotObtainedError) return;
    if (error instanceof RefusedError && error.reply === "NOREPLICAS") return;
    if (error instanceof Error && error.message === "cancelled") return;
    // A last try, for which no time was left.
    if (error instanceof OutcomeUnknownError && / no answer in \d{1,2} ms/.test(error.message))
      return;
    this.timeline.at(this.timeline.now, () =>
      this.report("a refusal that is told otherwise", `${name}: ${String(error)}`),
    );
  }

  protected override checkHolders(holds: ReadonlySet<Hold>): void {
    for (const hold of holds) this.#checkReplicated(hold);
    super.checkHolders(holds);
  }

  /** So many replicas of one master have a lease that goes at least as far as its holder believes. */
  #checkReplicated({ name, lock, until, process: { clock, rate } }: Hold): void {
    // Nobody has looked yet.
    if (until === Infinity) return;
    const end = this.timeline.now + (until - clock.now()) / rate;
    for (const key of lock.keys) {
      const reigns = [...(this.#ends.get(`${key} ${lock.token}`)?.values() ?? [])];
      const isEnough = reigns.some(
        (ends) =>
          [...ends.values()].filter((one) => one >= end - ROUNDING).length >= this.minReplicas,
      );
      if (isEnough) continue;
      this.report("a lease that too few replicas have", `${name}: ${key} until ${end.toFixed(1)}`);
    }
  }

  before(memory: MemoryServer): void {
    this.foreign.before(memory);
  }

  after(memory: MemoryServer, { script, keys, args, outcome }: Run): void {
    this.checkForeign(memory, { script, keys, args, outcome });
    this.history.note("", () => {
      const told = "error" in outcome ? outcome.error.message : JSON.stringify(outcome.reply);
      return `${script.name} ${keys[0] ?? ""} ${args.slice(0, 3).join(" ")}: ${told}`;
    });
    if (!servesLine(script)) return;
    for (const names of locksIn(script, keys)) this.#locks.set(names.key, names);
  }

  replicated(replica: Server, reign: number, memory: MemoryServer): void {
    for (const { key } of this.#locks.values()) {
      const value = memory.command("GET", key);
      if (typeof value !== "string") continue;
      const end = this.timeline.now + Number(memory.command("PTTL", key));
      const name = `${key} ${tokenIn(value)}`;
      const reigns = this.#ends.get(name) ?? new Map<number, Map<Server, number>>();
      const ends = reigns.get(reign) ?? new Map<Server, number>();
      this.#ends.set(name, reigns.set(reign, ends));
      ends.set(replica, Math.max(end, ends.get(replica) ?? 0));
    }
  }

  override checkNothingLeft(name: string, token: string): void {
    const memory = this.current();
    if (!memory) return;
    for (const names of this.#locks.values()) {
      const { holders, line } = stateOf(memory, names);
      if ([...holders, ...line].some(({ value }) => value.startsWith(token))) {
        this.report("something left behind", `${name} at ${names.key}`);
      }
    }
  }
}
