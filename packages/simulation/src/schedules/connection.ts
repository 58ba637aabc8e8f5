import {
  type ChannelListener,
  type RedisClient,
  type Reply,
  type Script,
  type Subscription,
} from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";

import type { FrozenScripts } from "../frozen.js";
import type { Outcome, SimulatedServer } from "../server.js";
import type { SimulatedProcess } from "./process.js";
import { happens, type Scene } from "./world.js";

/** What a server may say instead of doing what it was asked. */
const REFUSALS = [
  "LOADING Redis is loading the dataset in memory",
  "TRYAGAIN Multiple keys request during rehashing of slot",
  "OOM command not allowed when used memory > 'maxmemory'",
] as const;

export interface ConnectionOptions {
  readonly server: SimulatedServer;
  /** Default: that of the process. */
  readonly name?: string;
  readonly cluster: boolean;
  /** Where it subscribes; undefined if it cannot. */
  readonly listensTo: "master" | "replica" | undefined;
  /** What it runs instead of the scripts as they are. */
  readonly frozen: FrozenScripts | undefined;
}

/** A command on its way. */
interface Flight {
  /** Once only: later replies find nobody. */
  settle: (outcome: Outcome | "connection lost") => void;
  /** Nothing of it will come back. */
  lost: boolean;
}

/** A client whose messages take their time, get lost, come twice, or overtake each other. */
export class Connection implements RedisClient {
  readonly cluster: boolean;
  readonly subscribe?: (channel: string, listener: ChannelListener) => Promise<Subscription>;
  readonly #process: SimulatedProcess;
  readonly #world: Scene;
  readonly name: string;
  readonly listensTo: "master" | "replica";
  readonly #frozen: FrozenScripts | undefined;
  readonly #flights = new Set<Flight>();
  readonly #ears = new Set<Ear>();
  #server: SimulatedServer;
  /** Nothing gets through. */
  #parted = false;
  #lastArrival = 0;
  #lastReply = 0;

  constructor(process: SimulatedProcess, options: ConnectionOptions) {
    this.#process = process;
    this.#server = options.server;
    this.name = options.name ?? process.name;
    this.#world = process.world;
    this.cluster = options.cluster;
    this.listensTo = options.listensTo ?? "master";
    this.#frozen = options.frozen;
    if (options.listensTo) {
      this.subscribe = (channel, listener) => this.#listen(channel, listener);
    }
  }

  run(script: Script, keys: readonly string[], args: readonly string[]): Promise<Reply> {
    const { chance } = this.#world;
    const { name } = this;
    const server = this.#server;
    const { life } = server;
    return new Promise((resolve, reject) => {
      const flight: Flight = {
        lost: false,
        settle: (outcome) => {
          if (!this.#flights.delete(flight)) return;
          this.#process.enter(() => {
            if (outcome === "connection lost") reject(new Error(outcome));
            else if ("error" in outcome) reject(outcome.error);
            else resolve(outcome.reply);
          });
        },
      };
      this.#flights.add(flight);
      if (this.#happens("refuse", 0.03)) {
        const error = new ServerError(chance.pick(`${name} refusal`, REFUSALS));
        this.#later("reply", () => flight.settle({ error }));
        return;
      }
      if (this.#happens("loseRequest", 0.04) || this.#parted) {
        this.#lose(flight);
        return;
      }
      const copies = this.#happens("duplicate", 0.06) ? 2 : 1;
      const loseReply = this.#happens("loseReply", 0.05);
      for (let copy = 1; copy <= copies; copy++) {
        this.#later("request", () => {
          // Nobody is there, or somebody who was started since and knows nothing of this connection.
          if (!server.up || server.life !== life) {
            this.#later("reply", () => flight.settle("connection lost"));
            return;
          }
          server.ask(this.#frozen?.get(script.name) ?? script, keys, args, (outcome) => {
            if (loseReply || this.#parted) this.#lose(flight);
            else this.#later("reply", () => flight.lost || flight.settle(outcome));
          });
        });
      }
    });
  }

  /** The connection breaks: nothing that is under way will be heard of. */
  cut(): void {
    this.#world.history.note(this.name, () => "loses its connections");
    for (const flight of this.#flights) {
      flight.lost = true;
      flight.settle("connection lost");
    }
    for (const ear of this.#ears) ear.cut();
  }

  /** From now on it leads to this server. */
  leadTo(server: SimulatedServer): void {
    this.#server = server;
    this.cut();
  }

  get server(): SimulatedServer {
    return this.#server;
  }

  /** Nothing gets through for so many milliseconds, and nobody is told. */
  part(ms: number): void {
    const { timeline, history } = this.#world;
    history.note(this.name, () => `nothing gets through for ${ms.toFixed(0)} ms`);
    this.#parted = true;
    timeline.at(timeline.now + ms, () => {
      this.#parted = false;
      this.cut();
    });
  }

  get lastArrival(): number {
    return this.#lastArrival;
  }

  /** Whether messages get through. */
  get hears(): boolean {
    return !this.#parted;
  }

  /** Nothing comes any more on the subscriptions that there are, though their connections live. */
  deafen(): void {
    for (const ear of this.#ears) ear.deafen();
  }

  /** The client hears that the connection was lost; or it never hears anything at all. */
  #lose(flight: Flight): void {
    const { name } = this;
    const { chance, timeline } = this.#world;
    flight.lost = true;
    if (chance.draw(`${name} hears of a loss`) < 0.5) return;
    const after = chance.between(`${name} loss`, 1, 400);
    timeline.at(timeline.now + after, () => flight.settle("connection lost"));
  }

  /** After the time that it takes to get there; behind what was sent before, unless that is overtaken. */
  #later(way: "request" | "reply", run: () => void): void {
    const { timeline } = this.#world;
    let at = timeline.now + this.#latency();
    if (!this.#overtakes()) {
      at = Math.max(at, way === "request" ? this.#lastArrival : this.#lastReply);
      if (way === "request") this.#lastArrival = at;
      else this.#lastReply = at;
    }
    timeline.at(at, run);
  }

  #overtakes(): boolean {
    return this.#world.stormy && this.#world.troubles.has("reorder");
  }

  #latency(): number {
    const { chance } = this.#world;
    const { name } = this;
    if (this.#happens("delay", 0.1)) {
      return chance.between(
        `${name} long way`,
        20,
        chance.pick(`${name} longest way`, [100, 1_500]),
      );
    }
    return chance.between(`${name} way`, 0.1, 5);
  }

  #happens(trouble: Parameters<typeof happens>[1], probability: number): boolean {
    return happens(this.#world, trouble, this.name, probability);
  }

  #listen(channel: string, listener: ChannelListener): Promise<Subscription> {
    return new Promise((resolve, reject) => {
      if (this.#happens("refuse", 0.1)) {
        this.#later("reply", () => {
          this.#process.enter(() => reject(new ServerError("NOPERM no permission for channels")));
        });
        return;
      }
      const ear = new Ear(this.#world, this.#process, this, channel, listener);
      this.#ears.add(ear);
      this.#later("request", () => {
        if (!this.#server.up) {
          this.#ears.delete(ear);
          this.#process.enter(() => reject(new Error("connection lost")));
          return;
        }
        ear.open();
        this.#later("reply", () => this.#process.enter(() => resolve(ear)));
      });
    });
  }
}

