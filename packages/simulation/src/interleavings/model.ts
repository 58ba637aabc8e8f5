/**
 * A few processes that use the real core, and a server in memory, where nothing happens by itself: each
 * message on its way, each call of a user and each leap of time is a step that somebody else orders.
 */
import type { Lock } from "@redislock/core";

import { ForeignLocks } from "../foreign-locks.js";
import type { Library } from "../library.js";
import {
  listOf,
  type LockNames,
  locksIn,
  mayStay,
  servesLine,
  sharingOf,
  stateOf,
} from "../protocol.js";
import { FencingTokens, twoHolders } from "../safety.js";
import { type ServerBug, SimulatedServer } from "../server.js";
import { Timeline } from "../timeline.js";
import { Violation } from "../violation.js";
import type { Model, Step } from "./explorer.js";
import { KEY, type Part, Peer, SOON, TTL } from "./peer.js";

export interface Scenario {
  readonly parts: readonly Part[];
  /** All is on one node of a cluster. */
  readonly cluster?: boolean;
  /** How many listeners the server says that there are, whatever is true. */
  readonly miscount?: 0 | 1;
  /** How often time may leap to the next timer, at any point of a schedule. Default: 0. */
  readonly leaps?: number;
  /** How many requests, replies, messages or subscriptions may be lost. Default: 0. */
  readonly losses?: number;
  /** Who sent what is lost does not notice: the connection seems to live. */
  readonly silent?: boolean;
}

/** So many milliseconds after a grant was heard that nobody wants, it has been given back. */
const GIVEN_BACK = 100;

/** What the scenario is played with, instead of the library and the server as they are. */
export interface Cast {
  readonly library: Library;
  readonly serverBug?: ServerBug;
}

export class ScenarioModel implements Model {
  readonly #timeline = new Timeline();
  readonly #clock = this.#timeline.clock();
  readonly #library: Library;
  readonly #server: SimulatedServer;
  readonly #peers: readonly Peer[];
  readonly #failures: unknown[] = [];
  readonly #seen = new Set<Lock>();
  #firstToken = "";
  #leapsLeft: number;
  #lossesLeft: number;
  #lost = false;
  /** The lock of {@link KEY}, once somebody asked for it. */
  #names: LockNames | undefined;
  readonly #fencingTokens = new FencingTokens();
  readonly #foreign = new ForeignLocks(this.#timeline);

