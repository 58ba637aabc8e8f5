/**
 * A few processes that use the real core, and a server in memory, where nothing happens by itself: each
 * message on its way, each call of a user and each leap of time is a step that somebody else orders.
 */
import { Locker, type Clock, type Lock, type RedisClient } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";
import { MemoryServer } from "@redislock/testing";

import { companion } from "@redislock/test-kit";
import type { Model, Step } from "./waiting-explorer.js";

export const KEY = "job";
export const TTL = 1_000;

/** What a process does. */
export interface Part {
  readonly name: string;
  /** What it stands in line for. Default: {@link KEY}. */
  readonly keys?: string | readonly string[];
  /** The ttl that it asks for. Default: {@link TTL}. */
  readonly ttl?: number;
  /** It has the lock of its keys when the schedules begin. */
  readonly holds?: boolean;
  /** It is subscribed when the schedules begin. */
  readonly subscribed?: boolean;
  /** It may give up at any time. */
  readonly givesUp?: boolean;
  /** It may be killed at any time. */
  readonly dies?: boolean;
  /** It does not wait, but takes the lock away from whoever has it, once, at any time. */
  readonly forces?: boolean;
  /** Its client cannot subscribe. */
  readonly deaf?: boolean;
}

export interface Scenario {
  readonly parts: readonly Part[];
  /** All is on one node of a cluster. */
  readonly cluster?: boolean;
  /** How often time may leap to the next timer, at any point of a schedule. Default: 0. */
  readonly leaps?: number;
  /** How many requests, replies, messages or subscriptions may be lost. Default: 0. */
  readonly losses?: number;
}

/**
 * How long a free lock may wait for somebody to notice, where no message can tell that it is free: the
 * fourth in line asks each 200 ms.
 */
const SOON = 200;
/** The same where it is kept for one that is dead, for Redis cannot know that it is. */
const KEPT = 2_000 + SOON;

