import { ServerError } from "../errors.js";
import { hashSlot } from "../keys/hash-slot.js";
import { outermost } from "../time/context.js";
import type { Timers } from "../time/timers.js";
import {
  type Life,
  newLife,
  type RedisClient,
  type Reply,
  type Script,
  type SideConnection,
  type SideConnections,
} from "./client.js";
import type { Command, Outcome, RunOptions } from "./command.js";
import { Commands } from "./commands.js";
import { Idle } from "./idle.js";
import { isNotNow } from "./refusals.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** How many replicas must have a lock, how long they are waited for, and over which connections. */
export interface Replication {
  readonly side: SideConnections;
  readonly minReplicas: number;
  /** In milliseconds. */
  readonly replicaTimeout: number;
}

/** The word of a refusal by too few replicas, which is also that of a server with `min-replicas-to-write`. */
export const TOO_FEW = "NOREPLICAS";
/** What is told to those who were behind, for whom the connection is closed, too: they are asked for anew. */
const BEHIND = `${TOO_FEW} the connection was closed on which too few replicas had a lock`;
/** What the server says when it stops to wait: it has become a replica. */
const UNBLOCKED = "UNBLOCKED";
/** How much of the time that is left the replicas get: their number has to reach us, too. */
const SHARE = 0.8;
/** Milliseconds without use after which the connection is closed. */
const IDLE = 31_000;
/** Turns of promises in which the commands of one moment come that share what is waited for. */
const TURNS = 4;

/**
 * Runs commands which count only once so many replicas have what they wrote: on a connection of its own to
 * the master, with `WAIT` right behind them. `WAIT` counts by what its own connection wrote, so a command
 * must prove by its reply that this master has the lock, and must have written something when it does.
 *
 * `WAIT` blocks its connection. All that is sent while one is under way shares the next.
 */
export class Replicas {
  readonly #client: RedisClient;
  readonly #timers: Timers;
  readonly #replication: Replication;
  /** Milliseconds after which a command counts as unanswered. */
  readonly #timeout: number;
  readonly #commands: Commands;
  /** Of each master; of the only one by "". */
  readonly #links = new Map<string, Link>();
  #underWay = 0;
  /** When the last of those that are under way is given up. */
  #until = 0;
  readonly #idle: Idle;
  #closed = false;

  constructor({ client, timers, timeout }: Commands, replication: Replication) {
    this.#client = client;
    this.#timers = timers;
    this.#replication = replication;
    this.#timeout = timeout;
    this.#idle = new Idle(client, timers, IDLE, () => this.#hangUp());
    const confirming: RedisClient = {
      run: async (script, keys, args) => this.#linkOf(keys).run(script, keys, args),
      cluster: client.cluster === true,
      get closed() {
        return client.closed === true;
      },
    };
    // The replicas had their time.
    const isWaitedOut = (error: ServerError): boolean =>
      isNotNow(error) && (error.reply !== TOO_FEW || error.message === BEHIND);
    this.#commands = new Commands(confirming, timers, timeout, isWaitedOut);
  }

