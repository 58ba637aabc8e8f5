/** A client of a master with replicas, with connections beside its own on which it asks for these. */
import type { Life, Reply, Script, SideConnection, SideConnections } from "@redislock/core/adapter";
import { scripts, ServerError } from "@redislock/core/adapter";

import { Connection, type ConnectionOptions } from "./connection.js";
import type { SimulatedProcess } from "./process.js";
import type { ReplicaSet, Server } from "./replica-set.js";
import { happens, type Scene } from "./world.js";

/** Those that may be sent there, by text and by hash. */
const SCRIPTS = new Map<string, Script>(
  Object.values(scripts).flatMap((script) => [
    [script.source, script],
    [script.sha1, script],
  ]),
);

export class ReplicatedConnection extends Connection {
  readonly side: SideConnections;
  readonly #process: SimulatedProcess;
  readonly #set: ReplicaSet;
  readonly #lives = new Set<Life>();

  constructor(process: SimulatedProcess, set: ReplicaSet, options: ConnectionOptions) {
    super(process, options);
    this.#process = process;
    this.#set = set;
    this.side = { open: (life) => this.#open(life) };
  }

  override cut(): void {
    super.cut();
    for (const { end } of this.#lives) end(new Error("connection lost"));
  }

  #open(life: Life): Promise<SideConnection> {
    const { world } = this.#process;
    const { chance, timeline } = world;
    // Whoever names the master names the new one, or does not know of it yet.
    const knows = chance.draw(`${this.name} knows the master`) < 0.5;
    const own = this.#set.servers.find(({ server }) => server === this.server);
    const target = knows || !own ? this.#set.current : own;
    this.#lives.add(life);
    void life.ended.then(() => this.#lives.delete(life));
    return new Promise((resolve, reject) => {
      timeline.at(timeline.now + this.#latency(world), () => {
        this.#process.enter(() => {
          if (!target.server.up || !this.hears) reject(new Error("connection refused"));
          else resolve(new SideLine(this.#process, target, life, () => this.#latency(world)));
        });
      });
    });
  }

  #latency(world: Scene): number {
    const slow = happens(world, "delay", `${this.name} side`, 0.05);
    return world.chance.between(`${this.name} side`, 0.1, slow ? 600 : 5);
  }
}

/** Like a server, it begins with the next command when the one before is answered. */
class SideLine implements SideConnection {
  readonly #process: SimulatedProcess;
  readonly #target: Server;
  readonly #latency: () => number;
  readonly #unanswered = new Set<(error: Error) => void>();
  readonly #serverLife: number;
  #open = true;
  #lastArrival = 0;
  #lastReply = 0;
  /** What came while a `WAIT` is under way; undefined while none is. */
  #behind: (() => void)[] | undefined;
  /** What it wrote last, as the master counts that. */
  #wrote = 0;

  constructor(process: SimulatedProcess, target: Server, life: Life, latency: () => number) {
    this.#process = process;
    this.#target = target;
    this.#latency = latency;
    this.#serverLife = target.server.life;
    void life.ended.then(() => {
      this.#open = false;
      for (const reject of this.#unanswered) reject(new Error("connection lost"));
    });
  }

  send(command: readonly string[]): Promise<Reply> {
    const { timeline } = this.#process.world;
    return new Promise((resolve, reject) => {
      if (!this.#open) throw new Error("connection lost");
      this.#unanswered.add(reject);
      const answer = (reply: Reply | ServerError): void => {
        const at = Math.max(this.#lastReply, timeline.now + this.#latency());
        this.#lastReply = at;
        timeline.at(at, () => {
          if (!this.#open) return;
          this.#process.enter(() => {
            this.#unanswered.delete(reject);
            if (reply instanceof ServerError) reject(reply);
            else resolve(reply);
          });
        });
      };
      const at = Math.max(this.#lastArrival, timeline.now + this.#latency());
      this.#lastArrival = at;
      timeline.at(at, () => this.#arrive(() => this.#run(command, answer)));
    });
  }

  #arrive(run: () => void): void {
    const { server } = this.#target;
    if (!server.up || server.life !== this.#serverLife) return;
    if (this.#behind) this.#behind.push(run);
    else server.do(run);
  }

  #run(command: readonly string[], answer: (reply: Reply | ServerError) => void): void {
    const [name = "", text = "", count = "", ...rest] = command;
    const { server, known } = this.#target;
    if (name === "WAIT") {
      this.#wait(Number(text), Number(count), answer);
      return;
    }
    const script = SCRIPTS.get(text);
    if (!script || (name === "EVALSHA" && !known.has(text))) {
      answer(new ServerError("NOSCRIPT No matching script."));
      return;
    }
    known.add(script.sha1);
    const before = this.#target.offset;
    const [keys, args] = [rest.slice(0, Number(count)), rest.slice(Number(count))];
    server.ask(script, keys, args, (outcome) => {
      if (this.#target.offset > before) this.#wrote = this.#target.offset;
      answer("error" in outcome ? outcome.error : outcome.reply);
    });
  }

  /** Counts who has confirmed by then, and nobody else. */
  #wait(enough: number, ms: number, answer: (reply: Reply | ServerError) => void): void {
    const target = this.#target;
    const { timeline, history } = this.#process.world;
    if (!target.isMaster) {
      answer(new ServerError("ERR WAIT cannot be used with replica instances."));
      return;
    }
    this.#behind = [];
    const done = (reply: Reply | ServerError): void => {
      target.waiters.delete(waiter);
      stop();
      if (target.server.life !== this.#serverLife) return;
      const behind = this.#behind ?? [];
      this.#behind = undefined;
      history.note(target.name, () => `WAIT ${enough} ${ms}: ${String(reply)}`);
      answer(reply);
      for (const run of behind) this.#arrive(run);
    };
    const count = (): number => target.countOf(this.#wrote);
    const waiter = {
      look: () => count() >= enough && done(String(count())),
      unblock: () => done(new ServerError("UNBLOCKED force unblock, instance state changed")),
    };
    const stop = timeline.at(timeline.now + ms, () => done(String(count())));
    target.waiters.add(waiter);
    waiter.look();
  }
}