/** Time that leaps from timer to timer. */
class LeapingClock implements Clock {
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): { cancel: () => void } {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  get idle(): boolean {
    return this.#timers.size === 0;
  }

  leap(): void {
    const next = Math.min(...[...this.#timers].map(({ at }) => at));
    this.#now = Math.max(this.#now, next);
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

/** Something on its way; `lose` is what its sender sees instead of its arrival. */
interface Mail {
  readonly arrive: () => void;
  readonly lose: () => void;
}

const lost = (): Error => new Error("the connection was lost");

/** One process: its locker, its two connections, and its user. */
class Peer {
  readonly part: Part;
  readonly locker: Locker;
  readonly requests: Mail[] = [];
  readonly replies: Mail[] = [];
  readonly pushes: Mail[] = [];
  /** Wants to subscribe: the request is on its way. */
  subscribing: (() => void) | undefined;
  /** Cuts the subscription. */
  cut: (() => void) | undefined;
  lock: Lock | undefined;
  waiting = false;
  alive = true;
  /** When it died, another had the lock, and nothing of it was on its way. */
  diedIdle = false;
  #forced = false;
  readonly #abort = new AbortController();
  readonly #counts = new Map<string, number>();

  constructor(part: Part, server: MemoryServer, clock: Clock, cluster: boolean) {
    this.part = part;
    const client: RedisClient = {
      cluster,
      run: (script, keys, args) =>
        new Promise((resolve, reject) => {
          if (!this.alive) return;
          this.requests.push({
            arrive: () => {
              let settle: () => void;
              try {
                const reply = server.run(script, keys, args);
                settle = () => resolve(reply);
              } catch (error) {
                if (!(error instanceof ServerError)) throw error;
                settle = () => reject(error);
              }
              this.replies.push({ arrive: settle, lose: () => reject(lost()) });
            },
            lose: () => reject(lost()),
          });
        }),
    };
    if (!part.deaf) {
      client.subscribe = (channel, listener) =>
        new Promise((resolve) => {
          let closed = false;
          let stop = (): void => undefined;
          const listen = (confirmed: () => void): void => {
            this.subscribing = () => {
              stop = server.subscribe(channel, (text) => {
                this.pushes.push({ arrive: () => listener.message(text), lose: () => undefined });
              });
              this.cut = () => {
                stop();
                this.pushes.length = 0;
                this.cut = undefined;
                if (!closed) listen(() => listener.resumed());
              };
              this.pushes.push({ arrive: confirmed, lose: () => this.cut?.() });
            };
          };
          const close = async (): Promise<void> => {
            closed = true;
            this.subscribing = undefined;
            this.cut?.();
          };
          listen(() => resolve({ close }));
        });
    }
    this.locker = new Locker(client, { clock });
  }

  /**
   * What this process, its user and its connections can do next.
   *
   * @param taken - Whether the lock is still that of its first holder.
   */
  *steps(mayLose: boolean, onLoss: () => void, taken = (): boolean => false): Generator<Step> {
    const { requests, replies, pushes, subscribing, cut } = this;
    const [request, reply, push] = [requests[0], replies[0], pushes[0]];
    if (request) {
      yield this.#step("request arrives", true, () => requests.shift()?.arrive());
    }
    if (!this.alive) return;
    if (reply) yield this.#step("reply arrives", false, () => replies.shift()?.arrive());
    if (push) yield this.#step("push arrives", false, () => pushes.shift()?.arrive());
    if (subscribing) {
      yield this.#step("subscribes", true, () => {
        this.subscribing = undefined;
        subscribing();
      });
    }
    if (this.lock) yield this.#step("releases", false, () => this.release());
    if (this.waiting && this.part.givesUp) yield this.#step("gives up", false, () => this.giveUp());
    if (this.part.forces && !this.#forced) {
      yield this.#step("forces the release", false, () => this.force());
    }
    if (this.part.dies) yield this.#step("dies", true, () => this.die(taken()));
    if (!mayLose) return;
    const losses: [string, boolean, (() => void) | undefined][] = [
      ["request is lost", false, request && (() => requests.shift()?.lose())],
      ["reply is lost", false, reply && (() => replies.shift()?.lose())],
      ["push is lost", true, push && (() => pushes.shift()?.lose())],
      ["subscription is cut", true, cut],
    ];
    for (const [what, shared, lose] of losses) {
      if (!lose) continue;
      // One loss may use up what another needs: they do not commute.
      const step = this.#step(what, shared, () => {
        onLoss();
        lose();
      });
      yield { ...step, shared: true };
    }
  }

  #step(what: string, shared: boolean, run: () => void): Step {
    const { name } = this.part;
    const count = this.#counts.get(what) ?? 0;
    return {
      label: `${name}: ${what} #${count}`,
      peer: name,
      shared,
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
      this.lock = await this.locker.obtain(this.keys, this.ttl, { wait: Infinity, signal });
    } catch (error) {
      if (error !== signal.reason) throw error;
    } finally {
      this.waiting = false;
    }
  }

  get keys(): readonly string[] {
    const { keys = KEY } = this.part;
    return typeof keys === "string" ? [keys] : keys;
  }

  get ttl(): number {
    return this.part.ttl ?? TTL;
  }

  /** How long a free lock may wait for it, or because of it, when it is its turn. */
  get slack(): number {
    if (this.alive) return this.part.deaf ? SOON : 0;
    const { deaf = false, subscribed = false } = this.part;
    return subscribed && !deaf && this.keys.length === 1 ? 0 : KEPT;
  }

  release(): void {
    this.lock?.release().catch(() => undefined); // Lost or unknown: its ttl ends it.
    this.lock = undefined;
  }

  force(): void {
    this.#forced = true;
    this.locker.forceRelease(KEY).catch(() => undefined); // Its answer came too late.
  }

  giveUp(): void {
    this.waiting = false;
    this.#abort.abort(new Error("enough"));
  }

  /** @param taken - Another has the lock. */
  die(taken: boolean): void {
    this.diedIdle = taken && !this.part.holds && this.requests.length === 0;
    this.alive = false;
    this.waiting = false;
    this.lock = undefined;
    this.subscribing = undefined;
    this.cut?.();
    this.subscribing = undefined;
  }
}

export class World implements Model {
  readonly #clock = new LeapingClock();
  readonly #server = new MemoryServer({ clock: this.#clock });
  readonly #peers: readonly Peer[];
  readonly #failures: unknown[] = [];
  readonly #seen = new Set<Lock>();
  #firstToken = "";
  #leapsLeft: number;
  #lossesLeft: number;
  #lost = false;
  /** The last fencing token that was seen of each key. */
  readonly #fences = new Map<string, number>();

  private constructor({ parts, cluster = false, leaps = 0, losses = 0 }: Scenario) {
    this.#peers = parts.map((part) => new Peer(part, this.#server, this.#clock, cluster));
    this.#leapsLeft = leaps;
    this.#lossesLeft = losses;
  }