  /** As `run` of {@link Commands}; refused with `NOREPLICAS` if too few have it in time. */
  async run<T>(command: Command<T>, options: RunOptions<T> = {}): Promise<Outcome<T>> {
    this.#idle.end();
    const until = Math.min(options.until ?? Infinity, this.#timers.now() + this.#timeout);
    this.#until = Math.max(this.#until, until);
    this.#underWay++;
    try {
      return await this.#commands.run(command, { ...options, gather: true });
    } finally {
      if (--this.#underWay === 0) this.#rest();
    }
  }

  /** A lock that the client's own connection took was found over this one: both lead to the same master. */
  agree(keys: readonly string[]): void {
    this.#knownLink(keys)?.agree();
  }

  /**
   * Whether locks may be obtained over the connection: if nothing else keeps it waiting, and if it leads
   * where the client's own does, over which they are given back.
   */
  isFree(keys: readonly string[]): boolean {
    return this.#knownLink(keys)?.isFree === true;
  }

  /**
   * Runs what takes a lock, once: the next connection may lead elsewhere. Refused by too few replicas, it
   * may have been taken all the same.
   */
  async obtain<T>(command: Command<T>, options: RunOptions<T>): Promise<Outcome<T>> {
    const outcome = await this.run(command, { ...options, wanted: () => false });
    // It was sent, and may be done yet.
    const isBehind = outcome.kind === "refused" && outcome.error.message === BEHIND;
    return isBehind ? { kind: "unknown", error: outcome.error } : outcome;
  }

  /** Locks may be held on, and renewed: each time over a connection that is closed right after it. */
  close(): void {
    this.#closed = true;
    if (this.#underWay === 0) this.#rest();
  }

  #rest(): void {
    this.#until = 0;
    if (this.#closed) this.#hangUp();
    else this.#idle.begin();
  }

  #hangUp(): void {
    this.#idle.end();
    for (const link of this.#links.values()) link.end(new Error("nobody needs it any more"));
  }

  /** Undefined also where the client does not know the master. */
  #knownLink(keys: readonly string[]): Link | undefined {
    try {
      return this.#currentLink(this.#masterOf(keys));
    } catch {
      return undefined;
    }
  }

  /** Where the client has connected anew, there may be another master. While it does, nobody knows. */
  #currentLink(master: string): Link | undefined {
    const link = this.#links.get(master);
    if (link?.epoch === undefined || this.#client.connection !== undefined) return link;
    if (link.epoch === this.#client.epoch) return link;
    this.#links.delete(master);
    link.end(new Error("the client has connected anew"));
    return undefined;
  }

  /** Throws if the client does not know it. */
  #masterOf([first = ""]: readonly string[]): string {
    const { keyPrefix = "" } = this.#client;
    return this.#replication.side.masterOf?.(hashSlot(keyPrefix + first)) ?? "";
  }

  /** The connection to the master that has these keys. */
  #linkOf(keys: readonly string[]): Link {
    const master = this.#masterOf(keys);
    const known = this.#currentLink(master);
    if (known) return known;
    const link = new Link(this.#timers, this.#replication, {
      open: (life) =>
        outermost.runInAsyncScope(async () => this.#replication.side.open(life, master)),
      keyPrefix: this.#client.keyPrefix ?? "",
      epoch: this.#client.epoch,
      patience: this.#timeout / 2,
      until: () => this.#until,
    });
    this.#links.set(master, link);
    void link.ended.then(() => {
      if (this.#links.get(master) === link) this.#links.delete(master);
    });
    return link;
  }
}

interface LinkSettings {
  readonly open: (life: Life) => Promise<SideConnection>;
  readonly keyPrefix: string;
  /** That of the client when it was opened. */
  readonly epoch: unknown;
  /** Milliseconds that it may take to open, and beyond its own time to answer. */
  readonly patience: number;
  /** When nobody waits for an answer any more. */
  readonly until: () => number;
}

/**
 * One connection to a master. It ends with the first doubt whether it still leads to the master that the
 * client has, be it that too few replicas answered: the next one leads to where the master is by then.
 */
class Link {
  readonly #timers: Timers;
  readonly #replication: Replication;
  readonly #settings: LinkSettings;
  readonly #life = newLife();
  readonly #connection: Promise<SideConnection>;
  /** Scripts that were sent as text. */
  readonly #loaded = new Set<Script>();
  /** The `WAIT` that is under way, and the one that is sent when it is answered. */
  #waiting: Promise<unknown> | undefined;
  #next: Promise<number> | undefined;
  /** Whether it leads where the client's own connection does. */
  #agrees = false;
  /** Commands that were sent, and whose replicas are not counted yet. */
  #underWay = 0;
  /** It has ended because too few replicas answered. */
  #hadTooFew = false;

  constructor(timers: Timers, replication: Replication, settings: LinkSettings) {
    this.#timers = timers;
    this.#replication = replication;
    this.#settings = settings;
    const { open, patience } = settings;
    const late = timers.set(timers.now() + patience, () => {
      this.end(new Error(`no connection to ask for replicas in ${patience} ms`));
    });
    this.#connection = Promise.race([open(this.#life), this.ended.then(fail)]);
    this.#connection.then(
      () => timers.clear(late),
      (error: unknown) => {
        timers.clear(late);
        this.end(error);
      },
    );
  }

  get ended(): Promise<unknown> {
    return this.#life.ended;
  }

  get epoch(): unknown {
    return this.#settings.epoch;
  }

  get isFree(): boolean {
    return this.#agrees && this.#underWay === 0;
  }

  agree(): void {
    this.#agrees = true;
  }

  end(reason: unknown): void {
    this.#hadTooFew ||= reason instanceof ServerError && reason.reply === TOO_FEW;
    this.#life.end(reason);
  }

  /**
   * Runs a script, and resolves once enough replicas have what it wrote. As text the first time: what is
   * waited for behind a hash that the server does not know says nothing of the text that follows.
   */
  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const connection = await this.#connection;
    const names = keys.map((key) => this.#settings.keyPrefix + key);
    const operands = [String(keys.length), ...names, ...args];
    if (this.#loaded.has(script)) {
      try {
        return await this.#confirm(connection, ["EVALSHA", script.sha1, ...operands]);
      } catch (error) {
        if (!(error instanceof ServerError && error.reply === "NOSCRIPT")) throw error;
      }
    }
    this.#loaded.add(script);
    return this.#confirm(connection, ["EVAL", script.source, ...operands]);
  }

  async #confirm(connection: SideConnection, command: readonly string[]): Promise<Reply> {
    this.#underWay++;
    const sent = connection.send(command);
    const counted = (this.#next ??= this.#count(connection));
    try {
      const [reply, count] = await Promise.all([sent, counted]);
      const { minReplicas } = this.#replication;
      if (count >= minReplicas) return reply;
      throw new ServerError(`${TOO_FEW} ${count} of ${minReplicas} replicas have the lock`);
    } catch (error) {
      if (isDoubt(error)) this.end(error);
      if (this.#hadTooFew && !(error instanceof ServerError)) throw new ServerError(BEHIND);
      throw error;
    } finally {
      this.#underWay--;
    }
  }

  /** How many replicas have all that was sent before. */
  async #count(connection: SideConnection): Promise<number> {
    await this.#waiting;
    for (let turn = 0; turn < TURNS; turn++) await Promise.resolve();
    this.#next = undefined;
    const { minReplicas, replicaTimeout } = this.#replication;
    const { patience, until } = this.#settings;
    const now = this.#timers.now();
    const most = Math.min(replicaTimeout, (until() - now) * SHARE);
    const ms = Math.max(1, Math.floor(most));
    const late = this.#timers.set(now + ms + patience, () => {
      this.end(new Error("no answer while replicas were waited for"));
    });
    const sent = connection.send(["WAIT", String(minReplicas), String(ms)]);
    this.#waiting = sent.catch(() => undefined);
    try {
      const reply = await sent;
      if (typeof reply === "string" && /^\d+$/.test(reply)) return Number(reply);
      throw new UnexpectedReplyError(reply);
    } catch (error) {
      throw explained(error);
    } finally {
      this.#timers.clear(late);
    }
  }
}

/** Whether the connection may lead to another server than the master, or to none. */
function isDoubt(error: unknown): boolean {
  if (!(error instanceof ServerError)) return true;
  return isNotNow(error) && error.reply !== "NOSCRIPT";
}

/** Why nothing can be said of replicas. */
function explained(error: unknown): unknown {
  if (!(error instanceof ServerError)) return error;
  const { message, reply } = error;
  // The script was run, and who has it nobody knows. Redis does not let a replica wait for replicas.
  const isReplica = reply === UNBLOCKED || message.includes("replica instances");
  if (isReplica) return new Error(`replicas cannot be asked for: ${message}`);
  return new ServerError(`${reply} minReplicas needs the command WAIT: ${message}`);
}

function fail(reason: unknown): never {
  throw reason;
}