  private constructor(
    { parts, cluster = false, leaps = 0, losses = 0, silent = false, miscount }: Scenario,
    { library, serverBug }: Cast,
  ) {
    this.#library = library;
    this.#server = new SimulatedServer(this.#timeline, serverBug, {
      before: (memory) => this.#foreign.before(memory),
      after: (memory, run) => {
        const { script, keys } = run;
        if (servesLine(script))
          this.#names ??= locksIn(script, keys).find(({ key }) => key === KEY);
        const wrong = this.#foreign.after(memory, run);
        if (wrong !== undefined) throw new Violation("a foreign lock that is taken away", wrong);
      },
    });
    const surroundings = {
      server: this.#server,
      clock: this.#clock,
      cluster,
      library,
      silent,
      foreign: this.#foreign,
      remove: (part: NonNullable<Part["deletes"]>) => {
        if (this.#names) this.#server.memory.command("DEL", this.#names[part]);
      },
    };
    this.#peers = parts.map((part) => new Peer(part, surroundings));
    for (const peer of this.#peers) {
      const { token } = peer.part;
      peer.twins = this.#peers.filter(
        (other) => other !== peer && token && other.part.token === token,
      );
    }
    if (miscount !== undefined) {
      this.#server.memory.miscount({ publish: miscount, numsub: miscount });
    }
    this.#leapsLeft = leaps;
    this.#lossesLeft = losses;
  }

  /** To where the holder has the lock, and the others have just called obtain. */
  static async create(scenario: Scenario, cast: Cast): Promise<ScenarioModel> {
    const model = new ScenarioModel(scenario, cast);
    for (const peer of model.#peers) {
      if (peer.part.subscribed) await model.#letSubscribe(peer);
    }
    for (const peer of model.#peers) {
      if (!peer.part.holds) continue;
      const { keeps } = peer.part;
      const obtaining = peer.obtain({ renew: keeps ?? false });
      await model.#runInOrder();
      peer.lock = await obtaining;
      model.#firstToken = peer.lock.token;
    }
    for (const peer of model.#peers) {
      if (!peer.part.holds && !peer.isBystander)
        peer.wait().catch((error: unknown) => model.#failures.push(error));
    }
    await model.settle();
    return model;
  }

  steps(): readonly Step[] {
    const mayLose = this.#lossesLeft > 0;
    // After a cut, whoever subscribes again asks again: nobody has to wait for that.
    const onLoss = (cut: boolean): void => {
      this.#lossesLeft--;
      this.#lost ||= !cut;
    };
    // As Redis has it: what a process knows of it does not commute with what another does.
    const taken = (): boolean => this.#server.memory.command("GET", KEY) === this.#firstToken;
    const steps = this.#peers.flatMap((peer) => [...peer.steps(mayLose, onLoss, taken)]);
    if (this.#leapsLeft > 0 && this.#timeline.next !== undefined && this.#isTimeWatched) {
      const leap = (): void => {
        this.#leapsLeft--;
        this.#timeline.leap();
      };
      const label = `time leaps, ${this.#leapsLeft} left`;
      steps.push({ label, peer: undefined, shared: true, run: leap });
    }
    return steps;
  }

  /** Safety: no two have one lock, and fencing tokens go up. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#failures.length > 0) throw this.#failures[0];
    const holds = this.#peers.flatMap(({ lock, part: { name, shares } }) =>
      lock ? [{ name, lock, sharing: shares && sharingOf(shares) }] : [],
    );
    const two = twoHolders([...holds.filter(({ lock }) => lock.held), ...this.#foreign.holders]);
    if (two !== undefined) throw new Violation("two holders at once", two);
    for (const { lock, sharing } of holds) {
      if (this.#seen.has(lock)) continue;
      this.#seen.add(lock);
      // All who share a lock at a time have one in common.
      const holder = sharing ? `those who share it as ${lock.fencingToken}` : lock.token;
      for (const key of lock.keys) {
        const fallen = this.#fencingTokens.given(key, lock.fencingToken, holder);
        if (fallen !== undefined) throw new Violation("a fencing token that does not rise", fallen);
      }
    }
  }

  /** Progress: everyone who still waits is served in time, and nothing is left behind. */
  async finish(): Promise<void> {
    const calm = !this.#lost && this.#timeline.now === 0;
    const longest = Math.max(...this.#peers.map(({ ttl }) => ttl));
    await this.#runInOrder();
    await this.#keep();
    let idleSince = this.#timeline.now;
    let leaseEnd: number | undefined;
    for (;;) {
      const holders = this.#peers.filter(({ lock }) => lock);
      if (holders.length === 0 && !this.#anyoneWaits) break;
      for (const peer of holders) peer.release();
      await this.#runInOrder();
      const now = this.#timeline.now;
      if (holders.length > 0 || !this.#anyoneWaits) {
        idleSince = now;
        leaseEnd = undefined;
        continue;
      }
      // Nothing is on its way, nobody alive has the lock, and somebody waits for it.
      const left = this.#leaseLeft();
      if (left > 0 && now > idleSince + GIVEN_BACK) this.#checkGivenBack();
      if (left > 0) leaseEnd = now + left;
      if (calm) {
        const isForeign = this.#foreign.holders.length > 0;
        if (left > 0 && !isForeign && this.#deathsWereIdle && !this.#maySharesBeLost) {
          throw new Violation("a lock that is granted to the dead", "although it had died idle");
        }
        const slack = Math.max(
          leaseEnd === undefined ? 0 : SOON,
          ...this.#peers.map((peer) => peer.slack),
        );
        const free = left > 0 ? -1 : now - (leaseEnd ?? idleSince);
        if (free >= slack) {
          throw new Violation("a free lock with somebody in line", `nobody wakes ${this.#waiting}`);
        }
      }
      if (now > idleSince + 2 * longest + SOON) {
        throw new Violation("a waiter that is never served", this.#waiting);
      }
      this.#timeline.leap();
      await this.settle();
      await this.#runInOrder();
    }
    await this.#leaveNothing();
  }

  /** A lock that is renewed is held on, whatever was lost before. */
  async #keep(): Promise<void> {
    const keepers = this.#peers.filter(({ part: { keeps }, alive }) => keeps && alive);
    if (keepers.length === 0) return;
    const end = this.#timeline.now + 3 * TTL;
    while ((this.#timeline.next ?? Infinity) < end) {
      this.#timeline.leap();
      await this.settle();
      await this.#runInOrder();
      const lost = keepers.find(({ lock }) => lock && !lock.held);
      if (lost) throw new Violation("a lock that is not renewed", lost.part.name);
    }
  }

  /** A grant that was heard, and not wanted any more, has gone back. */
  #checkGivenBack(): void {
    if (!this.#names) return;
    const { fence } = stateOf(this.#server.memory, this.#names);
    const keeper = this.#peers.find((peer) => peer.refusedGrant(fence));
    if (keeper) throw new Violation("something left behind", `what ${keeper.part.name} gave up`);
  }

  /** Those who share the lock may be deleted without it, which then is nobody's until it ends. */
  get #maySharesBeLost(): boolean {
    return this.#peers.some(({ part }) => part.deletes === "holders");
  }

  /** Whoever died had no lock then, and no command on its way that could get it one. */
  get #deathsWereIdle(): boolean {
    return this.#peers.every(({ alive, diedIdle }) => alive || diedIdle);
  }

  /** Milliseconds until the last of the locks ends by itself; 0 when all are free. */
  #leaseLeft(): number {
    const keys = new Set(this.#peers.flatMap((peer) => peer.keys));
    return Math.max(0, ...[...keys].map((key) => Number(this.#server.memory.command("PTTL", key))));
  }

  /** Something may become of it that time goes on. */
  get #isTimeWatched(): boolean {
    return this.#anyoneWaits || this.#peers.some(({ part }) => part.keeps);
  }

  get #anyoneWaits(): boolean {
    return this.#peers.some(({ waiting }) => waiting);
  }

  get #waiting(): string {
    return this.#peers.flatMap(({ waiting, part }) => (waiting ? [part.name] : [])).join(", ");
  }

  async #leaveNothing(): Promise<void> {
    const alive = this.#peers.filter((peer) => peer.alive);
    let open = true;
    const closed = Promise.all(alive.map(({ locker }) => locker.close())).then(() => {
      open = false;
    });
    await this.#runInOrder();
    // What was lost unnoticed is waited for until its deadline.
    while (open && this.#timeline.next !== undefined) {
      this.#timeline.leap();
      await this.settle();
      await this.#runInOrder();
    }
    await closed;
    // What was lost, or is dead, ends by its ttl.
    if (this.#lost || this.#maySharesBeLost || this.#peers.some(({ alive }) => !alive)) return;
    for (const peer of this.#peers) peer.deleteForeign();
    const names = listOf(this.#server.memory.command("KEYS", "*")).map(String);
    const left = names.filter((name) => !mayStay(name));
    if (left.length > 0) throw new Violation("something left behind", left.join(", "));
  }

  /** All that is on its way arrives, and nothing else happens. */
  async #runInOrder(): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 1_000) throw new Error("no end of commands and replies");
      const next = this.#peers
        .flatMap((peer) => [...peer.steps(false, () => undefined)])
        .find(({ label }) => /arrives|subscribes/.test(label));
      if (!next) return;
      next.run();
      await this.settle();
    }
  }

  /** Subscribes as every locker does, when it first has to wait. */
  async #letSubscribe(peer: Peer): Promise<void> {
    const other = new this.#library.Locker(
      { run: async (...command) => this.#server.memory.run(...command) },
      { clock: this.#clock },
    );
    const lock = await other.obtain("elsewhere", TTL);
    const waiting = peer.locker.tryObtain("elsewhere", TTL, { wait: 0 });
    await this.#runInOrder();
    await waiting;
    await lock.release();
  }
}