  /** To where the holder has the lock, and the others have just called obtain. */
  static async create(scenario: Scenario): Promise<World> {
    const world = new World(scenario);
    for (const peer of world.#peers) {
      if (peer.part.subscribed) await world.#letSubscribe(peer);
    }
    for (const peer of world.#peers) {
      if (!peer.part.holds) continue;
      const obtaining = peer.locker.obtain(peer.keys, peer.ttl);
      await world.#runInOrder();
      peer.lock = await obtaining;
      world.#firstToken = peer.lock.token;
    }
    for (const peer of world.#peers) {
      const { holds, forces } = peer.part;
      if (!holds && !forces) peer.wait().catch((error: unknown) => world.#failures.push(error));
    }
    await world.settle();
    return world;
  }

  steps(): readonly Step[] {
    const mayLose = this.#lossesLeft > 0;
    const onLoss = (): void => {
      this.#lossesLeft--;
      this.#lost = true;
    };
    // As Redis has it: what a process knows of it does not commute with what another does.
    const taken = (): boolean => this.#server.command("GET", KEY) === this.#firstToken;
    const steps = this.#peers.flatMap((peer) => [...peer.steps(mayLose, onLoss, taken)]);
    if (this.#leapsLeft > 0 && !this.#clock.idle && this.#anyoneWaits) {
      const leap = (): void => {
        this.#leapsLeft--;
        this.#clock.leap();
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
    const held = new Map<string, string>();
    for (const { lock, part } of this.#peers) {
      if (!lock) continue;
      if (!this.#seen.has(lock)) {
        this.#seen.add(lock);
        for (const key of lock.keys) {
          const last = this.#fences.get(key) ?? 0;
          if (lock.fencingToken <= last) throw new Error(`the fencing token of ${key} went down`);
          this.#fences.set(key, lock.fencingToken);
        }
      }
      if (!lock.held) continue;
      for (const key of lock.keys) {
        const other = held.get(key);
        if (other !== undefined) throw new Error(`${part.name} and ${other} both have ${key}`);
        held.set(key, part.name);
      }
    }
  }

  /** Progress: everyone who still waits is served in time, and nothing is left behind. */
  async finish(): Promise<void> {
    const calm = !this.#lost && this.#clock.now() === 0;
    const longest = Math.max(...this.#peers.map(({ ttl }) => ttl));
    await this.#runInOrder();
    let idleSince = this.#clock.now();
    let leaseEnd: number | undefined;
    for (;;) {
      const holders = this.#peers.filter(({ lock }) => lock);
      if (holders.length === 0 && !this.#anyoneWaits) break;
      for (const peer of holders) peer.release();
      await this.#runInOrder();
      const now = this.#clock.now();
      if (holders.length > 0 || !this.#anyoneWaits) {
        idleSince = now;
        leaseEnd = undefined;
        continue;
      }
      // Nothing is on its way, nobody alive has the lock, and somebody waits for it.
      const left = this.#leaseLeft();
      if (left > 0) leaseEnd = now + left;
      if (calm) {
        if (left > 0 && this.#deathsWereIdle) throw new Error("a dead waiter was given the lock");
        const slack = Math.max(
          leaseEnd === undefined ? 0 : SOON,
          ...this.#peers.map((peer) => peer.slack),
        );
        const free = left > 0 ? -1 : now - (leaseEnd ?? idleSince);
        if (free >= slack) throw new Error(`the lock is free, and nobody wakes ${this.#waiting}`);
      }
      if (now > idleSince + 2 * longest + SOON) throw new Error(`too long for ${this.#waiting}`);
      this.#clock.leap();
      await this.settle();
      await this.#runInOrder();
    }
    await this.#leaveNothing();
  }

  /** Whoever died had no lock then, and no question on its way that could get it one. */
  get #deathsWereIdle(): boolean {
    return this.#peers.every(({ alive, diedIdle }) => alive || diedIdle);
  }

  /** Milliseconds until the last of the locks ends by itself; 0 when all are free. */
  #leaseLeft(): number {
    const keys = new Set(this.#peers.flatMap((peer) => peer.keys));
    return Math.max(0, ...[...keys].map((key) => Number(this.#server.command("PTTL", key))));
  }

  get #anyoneWaits(): boolean {
    return this.#peers.some(({ waiting }) => waiting);
  }

  get #waiting(): string {
    return this.#peers.flatMap(({ waiting, part }) => (waiting ? [part.name] : [])).join(", ");
  }

  async #leaveNothing(): Promise<void> {
    const alive = this.#peers.filter((peer) => peer.alive);
    const closed = Promise.all(alive.map(({ locker }) => locker.close()));
    await this.#runInOrder();
    await closed;
    // What was lost, or is dead, ends by its ttl.
    if (this.#lost || this.#peers.some(({ alive }) => !alive)) return;
    const keys = new Set(this.#peers.flatMap((peer) => peer.keys));
    const names = [...keys].flatMap((key) => [key, companion(key, "line")]);
    if (this.#server.command("EXISTS", ...names) !== "0") throw new Error("something was left");
  }

  /** All that is on its way arrives, and nothing else happens. */
  async #runInOrder(): Promise<void> {
    for (let steps = 0; ; steps++) {
      if (steps > 1_000) throw new Error("no end of questions and answers");
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
    const other = new Locker(
      { run: async (...question) => this.#server.run(...question) },
      { clock: this.#clock },
    );
    const lock = await other.obtain("elsewhere", TTL);
    const waiting = peer.locker.tryObtain("elsewhere", TTL, { wait: 0 });
    await this.#runInOrder();
    await waiting;
    await lock.release();
  }
}
