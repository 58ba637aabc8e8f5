import type { Lock, Locker, ObtainOptions } from "@redislock/core";

import type { Sharing } from "../protocol.js";
import type { GuardedStore } from "./guarded-store.js";
import type { SimulatedProcess } from "./process.js";
import type { Hold } from "./beliefs.js";
import { happens, type Scene } from "./world.js";

/** How long an obtain that ends with a "no" may look for the holder's name, in milliseconds. */
const LAST_WORD = 50;
/** After so many calm milliseconds, what was given up has left no trace. */
const SOON = 500;

/** So many calm milliseconds are time enough for a command and its reply. */
const PROMPT = 40;

/** How many obtains have a token of their own choice. */
const OWN_TOKENS = 0.3;

/** How a lock is taken. */
interface Kind {
  readonly options: Pick<ObtainOptions, "mode" | "limit" | "permits">;
  /** Undefined for one who has it alone. */
  readonly sharing?: Sharing;
}

const ALONE: Kind = { options: {} };
const KINDS: readonly [Kind, ...Kind[]] = [
  ALONE,
  ALONE,
  { options: { mode: "shared" }, sharing: { permits: 1, limit: Infinity } },
  { options: { mode: "shared" }, sharing: { permits: 1, limit: Infinity } },
  { options: { limit: 3 }, sharing: { permits: 1, limit: 3 } },
  { options: { limit: 3, permits: 2 }, sharing: { permits: 2, limit: 3 } },
  { options: { limit: 2, permits: 2 }, sharing: { permits: 2, limit: 2 } },
];

/** One obtain and what is done with the lock. */
interface Plan {
  readonly name: string;
  /** Its own token; its metadata where the library makes the token, as by default. */
  readonly token: string;
  readonly ownToken: boolean;
  readonly keys: readonly string[];
  readonly ttl: number;
  /** Undefined for one who wants it alone. */
  readonly sharing?: Sharing | undefined;
  /** Another call has the same token; and whether this is the first of the two. */
  readonly twin?: "first" | "second";
  /** How much later than the round it begins. */
  readonly after?: number;
  readonly options: ObtainOptions;
  readonly abortAfter: number | undefined;
  /** Taken with others in the same moment, to be refreshed and released with them as well. */
  readonly together?: Together;
}

/** What those who took locks in one moment do in one moment. */
interface Together {
  readonly refresh: Promise<void>;
  readonly release: Promise<void>;
  /** The ttl that they refresh for; undefined if they do not. */
  readonly next: number | undefined;
}

export interface WorkerSettings {
  readonly keys: readonly [string, string];
  /** Locks are of one key each. */
  readonly oneByOne?: boolean;
  readonly commandTimeout: number;
  /** How many commands a call may wait for, one after the other, when its time is over. Default: one. */
  readonly lastCommands?: number;
  readonly ttls?: Ttls;
}

/** From which ttls to choose in the storm and in the calm, and the longest that may be asked for. */
export interface Ttls {
  readonly stormy: readonly [number, ...number[]];
  readonly calm: readonly [number, ...number[]];
  readonly longest: number;
}

const TTLS: Ttls = {
  stormy: [40, 150, 150, 600, 2_000],
  calm: [150, 600, 2_000],
  longest: Infinity,
};

/** What a process works with. */
export interface Gear {
  readonly locker: Pick<Locker, "tryObtain">;
  /** Its connections, which break and go deaf together. */
  readonly lines: readonly Line[];
}

interface Line {
  /** When what was sent last arrives. */
  readonly lastArrival: number;
  cut(): void;
  deafen(): void;
}

/** A piece of a user's program: takes locks, one after the other, and does something while it has them. */
export class Worker {
  readonly #name: string;
  readonly #process: SimulatedProcess;
  readonly #world: Scene;
  readonly #locker: Pick<Locker, "tryObtain">;
  readonly #lines: readonly Line[];
  readonly #store: GuardedStore;
  readonly #settings: WorkerSettings;

  constructor(
    name: string,
    process: SimulatedProcess,
    { locker, lines }: Gear,
    store: GuardedStore,
    settings: WorkerSettings,
  ) {
    this.#name = name;
    this.#process = process;
    this.#world = process.world;
    this.#locker = locker;
    this.#lines = lines;
    this.#store = store;
    this.#settings = settings;
  }

