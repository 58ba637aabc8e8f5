import { type Clock, type Reply, type Script } from "@redislock/core";
import { checkOptionNames, ServerError, toReply } from "@redislock/core/adapter";
import { decoded, encoded } from "./bytes.js";
import { type CommandHost, type RawReply, runCommand } from "./commands.js";
import { Keyspace } from "./keyspace.js";
import { platformClock } from "./platform-clock.js";
import { runScript } from "./script-runner.js";

/** What a server in memory is like. */
export interface MemoryServerOptions {
  /** Where its time comes from; give the locker the same. Default: the platform's, fake timers included. */
  readonly clock?: Clock | undefined;
  /** How many replicas confirm what is written, for `minReplicas`. Default: none. */
  readonly replicas?: number | undefined;
  /** For how many milliseconds it has been up, by its own clock. Default: for years. */
  readonly uptime?: number | undefined;
  /**
   * Whose data it begins with: a replica that takes over, or the same server started anew with what it had
   * on disk. Only the data: no listener, no script, no clock that was moved.
   */
  readonly copyOf?: MemoryServer | undefined;
}

type Listeners = Map<string, Set<(text: string) => void>>;

/** Where a clock begins that has no wall clock, so that fencing tokens look as they do in Redis. */
const EPOCH = Date.UTC(2026, 0, 1);

/** What all of them say of themselves. */
const ABOUT = "redis_mode:standalone\r\nrole:master\r\n";
/** Seconds that are years. */
const YEARS = 100_000_000;
/** How many there are in this process, so that each has a name of its own. */
let servers = 0;

/**
 * As much of a Redis server as locks need, in memory. It runs the scripts themselves, and answers at
 * once: whatever a network may do to a command is the business of the client.
 *
 * @example
 * const server = new MemoryServer({ replicas: 1 });
 * const locker = createLocker(memoryClient(server), { minReplicas: 1 });
 */
export class MemoryServer {
  /** Where its time comes from. */
  readonly clock: Clock;
  readonly #data: Keyspace;
  readonly #id: string = `memory${++servers}`;
  readonly #host: CommandHost;
  readonly #listeners: Listeners = new Map();
  /** Those who listen to a replica: they hear everything, and are not counted. */
  readonly #remoteListeners: Listeners = new Map();
  #miscounts: Parameters<MemoryServer["miscount"]>[0] = {};
  /** The texts of scripts, by hash. */
  readonly #scripts = new Map<string, string>();
  /** The server's clock was moved by so many milliseconds. */
  #moved = 0;
  /** The time of a command that is under way, for scripts see no time pass. */
  #frozen: number | undefined;
  #lastMicros = 0;
  /** Messages that a command sent. */
  #outbox: (() => void)[] = [];
  #replicas: number;
  /** By its own clock; undefined if that was years ago. */
  readonly #startedAt: number | undefined;
  /** Those who wait for more replicas. */
  readonly #onReplicas = new Set<() => void>();

