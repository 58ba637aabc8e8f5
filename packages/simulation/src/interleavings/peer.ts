/** One process of a scenario. */
import type { Clock, Lock, Locker, ObtainOptions } from "@redislock/core";

import { foreignScripts, foreignToken } from "../foreign.js";
import type { ForeignHold, ForeignLocks } from "../foreign-locks.js";
import type { Library } from "../library.js";
import { fencingTokenGranted, type SharingOptions } from "../protocol.js";
import type { SimulatedServer } from "../server.js";
import { type Mail, QueuedConnection } from "./connection.js";
import type { Step } from "./explorer.js";

export const KEY = "job";
export const TTL = 1_000;

/** What a process does. */
export interface Part {
  readonly name: string;
  /** What it stands in line for. Default: {@link KEY}. */
  readonly keys?: string | readonly string[];
  /** The ttl that it asks for. Default: {@link TTL}. */
  readonly ttl?: number;
  /** It would share the lock, like this. */
  readonly shares?: SharingOptions;
  /** It has the lock of its keys when the schedules begin. */
  readonly holds?: boolean;
  /** It is subscribed when the schedules begin. */
  readonly subscribed?: boolean;
  /** It may give up at any time. */
  readonly givesUp?: boolean;
  /** It may be killed at any time. */
  readonly dies?: boolean;
  /** It is renewed, and held on to the end; its holder may also refresh it, at any time, once. */
  readonly keeps?: boolean;
  /** Milliseconds after which a command of it counts as unanswered. Default: that of the library. */
  readonly commandTimeout?: number;
  /** It does not wait, but deletes one of the keys beside the lock, once, at any time. */
  readonly deletes?: "grant" | "fence" | "line" | "waiters" | "holders" | "shares";
  /** It does not wait, but sets the server's clock back by so much, once, while the first holder has the lock. */
  readonly setsBack?: number;
  /** It does not wait, but takes the lock away from whoever has it, once, at any time. */
  readonly forces?: boolean;
  /** It is another program, which takes the lock by a plain SET NX, once, and then may delete it. */
  readonly foreign?: boolean;
  /** Its commands may arrive in another order than they were sent in. */
  readonly overtaken?: boolean;
  /** Its client cannot subscribe. */
  readonly deaf?: boolean;
  /** Its subscription is to a replica, which hears everything and is not counted. */
  readonly replica?: boolean;
  /** A token of its own choice. Parts that have the same are one holder. */
  readonly token?: string;
}

/**
 * How long a free lock may wait for somebody to notice, where no message can tell that it is free: the
 * fourth in line asks each 200 ms.
 */
export const SOON = 200;
/** The same where it is kept for one that is dead, for Redis cannot know that it is. */
const KEPT = 2_000 + SOON;

/** What the processes of one scenario share. */
export interface Surroundings {
  readonly server: SimulatedServer;
  readonly clock: Clock;
  readonly cluster: boolean;
  readonly library: Library;
  /** Who loses a request or a reply does not notice. */
  readonly silent: boolean;
  /** What foreign programs have. */
  readonly foreign: ForeignLocks;
  /** Deletes one of the keys of the lock. */
  readonly remove: (part: NonNullable<Part["deletes"]>) => void;
}

/** A process: its connection, its locker, and its user. */
export class Peer {
  readonly part: Part;
  /** Others who have its token. */
  twins: readonly Peer[] = [];
  readonly locker: Locker;
  readonly connection: QueuedConnection;
  lock: Lock | undefined;
  waiting = false;
  /** When it died, another had the lock, and nothing of it was on its way. */
  diedIdle = false;
  /** What it has as a foreign program. */
  #foreignHold: ForeignHold | undefined;
  #acted = false;
  #gaveUp = false;
  readonly #surroundings: Surroundings;
  readonly #abort = new AbortController();
  readonly #counts = new Map<string, number>();