  /** Takes a lock, or tries to. */
  async round(): Promise<void> {
    const { chance } = this.#world;
    await this.#process.sleep(chance.between(`${this.#name} idle`, 0, 200));
    const plan = this.#plan();
    if (!chance.strikes(this.#name, 1)) return;
    if (chance.draw(`${this.#name} takes several`) < 0.1) {
      // Each with a life of its own, so that none waits for another; what they say leaves together.
      const [a, b] = this.#settings.keys;
      const names = [a, b, `${a}+`, `${b}+`];
      const plans = this.#together(plan, names);
      await Promise.all(plans.map((one) => this.#carryOut([one])));
    } else if (happens(this.#world, "sharedToken", this.#name, 0.5)) {
      // Only one of two will be released: the other, renewed, would be held for ever.
      const options = { ...plan.options, renew: false };
      const first: Plan = { ...plan, twin: "first", ownToken: true, options };
      await this.#carryOut([first, this.#planOfTwin(plan)]);
    } else {
      await this.#carryOut([plan]);
    }
  }

  #plan(): Plan {
    const { chance, stormy, library, troubles } = this.#world;
    const name = this.#name;
    const kind = troubles.has("sharing") ? chance.pick(`${name} kind`, KINDS) : ALONE;
    const { keys, oneByOne, ttls = TTLS } = this.#settings;
    const [a, b] = keys;
    const ttl = chance.pick(`${name} ttl`, stormy ? ttls.stormy : ttls.calm);
    const way = chance.pick(`${name} way`, ["once", "poll", "wait", "wait", "queue", "queue"]);
    const polls = library.jitter(library.linearBackoff(30), 0.5, () =>
      chance.draw(`${name} jitter`),
    );
    const aborts = chance.draw(`${name} aborts`) < 0.2;
    return {
      name,
      token: this.#newToken(name),
      ownToken: chance.draw(`${name} own token`) < OWN_TOKENS,
      // Only one lock can be shared at a time.
      keys: chance.pick(`${name} keys`, [
        [a],
        [a],
        [a],
        [b],
        kind.sharing || oneByOne ? [a] : [a, b],
      ]),
      ttl,
      sharing: kind.sharing,
      options: {
        ...kind.options,
        renew: chance.draw(`${name} renews`) < 0.4,
        ...(way === "poll" && { retry: polls }),
        ...(way === "wait" && { wait: chance.pick(`${name} wait`, [0, 50, 300, 2_000]) }),
        ...(way === "queue" && { wait: Infinity }),
      },
      abortAfter: aborts ? chance.between(`${name} abort`, 0, 800) : undefined,
    };
  }

  /** Locks that are taken in the same moment in the same manner. */
  #together(plan: Plan, keys: readonly string[]): Plan[] {
    const { chance } = this.#world;
    const { ttl } = plan;
    const { longest } = this.#settings.ttls ?? TTLS;
    const double = Math.min(2 * ttl, longest);
    const refresh = this.#process.sleep(chance.between(`${plan.name} together`, 50, 400));
    const release = refresh.then(() => this.#process.sleep(20));
    const next = chance.pick(`${plan.name} next`, [undefined, Math.ceil(ttl / 2), ttl, double]);
    return keys.map((key, index) => {
      const name = `${plan.name}${index}`;
      const together = { refresh, release, next };
      return { ...plan, name, keys: [key], token: this.#newToken(name), together };
    });
  }

  #newToken(name: string): string {
    return `${name}-${++this.#world.tokens}`.padEnd(16, "-");
  }

  /** Another obtain with the same token, soon after the first and soon given up: both are one holder. */
  #planOfTwin({ name, token, keys, ttl, sharing, options }: Plan): Plan {
    const { chance } = this.#world;
    const twin = `${name}'`;
    const aborts = chance.draw(`${twin} aborts`) < 0.5;
    return {
      name: twin,
      token,
      ownToken: true,
      keys,
      ttl,
      sharing,
      twin: "second",
      after: chance.between(`${twin} after`, 0, 100),
      options: { ...kindOf(options), wait: chance.pick(`${twin} wait`, [0, 30, 150, 400]) },
      abortAfter: aborts ? chance.between(`${twin} abort`, 0, 200) : undefined,
    };
  }

  /** Calls that have one token, and what is done with the lock. */
  async #carryOut(plans: readonly [Plan, ...Plan[]]): Promise<void> {
    const { watch, timeline, stormy } = this.#world;
    const obtaining = plans.map((plan) => this.#obtain(plan));
    const settled = Promise.all(obtaining);
    const having = plans.map(async (plan, i) => {
      const lock = await obtaining[i];
      if (lock) await this.#have(plan, lock, settled);
    });
    const locks = await settled;
    const [{ name, token }] = plans;
    if (!stormy && locks.every((lock) => lock === undefined)) {
      // What gives it back may be on its way, behind what was sent before.
      const arrived = Math.max(timeline.now, ...this.#lines.map((line) => line.lastArrival));
      timeline.at(arrived + SOON, () => watch.checkNothingLeft(name, token));
    }
    await Promise.all(having);
  }

  /** @param settled - When no call with its token is under way any more: its release would end that one's, too. */
  async #have(plan: Plan, lock: Lock, settled: Promise<unknown>): Promise<void> {
    const { chance, watch } = this.#world;
    const { name, sharing } = plan;
    const hold: Hold = { name, process: this.#process, lock, sharing, until: Infinity };
    const isHeld = watch.isHeld(lock.token);
    watch.hold(hold);
    // The other call, which is the same holder, will release it.
    if (isHeld) return;
    // No fencing token would tell what the one writes from what the other does.
    if (plan.twin !== "second") await this.#use(plan, hold);
    await settled;
    if (plan.together) await this.#meet(plan.name, plan.together, hold);
    // One that is renewed would be held for ever.
    const forgets = chance.draw(`${plan.name} forgets`) < 0.3 && !plan.options.renew;
    if (forgets) this.#note(plan.name, () => "forgets to release");
    else await this.#release(plan, hold);
  }

  async #obtain(plan: Plan): Promise<Lock | undefined> {
    const { name, token, ownToken, keys, ttl, after = 0, options, abortAfter } = plan;
    const { watch } = this.#world;
    if (after > 0) await this.#process.sleep(after);
    const { wait, retry } = options;
    const signal = abortAfter === undefined ? undefined : this.#signal(abortAfter);
    // A last command is still answered when the time is up, in a time of its own.
    const patience = wait ?? (retry ? (signal ? Infinity : ttl) : 0);
    const last = this.#lastCommands + LAST_WORD;
    const limit = patience + last;
    const settled = watch.call(
      this.#process,
      `obtain by ${name}`,
      Math.min(limit, (abortAfter ?? Infinity) + LAST_WORD),
      last,
    );
    this.#note(name, () => {
      const how = wait === undefined ? (retry ? ", polls" : "") : `, waits ${wait} ms`;
      const cancels = abortAfter === undefined ? "" : `, cancels after ${abortAfter.toFixed(0)} ms`;
      const kind = JSON.stringify(kindOf(options));
      return `wants ${keys.join(" and ")} ${kind} for ${ttl} ms${how}${options.renew ? ", renews" : ""}${cancels}`;
    });
    watch.asking.set(token, this.#process);
    try {
      const who = ownToken ? { token } : { metadata: token };
      const all = { ...options, ...who, ...(signal && { signal }) };
      const lock = await this.#locker.tryObtain(keys, ttl, all);
      this.#note(name, () => (lock ? `holds ${keys.join(" and ")}` : "was told no"));
      if (lock) return lock;
    } catch (error) {
      this.#note(name, () => `did not get it: ${String(error)}`);
      watch.failed(name, error);
    } finally {
      settled();
      watch.asking.delete(token);
    }
    return undefined;
  }

  #signal(after: number): AbortSignal {
    const controller = new AbortController();
    this.#process.clock.after(after, () => controller.abort(new Error("cancelled")));
    return controller.signal;
  }

  /** Goes on to the moments in which others refresh and release their locks. */
  async #meet(name: string, { refresh, release, next }: Together, { lock }: Hold): Promise<void> {
    await refresh;
    if (next !== undefined && lock.held) {
      await Promise.race([this.#refresh(name, lock, next), release]);
    }
    await release;
  }

  /** Reads, thinks and writes, or reads again if it shares the lock, as long as it has the lock, and now and then prolongs it. */
  async #use({ name, ttl, sharing, twin }: Plan, { lock }: Hold): Promise<void> {
    const { chance } = this.#world;
    const { key, fencingToken } = lock;
    const turns = chance.pick(`${name} turns`, [1, 1, 2, 3]);
    for (let turn = 0; turn < turns && lock.held; turn++) {
      const number = await this.#guarded(name, lock, () => this.#store.read(key, fencingToken));
      if (number === undefined) return;
      await this.#process.sleep(chance.between(`${name} thinks`, 0, Math.min(0.6 * ttl, 400)));
      // It could cut the lease that the other call was told of.
      const refreshes = chance.draw(`${name} refreshes`) < 0.3 && twin === undefined;
      if (refreshes) await this.#refreshSomehow(name, lock, ttl);
      if (!lock.held) return;
      const before = await this.#guarded(name, lock, () =>
        sharing
          ? this.#store.read(key, fencingToken)
          : this.#store.write(key, fencingToken, number + 1),
      );
      if (before !== undefined && before !== number) {
        this.#world.watch.report("a guarded write that is undone", `${before} by ${name}`);
      }
    }
  }