  /** @throws TypeError for an option that is not known */
  constructor(options: MemoryServerOptions = {}) {
    checkOptionNames("options", options, ["clock", "replicas", "uptime", "copyOf"]);
    const { clock, replicas = 0, uptime, copyOf } = options;
    this.#replicas = replicas;
    this.clock = clock ?? platformClock;
    this.#startedAt = uptime === undefined ? undefined : this.now() - uptime;
    this.#data = new Keyspace(() => this.now(), copyOf && copyOf.#data);
    this.#host = {
      data: this.#data,
      micros: () => this.#micros(),
      publish: (channel, message) => this.#publish(decoded(channel), decoded(message)),
      countListeners: (channel) => this.#count(decoded(channel), this.#miscounts.numsub),
      flushScripts: () => this.#scripts.clear(),
      info: () => `${ABOUT}run_id:${this.#id}\r\nuptime_in_seconds:${this.#uptime()}\r\n`,
      knowsScript: (sha1) => this.#scripts.has(sha1),
    };
  }

  /** The server's own clock: milliseconds since 1970, with fractions. */
  now(): number {
    return this.#frozen ?? this.#wallClock() + this.#moved;
  }

  /** How many changes were made to its data, as `rdb_changes_since_last_save` of Redis counts them. */
  get changes(): number {
    return this.#data.changes;
  }

  /** Moves the server's clock, and so the end of every ttl nearer; a negative number moves it back. */
  moveClock(ms: number): void {
    this.#moved += ms;
    this.#lastMicros = 0;
  }

  /**
   * Runs a script: the text that it knows by this hash, or else the one that is given.
   *
   * @throws ServerError
   */
  run(script: Script, keys: readonly string[], args: readonly string[]): Reply {
    const source = this.#scripts.get(script.sha1) ?? encoded(script.source);
    this.#scripts.set(script.sha1, source);
    return this.#atOnce(() => runScript(source, this.#host, keys.map(encoded), args.map(encoded)));
  }

  /**
   * Does what a command does in Redis: `command("GET", "a")`, `command("FLUSHALL")`, … for those commands
   * that locks, or tests of locks, have use for. Keys are named as in Redis, with prefix and namespace.
   *
   * @throws ServerError
   */
  command(name: string, ...args: string[]): Reply {
    return this.#atOnce(() => runCommand(this.#host, name, args.map(encoded)));
  }

  /**
   * As {@link run} of the text that it knows by this hash.
   *
   * @throws ServerError
   */
  runKnown(sha1: string, keys: readonly string[], args: readonly string[]): Reply {
    const source = this.#scripts.get(sha1);
    if (source === undefined) throw new ServerError("NOSCRIPT No matching script.");
    return this.run({ name: "", source, sha1 }, keys, args);
  }

  /** From now on so many replicas confirm what is written. */
  setReplicas(count: number): void {
    this.#replicas = count;
    for (const look of this.#onReplicas) look();
  }

  /** What `WAIT` replies: how many replicas have all that was written, once enough have or time is over. */
  wait(enough: number, timeout: number): Promise<number> {
    return new Promise((resolve) => {
      const tell = (): void => {
        this.#onReplicas.delete(look);
        timer.cancel();
        resolve(this.#replicas);
      };
      const look = (): unknown => this.#replicas >= enough && tell();
      const timer = this.clock.after(timeout, tell);
      this.#onReplicas.add(look);
      look();
    });
  }

  /** Hears a channel; returns how to stop that. */
  subscribe(channel: string, listener: (text: string) => void): () => void {
    return listen(this.#listeners, channel, listener);
  }

  /**
   * What a client gets whose subscription is to a replica, or to a master that became one: it hears what
   * is published here, some milliseconds later, but this server does not count it among its listeners.
   */
  replica({ delay = 0 }: { readonly delay?: number | undefined } = {}): Pick<
    MemoryServer,
    "subscribe"
  > {
    return {
      subscribe: (channel, listener) => {
        let listens = true;
        const hear = (text: string): unknown => listens && listener(text);
        const stop = listen(this.#remoteListeners, channel, (text) => {
          if (delay > 0) this.clock.after(delay, () => hear(text));
          else hear(text);
        });
        return () => {
          listens = false;
          stop();
        };
      },
    };
  }

  /**
   * From now on the server says so of how many hear a message (`PUBLISH`) and listen to a channel
   * (`PUBSUB NUMSUB`), whatever is true, as a proxy may; `"refused"` sends nothing, and is an error.
   */
  miscount(counts: {
    readonly publish?: 0 | 1 | "refused" | undefined;
    readonly numsub?: 0 | 1 | "refused" | undefined;
  }): void {
    this.#miscounts = counts;
  }

  /** As Redis has it: whole seconds between two moments that are cut off to whole seconds. */
  #uptime(): number {
    if (this.#startedAt === undefined) return YEARS;
    return Math.floor(this.now() / 1000) - Math.floor(this.#startedAt / 1000);
  }

  #wallClock(): number {
    return this.clock.wall?.() ?? EPOCH + this.clock.now();
  }

  /** Nobody sees half of what is done: no time passes, and messages go out when it is through. */
  #atOnce(run: () => RawReply): Reply {
    this.#frozen = this.now();
    try {
      return replyOf(run());
    } finally {
      this.#frozen = undefined;
      for (const send of this.#outbox.splice(0)) send();
    }
  }

  /** No two commands that want the time get the same answer, also where time stands still. */
  #micros(): number {
    this.#lastMicros = Math.max(Math.floor(this.now() * 1000), this.#lastMicros + 1);
    return this.#lastMicros;
  }

  #publish(channel: string, message: string): number {
    const count = this.#count(channel, this.#miscounts.publish);
    for (const listeners of [this.#listeners, this.#remoteListeners]) {
      for (const listener of listeners.get(channel) ?? []) {
        this.#outbox.push(() => listener(message));
      }
    }
    return count;
  }

  #count(channel: string, miscount: 0 | 1 | "refused" | undefined): number {
    if (miscount === "refused") throw new ServerError("NOPERM the server does not tell");
    return miscount ?? this.#listeners.get(channel)?.size ?? 0;
  }
}

function listen(all: Listeners, channel: string, listener: (text: string) => void): () => void {
  const listeners = all.get(channel) ?? new Set();
  all.set(channel, listeners);
  // The same function may be given twice.
  const entry = (text: string): void => listener(text);
  listeners.add(entry);
  return () => listeners.delete(entry);
}

function replyOf(raw: RawReply): Reply {
  if (typeof raw === "string") return decoded(raw);
  if (typeof raw !== "object") return toReply(raw);
  return "ok" in raw ? raw.ok : raw.map(replyOf);
}