/** A connection that listens to a channel, and is replaced by a new one when it breaks. */
class Ear implements Subscription {
  readonly #world: Scene;
  readonly #process: SimulatedProcess;
  readonly #client: Connection;
  readonly #channel: string;
  readonly #listener: ChannelListener;
  #stop: () => void = () => undefined;
  /** Counts connections: what was sent to one is not heard on the next. */
  #connection = 0;
  #lastMessage = 0;
  #state: "broken" | "hears" | "deaf" | "closed" = "broken";

  constructor(
    world: Scene,
    process: SimulatedProcess,
    client: Connection,
    channel: string,
    listener: ChannelListener,
  ) {
    this.#world = world;
    this.#process = process;
    this.#client = client;
    this.#channel = channel;
    this.#listener = listener;
  }

  open(): void {
    const connection = ++this.#connection;
    const { timeline, chance } = this.#world;
    const { name } = this.#client;
    const { memory } = this.#client.server;
    const replicated = this.#client.listensTo === "replica";
    this.#hear("hears");
    this.#stop = (replicated ? memory.replica() : memory).subscribe(this.#channel, (text) => {
      if (this.#state === "deaf") {
        this.#world.watch.unheard(this.#process, text);
        return;
      }
      if (!this.#client.hears || happens(this.#world, "loseMessage", name, 0.1)) return;
      const slow = happens(this.#world, "delay", `${name} message`, 0.1);
      const sent = timeline.now + (replicated ? this.#replication() : 0);
      const at = sent + chance.between(`${name} message`, 0.1, slow ? 1_500 : 5);
      this.#lastMessage = Math.max(at, this.#lastMessage);
      timeline.at(this.#lastMessage, () => {
        if (connection !== this.#connection || this.#state === "deaf") return;
        // Without the proof of a grant, which is another each time.
        const [what = "", ...more] = text.split(" ");
        this.#world.history.note(name, () => `hears "${[what, ...more.slice(0, 2)].join(" ")}"`);
        this.#process.enter(() => this.#listener.message(text));
      });
    });
  }

  /** How long a message takes from the master to the replica. */
  #replication(): number {
    const { chance, stormy } = this.#world;
    const { name } = this.#client;
    const longest = stormy ? chance.pick(`${name} replica's lag`, [5, 300, 3_000]) : 5;
    return chance.between(`${name} replication`, 0.1, longest);
  }

  deafen(): void {
    if (this.#state !== "hears") return;
    this.#world.history.note(this.#client.name, () => "hears no messages any more");
    this.#hear("deaf");
  }

  #hear(state: "broken" | "hears" | "deaf" | "closed"): void {
    if (this.#state === "deaf") this.#process.deaf = false;
    if (state === "deaf") this.#process.deaf = true;
    this.#state = state;
  }

  /** The server does not notice for a while, and still counts it among those who hear. */
  cut(): void {
    if (this.#state === "closed") return;
    const { timeline, chance } = this.#world;
    const { name } = this.#client;
    this.#connection++;
    this.#hear("broken");
    const stop = this.#stop;
    timeline.at(timeline.now + chance.between(`${name} half open`, 0, 1_000), stop);
    this.#openAgain();
  }

  #openAgain(): void {
    const { timeline, chance } = this.#world;
    const back = timeline.now + chance.between(`${this.#client.name} subscribes again`, 20, 500);
    timeline.at(back, () => {
      if (!this.#process.alive || this.#state !== "broken") return;
      if (!this.#client.server.up || !this.#client.hears) {
        this.#openAgain();
        return;
      }
      this.open();
      this.#process.enter(() => this.#listener.resumed());
    });
  }

  close(): Promise<void> {
    this.#connection++;
    this.#hear("closed");
    this.#stop();
    return Promise.resolve();
  }
}
