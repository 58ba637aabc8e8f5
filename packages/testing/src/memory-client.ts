import {
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  type Subscription,
} from "@redislock/core";
import {
  checkOptionNames,
  type Life,
  scripts,
  ServerError,
  type SideConnection,
  type SideConnections,
} from "@redislock/core/adapter";
import { MemoryServer } from "./memory-server.js";

/** What a client in memory can do. */
export interface MemoryClientOptions {
  /** What it puts before every key, as ioredis' `keyPrefix` does. Default: nothing. */
  readonly keyPrefix?: string | undefined;
  /** Whether the keys of one lock must share a hash slot, as in Redis Cluster. Default: false. */
  readonly cluster?: boolean | undefined;
  /** Whether it can hear messages; if not, waiters ask instead of being told. Default: true. */
  readonly subscribes?: boolean | undefined;
  /** Whether it can have connections beside its own, as `minReplicas` needs. Default: true. */
  readonly sides?: boolean | undefined;
}

/** What happens to the next command. */
type Fault = "loseRequest" | "loseReply" | ServerError;

/** A channel that is listened to. */
interface Ear {
  readonly hear: (text: string) => unknown;
  readonly resume: () => unknown;
}

/** Something on its way, stopped by a silence: goes on in the end, or is lost. */
interface Held {
  readonly goOn: () => void;
  readonly lose: () => void;
}

/**
 * A client of a server in memory: of a new one, or of one that it shares with others, each of which
 * then is what another process would be.
 *
 * @example
 * const server = new MemoryServer();
 * const one = createLocker(memoryClient(server));
 * const other = createLocker(memoryClient(server));
 * await one.obtain("invoice:42", 10_000);
 * await other.tryObtain("invoice:42", 10_000); // null
 */
export function memoryClient(
  server: MemoryServer = new MemoryServer(),
  options: MemoryClientOptions = {},
): MemoryClient {
  return new MemoryClient(server, options);
}

/** A Redis client without Redis, with the troubles that a test may want of one. */
export class MemoryClient implements RedisClient {
  /** The server that it is a client of. */
  readonly server: MemoryServer;
  readonly keyPrefix: string;
  readonly cluster: boolean;
  readonly subscribe?: (channel: string, listener: ChannelListener) => Promise<Subscription>;
  readonly side?: SideConnections;
  readonly #faults: Fault[] = [];
  readonly #sides = new Set<Life>();
  /** Where new connections beside its own lead. */
  #sideServer: MemoryServer;
  readonly #ears = new Set<Ear>();
  #messagesToLose = 0;
  #delay = 0;
  #silent: "requests" | "replies" | undefined;
  #held: Held[] = [];
  #closed = false;

