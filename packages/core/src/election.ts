/** Leader election: whoever holds the lock leads. */
import type { Engine } from "./acquire/engine.js";
import { LockerClosedError, RedisLockError } from "./errors.js";
import type { Space } from "./keys/names.js";
import type { Lock } from "./lease/lock.js";
import { checkSignal, checkText, MAX_METADATA_BYTES } from "./options.js";
import { givenOptions } from "./own-options.js";
import { announceCommand, leaderChannel } from "./primitives/announce.js";
import { type HolderInfo, inspectCommand } from "./primitives/inspection.js";
import { Channel, ON_ITS_WAY } from "./redis/channel.js";
import { failureOf } from "./redis/failure.js";
import { redacted } from "./redis/redact.js";
import { controller, onAbort } from "./time/abort.js";

/** How this process stands for election. */
export interface LeadOptions {
  /** What followers are told of the leader, at most 4096 bytes: the metadata of its lock. Default: `""`. */
  readonly name?: string | undefined;
  /** Ends the term, or the wait for one: see {@link Locker.lead}. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How it is followed who leads. */
export interface LeaderOptions {
  /** Ends the iteration, which then throws `signal.reason`. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Who leads. */
export interface Leader {
  /** What the leader said of itself; "" if nothing. */
  readonly name: string;
  /** Rises with each term; no two leaders have the same. */
  readonly fencingToken: number;
}

/** The time for which this process leads. */
export interface Term extends Leader {
  /** The key of the election. */
  readonly key: string;
  /** Whether this process leads for certain, as `lock.held`: computed when read. */
  readonly held: boolean;
  /** Milliseconds for which it does so for certain; 0 when it does not. */
  readonly remaining: number;
  /**
   * Aborts when the term is to end: with a `LockLostError` if the lock was lost, or cannot be proved any
   * more, so that another may lead; with the reason of `options.signal`, or a `LockerClosedError` of
   * `close({ grace })`, while this process still leads.
   */
  readonly signal: AbortSignal;
}

const LEAD_OPTIONS: Readonly<Record<keyof LeadOptions, true>> = { name: true, signal: true };
const LEADER_OPTIONS: Readonly<Record<keyof LeaderOptions, true>> = { signal: true };

/** Pauses after trouble, in milliseconds: double each time, up to the last, and some of it by chance. */
const FIRST_PAUSE = 100;
const LAST_PAUSE = 10_000;
/** How often a follower looks that hears no messages: each part of the lease, but not more often than this. */
const LOOK_PART = 1 / 3;
const SHORTEST_LOOK = 100;
/** How often it looks while there is no lease to go by, in milliseconds: hearing messages, or none. */
const LOOK = { listening: 15_000, deaf: 1_000 } as const;
/** Why an iteration ends that nobody is told of any more. */
const LEFT = new Error("nobody follows any more");

type Following = AsyncGenerator<Leader | undefined, void, undefined>;

/** What takes part in an election, or watches it. */
export interface Place {
  readonly engine: Engine;
  readonly space: Space;
  readonly key: string;
}

export function checkLead(options: LeadOptions): { name: string; signal: AbortSignal | undefined } {
  const { name = "", signal } = givenOptions("options", options, LEAD_OPTIONS);
  checkText("name", name, MAX_METADATA_BYTES);
  if (signal !== undefined) checkSignal(signal);
  return { name, signal };
}

export function checkLeader(options: LeaderOptions): { signal: AbortSignal | undefined } {
  const { signal } = givenOptions("options", options, LEADER_OPTIONS);
  if (signal !== undefined) checkSignal(signal);
  return { signal };
}

/** Leads term after term, until the signal aborts, or the function comes to an end within its term. */
export async function lead<T>(
  place: Place,
  obtain: () => Promise<Lock>,
  signal: AbortSignal | undefined,
  fn: (term: Term) => T | PromiseLike<T>,
): Promise<T> {
  const { engine, key } = place;
  for (let failures = 0; ;) {
    let lock: Lock;
    try {
      lock = await obtain();
    } catch (error) {
      const isTrouble = error instanceof RedisLockError && error.code !== "CLOSED";
      if (!isTrouble) throw error;
      signal?.throwIfAborted();
      engine.emit?.({ type: "electionFailed", keys: [key], error });
      const vigil = new Vigil(place, signal);
      try {
        await vigil.sleep(pauseAfter(failures++));
      } finally {
        vigil.end();
      }
      continue;
    }
    failures = 0;
    void announce(place);
    const stop = controller();
    const forget = [lock.signal, signal].map((one) => one && relay(one, stop));
    try {
      const result = await fn(termOf(lock, stop.signal));
      if (lock.held) return result;
    } catch (error) {
      if (lock.held || !isOf(stop.signal, error)) throw error;
    } finally {
      for (const run of forget) run?.();
      // At once, one behind the other: whoever closes the locker waits for the first only.
      await Promise.all([lock[Symbol.asyncDispose](), announce(place)]);
    }
  }
}

/** Tells who leads: at once, and whenever that changed. */
export function follow(place: Place, signal: AbortSignal | undefined): Following {
  const stop = controller();
  const told = tell(place, signal, stop);
  // A generator that waits would end at the next news only.
  const leavingBy = <T, R>(end: (by: T) => R): ((by: T) => R) => {
    return (by) => {
      stop.abort(LEFT);
      return end(by);
    };
  };
  return Object.assign(told, {
    return: leavingBy(told.return.bind(told)),
    throw: leavingBy(told.throw.bind(told)),
  });
}

/** Ends with the signal, or with `stop`, for whatever reason. */
async function* tell(
  place: Place,
  signal: AbortSignal | undefined,
  stop: AbortController,
): Following {
  const { engine, space, key } = place;
  const { commands } = engine;
  const { timers } = commands;
  const vigil = new Vigil(place, stop.signal);
  if (signal) vigil.onEnd(relay(signal, stop));
  const ear = new Ear(place, () => vigil.wake());
  vigil.onEnd(() => ear.close());
  let shown: Leader | undefined;
  /** When the lease ends that is known of, as far as one is. */
  let leaseEnd = -Infinity;
  /** How much had been heard before the last look. */
  let heardBefore = 0;
  try {
    for (let looks = 0, failures = 0; ; looks++) {
      const { heard } = ear;
      const outcome = await vigil.during(commands.run(inspectCommand(key, space)));
      const now = timers.now();
      let found = now < leaseEnd ? shown : undefined;
      let next: number;
      if (outcome.kind === "reply") {
        const { holder, holders } = outcome.reply;
        failures = 0;
        found = leaderOf(holders[0]);
        const left = holder?.remaining ?? Infinity;
        leaseEnd = now + left;
        next = nextLook(left, ear.listening);
      } else {
        const error = failureOf([key], "inspect", outcome);
        engine.emit?.({ type: "electionFailed", keys: [key], error });
        next = pauseAfter(failures++);
        if (found) next = Math.min(next, leaseEnd - now);
      }
      ear.open();
      if (looks === 0 || found?.fencingToken !== shown?.fencingToken) {
        // Whoever begins to lead says so to all who listen.
        if (looks > 0 && found && heard === heardBefore) void ear.checkHearing();
        shown = found;
        yield found;
      }
      heardBefore = heard;
      await vigil.sleep(now + next - timers.now());
    }
  } catch (error) {
    if (error !== LEFT) throw error;
  } finally {
    vigil.end();
  }
}

/** Has followers look who leads. What comes of it is nobody's trouble but theirs, who look later then. */
async function announce({ engine, space, key }: Place): Promise<void> {
  const { commands, emit } = engine;
  const outcome = await commands.timers.awaited(commands.run(announceCommand(key, space)));
  if (outcome.kind === "reply") return;
  const error = failureOf([key], "announce", outcome);
  emit?.({ type: "electionFailed", keys: [key], error });
}

function termOf(lock: Lock, signal: AbortSignal): Term {
  const { key, metadata: name, fencingToken } = lock;
  return {
    ...{ key, name, fencingToken, signal },
    get held() {
      return lock.held;
    },
    get remaining() {
      return lock.remaining;
    },
  };
}

/** Whoever shares the lock with others has its fencing token in common with them, and leads nobody. */
function leaderOf(holder: HolderInfo | undefined): Leader | undefined {
  if (holder?.fencingToken === undefined || holder.mode !== "exclusive") return undefined;
  return { name: holder.metadata ?? "", fencingToken: holder.fencingToken };
}

/** Milliseconds until a follower looks again, with so many left of the lease. */
function nextLook(left: number, listening: boolean): number {
  if (left === Infinity) return listening ? LOOK.listening : LOOK.deaf;
  return listening
    ? Math.max(left, 1)
    : Math.max(left * LOOK_PART, Math.min(left, SHORTEST_LOOK), 1);
}

function pauseAfter(failures: number): number {
  return Math.min(FIRST_PAUSE * 2 ** failures, LAST_PAUSE) * (0.5 + 0.5 * Math.random());
}

/** Aborts the controller when the signal does. */
function relay(signal: AbortSignal, to: AbortController): () => void {
  const run = (): void => to.abort(signal.reason);
  if (signal.aborted) run();
  return onAbort(signal, run);
}

/** Whether an error is how a function ends that was told to by this signal. */
function isOf(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  if (error === signal.reason) return true;
  // Not by `instanceof`: errors come from other realms, too.
  return typeof error === "object" && error !== null && Reflect.get(error, "name") === "AbortError";
}

/** Somebody who waits, and is to be woken by news, and ended by the signal or by the closing of the locker. */
class Vigil {
  readonly #place: Place;
  readonly #signal: AbortSignal | undefined;
  readonly #forget: (() => void) | undefined;
  readonly #onEnd = new Set<() => void>();
  #reject: ((reason: unknown) => void) | undefined;
  #isWoken = false;
  #wake: (() => void) | undefined;