  constructor(part: Part, surroundings: Surroundings) {
    this.part = part;
    this.#surroundings = surroundings;
    const { server, clock, cluster, library } = surroundings;
    const { deaf, replica, commandTimeout } = part;
    const listensTo = deaf ? undefined : replica ? "replica" : "master";
    this.connection = new QueuedConnection(server, cluster, listensTo);
    this.locker = new library.Locker(this.connection, { clock, commandTimeout });
  }

  /** It is there for what happens to others. */
  get isBystander(): boolean {
    const { forces, deletes, setsBack, foreign } = this.part;
    return forces === true || deletes !== undefined || setsBack !== undefined || foreign === true;
  }

  get alive(): boolean {
    return this.connection.alive;
  }

  /**
   * What this process, its user and its connections can do next.
   *
   * @param taken - Whether the lock is still that of its first holder.
   */
  *steps(
    mayLose: boolean,
    onLoss: (cut: boolean) => void,
    taken = (): boolean => false,
  ): Generator<Step> {
    const { connection } = this;
    const { requests, replies, pushes, subscribing, cut } = connection;
    const [request, reply, push] = [requests[0], replies[0], pushes[0]];
    if (request) {
      yield this.#step("request arrives", true, () => requests.shift()?.arrive());
    }
    if (requests.length > 1 && this.part.overtaken) {
      yield this.#step("last request overtakes", true, () => requests.pop()?.arrive());
    }
    if (!this.alive) return;
    if (reply) yield this.#step("reply arrives", false, () => replies.shift()?.arrive());
    if (push) yield this.#step("push arrives", false, () => pushes.shift()?.arrive());
    if (subscribing) {
      yield this.#step("subscribes", true, () => {
        connection.subscribing = undefined;
        subscribing();
      });
    }
    // The release of one lock is that of its twins, and would end what one of them is being told.
    if (this.lock && !this.part.keeps && !this.twins.some(({ waiting }) => waiting)) {
      yield this.#step("releases", false, () => this.release());
    }
    if (this.waiting && this.part.givesUp) yield this.#step("gives up", false, () => this.giveUp());
    if (!this.#acted) yield* this.#acts(taken);
    if (this.#foreignHold) {
      yield this.#step("deletes its lock", true, () => this.deleteForeign());
    }
    if (this.part.dies) yield this.#step("dies", true, () => this.die(taken()));
    if (!mayLose) return;
    const { silent } = this.#surroundings;
    const losses: [string, boolean, (() => void) | undefined][] = [
      ["request is lost", false, request && (() => lost(requests.shift(), silent))],
      ["reply is lost", false, reply && (() => lost(replies.shift(), silent))],
      ["push is lost", true, push && (() => pushes.shift()?.lose())],
      ["subscription is cut", true, cut],
    ];
    for (const [what, shared, lose] of losses) {
      if (!lose) continue;
      // One loss may use up what another needs: they do not commute.
      const step = this.#step(what, shared, () => {
        onLoss(lose === cut);
        lose();
      });
      yield { ...step, shared: true };
    }
  }

  /** What it may do once, at any time. */
  *#acts(taken: () => boolean): Generator<Step> {
    const { forces, deletes, setsBack, keeps, foreign } = this.part;
    const { server, remove } = this.#surroundings;
    const once = (what: string, shared: boolean, run: () => void): Step =>
      this.#step(what, shared, () => {
        this.#acted = true;
        run();
      });
    if (forces) yield once("forces the release", false, () => this.force());
    if (deletes) yield once(`deletes the ${deletes}`, true, () => remove(deletes));
    // Once somebody else has it, its lease may be a dead one's, and last as much longer.
    if (setsBack !== undefined && taken()) {
      yield once("sets the clock back", true, () => server.memory.moveClock(-setsBack));
    }
    if (foreign && server.memory.command("EXISTS", KEY) === "0") {
      yield once("sets its lock", true, () => this.#setForeign());
    }
    if (keeps && this.lock) yield once("refreshes", false, () => this.refresh());
  }

  #step(what: string, shared: boolean, run: () => void): Step {
    const { name } = this.part;
    const count = this.#counts.get(what) ?? 0;
    return {
      label: `${name}: ${what} #${count}`,
      peer: name,
      // What one of two twins does makes a difference to the other.
      shared: shared || this.twins.length > 0,
      run: () => {
        this.#counts.set(what, count + 1);
        run();
      },
    };
  }

  async wait(): Promise<void> {
    this.waiting = true;
    const { signal } = this.#abort;
    try {
      this.lock = await this.obtain({ wait: Infinity, signal });
    } catch (error) {
      if (error !== signal.reason) throw error;
    } finally {
      this.waiting = false;
    }
  }

  obtain(options: Pick<ObtainOptions, "wait" | "signal" | "renew">): Promise<Lock> {
    const { token, shares } = this.part;
    // Shared locks are of one key.
    const keys = shares ? (this.keys[0] ?? KEY) : this.keys;
    return this.locker.obtain(keys, this.ttl, { ...options, token, ...shares });
  }

  get keys(): readonly string[] {
    const { keys = KEY } = this.part;
    return typeof keys === "string" ? [keys] : keys;
  }

  get ttl(): number {
    return this.part.ttl ?? TTL;
  }

  #setForeign(): void {
    const { server, clock, foreign } = this.#surroundings;
    const token = foreignToken(1);
    const since = clock.now();
    server.ask(foreignScripts.set, [KEY], [token, String(this.ttl)], () => undefined);
    const hold: ForeignHold = {
      ...{ name: this.part.name, lock: { keys: [KEY], token } },
      ...{ since, until: since + this.ttl, isVoid: () => false },
    };
    foreign.hold(hold);
    this.#foreignHold = hold;
  }

  /** Deletes what it has as a foreign program, if it has it still. */
  deleteForeign(): void {
    const { server, foreign } = this.#surroundings;
    const hold = this.#foreignHold;
    if (!hold) return;
    this.#foreignHold = undefined;
    foreign.letGo(hold);
    server.ask(foreignScripts.delete, [KEY], [hold.lock.token], () => undefined);
  }

  /** How long a free lock may wait for it, or because of it, when it is its turn. */
  get slack(): number {
    // Nobody is told what it does: who is in line finds out when it checks in.
    if (this.part.foreign) return TTL / 2 + SOON;
    if (this.alive) return this.part.deaf ? SOON : 0;
    const { deaf = false, subscribed = false, shares } = this.part;
    // Who would share a lock is called by whoever had it alone, and only then comes for it.
    const granted = subscribed && !deaf && !shares && this.keys.length === 1;
    return granted ? 0 : KEPT;
  }

  release(): void {
    this.lock?.release().catch(() => undefined); // Lost or unknown: its ttl ends it.
    this.lock = undefined;
    for (const twin of this.twins) twin.lock = undefined;
  }

  refresh(): void {
    this.lock?.refresh().catch(() => undefined); // Its reply was lost.
  }

  force(): void {
    this.locker.forceRelease(KEY).catch(() => undefined); // Its answer came too late.
  }

  /** Whether it had given up, lives, and heard that a lock with this fencing token was granted to it. */
  refusedGrant(fencingToken: number | undefined): boolean {
    if (!this.#gaveUp || !this.alive) return false;
    return this.connection.heard.some((text) => fencingTokenGranted(text) === String(fencingToken));
  }

  giveUp(): void {
    this.waiting = false;
    this.#gaveUp = true;
    this.#abort.abort(new Error("enough"));
  }

  /** @param taken - Another has the lock. */
  die(taken: boolean): void {
    this.diedIdle = taken && !this.part.holds && this.connection.requests.length === 0;
    this.waiting = false;
    this.lock = undefined;
    this.connection.die();
  }
}

/** Its sender sees that it was lost, or sees nothing at all. */
function lost(mail: Mail | undefined, silent: boolean): void {
  if (!silent) mail?.lose();
}