  /** @throws TypeError for an option that is not known */
  constructor(server: MemoryServer, options: MemoryClientOptions = {}) {
    checkOptionNames("options", options, ["keyPrefix", "cluster", "subscribes", "sides"]);
    const { keyPrefix = "", cluster = false, subscribes = true, sides = true } = options;
    this.server = server;
    this.#sideServer = server;
    this.keyPrefix = keyPrefix;
    this.cluster = cluster;
    if (subscribes) this.subscribe = (channel, listener) => this.#listen(channel, listener);
    if (sides) this.side = { open: (life) => this.#openSide(life) };
  }

  get closed(): boolean {
    return this.#closed;
  }

  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    if (this.#closed) throw new Error("the client is closed");
    const fault = this.#faults.shift();
    if (this.#silent === "requests") await this.#silence();
    if (fault === "loseRequest") throw connectionLost();
    const answer = typeof fault === "object" ? refusal(fault) : this.#execute(script, keys, args);
    if (this.#delay > 0) await this.#pause();
    if (this.#silent) await this.#silence();
    if (fault === "loseReply") throw connectionLost();
    return answer();
  }

  /** The next commands never reach the server, and the client says that the connection was lost. */
  loseNextRequest(count: number = 1): void {
    this.#addFaults("loseRequest", count);
  }

  /** The server does what the next commands say, and the client says that the connection was lost. */
  loseNextReply(count: number = 1): void {
    this.#addFaults("loseReply", count);
  }

  /** The server answers the next commands with this error: `"NOPERM no permission"`, `"LOADING …"`. */
  refuseNext(answer: string, count: number = 1): void {
    this.#addFaults(new ServerError(answer), count);
  }

  /** The next messages to waiters are lost without a trace. */
  loseNextMessage(count: number = 1): void {
    this.#messagesToLose += count;
  }

  /** Nothing reaches the server any more, and nothing comes back, until {@link speak}. */
  silence(): void {
    this.#silent = "requests";
  }

  /** The server hears and does everything, but nothing comes back, until {@link speak}. */
  silenceReplies(): void {
    this.#silent = "replies";
  }

  /** Ends a silence. What was held back arrives now; or never, if it is to be lost with its connection. */
  speak(options: { lose?: boolean } = {}): void {
    this.#silent = undefined;
    for (const { goOn, lose } of this.#held.splice(0)) {
      if (options.lose) lose();
      else goOn();
    }
    if (options.lose) for (const { resume } of this.#ears) resume();
  }

  /** From now on replies and messages take so many milliseconds; 0 ends that. */
  delayReplies(ms: number): void {
    this.#delay = ms;
  }

  /**
   * The connections beside its own, on which replicas are asked for, are lost, and the next lead to this
   * server: as after a failover that the client itself has not noticed.
   */
  leadSidesTo(server: MemoryServer): void {
    this.#sideServer = server;
    for (const { end } of this.#sides) end(connectionLost());
  }

  /** How many connections it has beside its own. */
  get openSides(): number {
    return this.#sides.size;
  }

  /** Ends a lock as if its ttl had run out. The key is named as in Redis, prefix and namespace included. */
  expireNow(key: string): void {
    this.server.command("DEL", key);
  }

  /** Gives a lock to somebody else, whoever has it. The key is named as in Redis. */
  takeAway(key: string, ttl: number = 60_000): void {
    this.server.command("SET", key, "somebody else", "PX", String(ttl));
  }

  /** Closes the client for good. */
  close(): void {
    this.#closed = true;
    for (const { end } of this.#sides) end(connectionLost());
    this.speak({ lose: true });
  }

  #addFaults(fault: Fault, count: number): void {
    for (let i = 0; i < count; i++) this.#faults.push(fault);
  }

  /** Done at once; what came of it is told when the answer has made its way back. */
  #execute(script: Script, keys: readonly string[], args: readonly string[]): () => Reply {
    const names = keys.map((key) => this.keyPrefix + key);
    try {
      const reply = this.server.run(script, names, args);
      return () => reply;
    } catch (error) {
      return refusal(error);
    }
  }

  async #listen(channel: string, listener: ChannelListener): Promise<Subscription> {
    if (this.#closed) throw new Error("the client is closed");
    const ear: Ear = {
      hear: (text) => this.#ears.has(ear) && listener.message(text),
      resume: () => this.#ears.has(ear) && listener.resumed(),
    };
    this.#ears.add(ear);
    const stop = this.server.subscribe(channel, (text) => {
      if (this.#messagesToLose > 0) this.#messagesToLose--;
      // What is lost on the way is lost.
      else
        void this.#arrival().then(
          () => ear.hear(text),
          () => undefined,
        );
    });
    await this.#arrival();
    return {
      close: async () => {
        this.#ears.delete(ear);
        stop();
      },
    };
  }

  async #openSide(life: Life): Promise<SideConnection> {
    const server = this.#sideServer;
    const unanswered = new Set<(error: Error) => void>();
    /** Like a server, it begins with the next command when the one before is answered. */
    let last: Promise<unknown> = this.#arrival();
    this.#sides.add(life);
    void life.ended.then(() => {
      this.#sides.delete(life);
      for (const reject of unanswered) reject(connectionLost());
    });
    const answered = async (command: readonly string[]): Promise<Reply> => {
      const answer = Promise.all([last, this.#arrival()]).then(() => answerOf(server, command));
      last = answer;
      const reply = await answer;
      await this.#arrival();
      return reply();
    };
    await last;
    return {
      send: (command) =>
        new Promise((resolve, reject) => {
          if (!this.#sides.has(life)) throw connectionLost();
          unanswered.add(reject);
          answered(command)
            .then(resolve, reject)
            .finally(() => unanswered.delete(reject));
        }),
    };
  }

  async #arrival(): Promise<void> {
    if (this.#delay > 0) await this.#pause();
    if (this.#silent) await this.#silence();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.server.clock.after(this.#delay, resolve));
  }

  #silence(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#held.push({ goOn: resolve, lose: () => reject(connectionLost()) });
    });
  }
}

/** What a server answers to a command of {@link MemoryClient.side}. */
async function answerOf(server: MemoryServer, command: readonly string[]): Promise<() => Reply> {
  const [name = "", what = "", count = "", ...rest] = command;
  if (name === "WAIT") {
    const replicas = await server.wait(Number(what), Number(count));
    return () => String(replicas);
  }
  const [keys, args] = [rest.slice(0, Number(count)), rest.slice(Number(count))];
  try {
    const script = Object.values(scripts).find(({ source }) => source === what);
    const reply =
      name === "EVAL"
        ? server.run(script ?? { name: "", source: what, sha1: what }, keys, args)
        : server.runKnown(what, keys, args);
    return () => reply;
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): () => never {
  return () => {
    throw error;
  };
}

function connectionLost(): Error {
  return new Error("the connection was lost");
}