  constructor(place: Place, signal: AbortSignal | undefined) {
    this.#place = place;
    this.#signal = signal;
    this.#forget = signal && onAbort(signal, () => this.#over(signal.reason));
    place.engine.onClose.add(this.#closed);
  }

  /** Calls `run` when it has ended, however. */
  onEnd(run: () => void): void {
    this.#onEnd.add(run);
  }

  /** There is news: it sleeps no longer, or not at all the next time. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Resolves after `ms` milliseconds, or when it is woken; rejects once the client was closed. */
  async sleep(ms: number): Promise<void> {
    const { engine, key } = this.#place;
    const { commands } = engine;
    const slept = new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#isWoken) resolve();
    });
    const forget = commands.at(commands.timers.now() + ms, () => this.#wake?.());
    try {
      await this.during(slept);
    } finally {
      forget();
      this.#wake = undefined;
      this.#isWoken = false;
    }
    engine.checkOpen([key]);
  }

  /** What comes of the work; rejects as soon as it is over. Keeps the process alive meanwhile. */
  async during<T>(work: Promise<T>): Promise<T> {
    const { engine, key } = this.#place;
    this.#signal?.throwIfAborted();
    engine.checkOpen([key]);
    const done = new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
    });
    return engine.commands.timers.awaited(done);
  }