  /** Asks the store, which is some way off. */
  #guarded(name: string, lock: Lock, ask: () => number | undefined): Promise<number | undefined> {
    const { timeline, chance, watch } = this.#world;
    const slow = happens(this.#world, "delay", `${name} store`, 0.1);
    const way = chance.between(`${name} to the store`, 0.1, slow ? 1_000 : 10);
    return new Promise((resolve) => {
      timeline.at(timeline.now + way, () => {
        const number = ask();
        if (number === undefined) watch.keptOut(lock);
        timeline.at(timeline.now + 1, () => this.#process.enter(() => resolve(number)));
      });
    });
  }

  async #refreshSomehow(name: string, lock: Lock, ttl: number): Promise<void> {
    const { chance } = this.#world;
    const shorter = Math.ceil(ttl / 2);
    const longer = Math.min(3 * ttl, (this.#settings.ttls ?? TTLS).longest);
    const next = chance.pick(`${name} next ttl`, [ttl, ttl, longer, shorter]);
    await this.#refresh(name, lock, next);
    // Of a late copy of the shorter one, nothing must come any more.
    const changesItsMind = next === shorter && chance.draw(`${name} changes its mind`) < 0.7;
    if (!changesItsMind || !lock.held) return;
    await this.#refresh(name, lock, longer);
    await this.#process.sleep(chance.between(`${name} trusts that`, 0, Math.min(2 * ttl, 1_000)));
  }

  async #refresh(name: string, lock: Lock, next: number): Promise<void> {
    const { watch } = this.#world;
    const { remaining } = lock;
    this.#note(name, () => `refreshes for ${next} ms`);
    const settled = watch.call(
      this.#process,
      `refresh by ${name}`,
      2 * this.#settings.commandTimeout,
      2 * this.#settings.commandTimeout,
    );
    try {
      await lock.refresh(next);
      this.#note(name, () => "has refreshed");
    } catch (error) {
      this.#note(name, () => `has not refreshed: ${String(error)}`);
      if (Math.min(remaining, next) > PROMPT) watch.turnedAway(name, error);
    } finally {
      settled();
    }
  }

  async #release(plan: Plan, hold: Hold): Promise<void> {
    const { watch } = this.#world;
    const { remaining } = hold.lock;
    this.#note(plan.name, () => "releases");
    watch.letGo(hold);
    const settled = watch.call(
      this.#process,
      `release by ${plan.name}`,
      this.#lastCommands,
      this.#lastCommands,
    );
    try {
      await hold.lock.release();
    } catch (error) {
      this.#note(plan.name, () => `has not released: ${String(error)}`);
      if (remaining > PROMPT && plan.twin === undefined) watch.turnedAway(plan.name, error);
    } finally {
      settled();
    }
  }

  /** Milliseconds for which a call may wait for commands when its own time is over. */
  get #lastCommands(): number {
    const { commandTimeout, lastCommands = 1 } = this.#settings;
    return lastCommands * commandTimeout;
  }

  #note(name: string, line: () => string): void {
    this.#world.history.note(name, line);
  }
}

function kindOf({ mode, limit, permits }: ObtainOptions): Kind["options"] {
  return {
    ...(mode !== undefined && { mode }),
    ...(limit !== undefined && { limit }),
    ...(permits !== undefined && { permits }),
  };
}
