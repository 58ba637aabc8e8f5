/** A master with replicas, one of which may take over. */
import type { Clock } from "@redislock/core";
import { ServerError } from "@redislock/core/adapter";
import { MemoryServer } from "@redislock/testing";

import type { ServerBug, ServerWatch } from "../server.js";
import { SimulatedServer } from "../server.js";
import type { Timeline } from "../timeline.js";
import type { Chance } from "../chance.js";
import type { History } from "./history.js";

/** What is seen of replication. */
export interface ReplicationWatch extends ServerWatch {
  /** A replica has what its master wrote; `reign` tells one time as a master from another. */
  replicated(replica: Server, reign: number, memory: MemoryServer): void;
}

/** Who waits for replicas. */
interface Waiter {
  look(): void;
  unblock(): void;
}

/** A server of the set: a master, or the replica of one. */
export class Server {
  readonly name: string;
  readonly server: SimulatedServer;
  /** Scripts that it was sent as text. */
  readonly known = new Set<string>();
  isMaster = false;
  /** Tells one time as a master from another. */
  reign = 0;
  /** As a master: how much it has written, what its replicas have confirmed of that, and who waits for it. */
  offset = 0;
  readonly confirmed = new Map<Server, number>();
  highestConfirmed = 0;
  readonly waiters = new Set<Waiter>();
  /** As a replica: whose, how much of its writes it has, and what that is; undefined until it has caught up. */
  master: Server | undefined;
  applied = 0;
  data: MemoryServer | undefined;
  /** Counts its connections to masters: what was sent on one does not arrive on the next. */
  link = 0;
  lastArrival = 0;
  /** Until then it takes nothing in. */
  hangsUntil = 0;

  constructor(name: string, server: SimulatedServer) {
    this.name = name;
    this.server = server;
  }

  /** How many replicas have what was written up to this. */
  countOf(offset: number): number {
    return [...this.confirmed.values()].filter((confirmed) => confirmed >= offset).length;
  }
}

export interface ReplicaSetOptions {
  readonly replicas: number;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly watch: ReplicationWatch;
  readonly bug: ServerBug | undefined;
  /** Milliseconds that a write takes to a replica. */
  readonly lag: (replica: Server) => number;
}

export class ReplicaSet {
  readonly servers: readonly Server[];
  /** The one that took over last. */
  current: Server;
  readonly #options: ReplicaSetOptions;
  readonly #clock: Clock;
  #reigns = 0;

  constructor(options: ReplicaSetOptions) {
    const { timeline, watch, bug = {}, replicas } = options;
    this.#options = options;
    this.#clock = timeline.clock();
    this.servers = Array.from({ length: replicas + 1 }, (_, index) => {
      const memory = this.#copyOf(undefined);
      let before = 0;
      const sees: ServerWatch = {
        before: (now) => {
          before = now.changes;
          watch.before(now);
        },
        after: (now, run) => {
          watch.after(now, run);
          if (now.changes > before) this.#wrote(one);
        },
      };
      const one: Server = new Server(
        `r${index + 1}`,
        new SimulatedServer(timeline, bug, sees, memory),
      );
      return one;
    });
    const [first, ...others] = this.servers;
    if (!first) throw new Error("there are no servers");
    this.current = first;
    this.#crown(first, this.#copyOf(undefined));
    for (const other of others) {
      this.#obey(other);
      this.follow(other, first, 0);
    }
  }

  get replicas(): readonly Server[] {
    return this.servers.filter((one) => !one.isMaster && one.server.up);
  }

  /** From now on it takes what this master writes, once it has caught up. */
  follow(replica: Server, master: Server, after: number): void {
    const link = this.cutOff(replica);
    // What it has is another's, and may lack what this one has.
    if (replica.master !== master) replica.applied = -1;
    replica.master = master;
    const { timeline } = this.#options;
    timeline.at(timeline.now + after, () => this.#catchUp(replica, link));
  }

  /** Nothing comes any more from its master, who still counts what it has confirmed before. */
  cutOff(replica: Server): number {
    replica.lastArrival = 0;
    return ++replica.link;
  }

  /** It is started anew, with nothing. */
  forget(replica: Server, after: number): void {
    const { master } = replica;
    if (!master) return;
    replica.data = undefined;
    master.confirmed.delete(replica);
    this.follow(replica, master, after);
  }

  /** It is the master from now on, with what it has. The one before knows nothing of that yet. */
  promote(replica: Server): Server {
    const before = this.current;
    this.cutOff(replica);
    this.#crown(replica, this.#copyOf(replica.data));
    this.current = replica;
    return before;
  }

  /** A master becomes a replica of the one that took over. */
  demote(master: Server, after: number): void {
    this.#obey(master);
    master.data = undefined;
    for (const waiter of master.waiters) waiter.unblock();
    if (!master.server.up) master.server.start(this.#copyOf(undefined));
    this.follow(master, this.current, after);
  }

  #crown(one: Server, memory: MemoryServer): void {
    one.isMaster = true;
    one.master = undefined;
    one.reign = ++this.#reigns;
    one.offset = one.highestConfirmed = 0;
    one.confirmed.clear();
    one.known.clear();
    one.server.refusal = undefined;
    one.server.start(memory);
  }

  #obey(one: Server): void {
    one.isMaster = false;
    one.server.refusal = new ServerError("READONLY You can't write against a read only replica.");
  }

  #copyOf(memory: MemoryServer | undefined): MemoryServer {
    return new MemoryServer({ clock: this.#clock, copyOf: memory });
  }

  #catchUp(replica: Server, link: number): void {
    const { master } = replica;
    const { timeline } = this.#options;
    if (replica.link !== link || !master) return;
    if (!master.isMaster || !master.server.up || replica.hangsUntil > timeline.now) {
      timeline.at(timeline.now + 50, () => this.#catchUp(replica, link));
      return;
    }
    this.#apply(replica, master, this.#copyOf(master.server.memory), master.offset);
  }

  #wrote(master: Server): void {
    const { timeline, lag } = this.#options;
    const offset = ++master.offset;
    const { reign } = master;
    const written = this.#copyOf(master.server.memory);
    for (const replica of this.servers) {
      // Who has not caught up gets it then.
      if (replica.master !== master || !replica.data) continue;
      const { link } = replica;
      const arrival = Math.max(replica.lastArrival, timeline.now + lag(replica));
      replica.lastArrival = arrival;
      const arrive = (): void => {
        if (replica.link !== link || master.reign !== reign) return;
        if (replica.hangsUntil > timeline.now) timeline.at(replica.hangsUntil, arrive);
        else this.#apply(replica, master, written, offset);
      };
      timeline.at(arrival, arrive);
    }
  }

  #apply(replica: Server, master: Server, memory: MemoryServer, offset: number): void {
    const { timeline, watch, chance } = this.#options;
    const { reign } = master;
    const { link } = replica;
    replica.data = memory;
    replica.applied = offset;
    watch.replicated(replica, reign, memory);
    timeline.at(timeline.now + chance.between(`${replica.name} confirms`, 0.1, 2), () => {
      if (master.reign !== reign || !master.isMaster || replica.link !== link) return;
      master.confirmed.set(replica, Math.max(offset, master.confirmed.get(replica) ?? 0));
      master.highestConfirmed = Math.max(offset, master.highestConfirmed);
      for (const waiter of master.waiters) waiter.look();
    });
  }
}