  end(): void {
    this.#forget?.();
    this.#place.engine.onClose.delete(this.#closed);
    for (const run of this.#onEnd) run();
    this.#onEnd.clear();
  }

  readonly #closed = (): void => this.#over(new LockerClosedError([this.#place.key]));

  #over(reason: unknown): void {
    this.#reject?.(reason);
    this.end();
  }
}

/** What hears that there may be another leader, as far as the client can. */
class Ear {
  /** How often there was a reason to look. */
  heard = 0;
  readonly #place: Place;
  readonly #channel: Channel;
  #closed = false;

  constructor(place: Place, hear: () => void) {
    this.#place = place;
    const { engine, space, key } = place;
    const { client, timers } = engine.commands;
    const news = (): void => {
      this.heard++;
      hear();
    };
    const failed = (error: unknown): void =>
      engine.emit?.({ type: "subscribeFailed", error: redacted(error, []) });
    this.#channel = new Channel(client, timers, () => leaderChannel(key, space), {
      message: news,
      opened: news,
      lost: (error) => {
        news();
        failed(error);
      },
      refused: failed,
    });
  }

  get listening(): boolean {
    return this.#channel.isOpen;
  }

  /** Subscribes if that was not done; when it is, there may be news. */
  open(): void {
    if (!this.#closed) this.#channel.open();
  }

  /**
   * There is another leader, of which no message told. If none comes, nor any that is sent now, none does,
   * and the subscription is replaced.
   */
  async checkHearing(): Promise<void> {
    const before = this.heard;
    // Of a subscription that has come in its place, there was news.
    const isDeaf = (): boolean => this.listening && this.heard === before;
    const { engine, space, key } = this.#place;
    const { commands } = engine;
    const { timers } = commands;
    await timers.sleep(ON_ITS_WAY);
    if (!isDeaf()) return;
    const { kind } = await commands.run(announceCommand(key, space));
    if (kind !== "reply") return; // Nobody may have been told.
    await new Promise<void>((resolve) => {
      timers.setAfterReading(timers.now() + ON_ITS_WAY, resolve);
    });
    if (isDeaf()) this.#channel.foundDeaf();
  }

  close(): void {
    this.#closed = true;
    void this.#channel.close();
  }
}
