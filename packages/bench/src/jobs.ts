/** What a worker process can be told to do. All times are of the shared clock. */
import { setTimeout as sleep } from "node:timers/promises";
import { all } from "./contenders.js";
import type { Held, Kind, Session } from "./session.js";
import { sharedNow } from "./shared-clock.js";
import { SocketTimes } from "./socket-times.js";

/** Whose session it is about: a contender's, with one server or with several. */
export interface Where {
  readonly contender: string;
  readonly port: number;
  readonly others?: readonly number[] | undefined;
}

export interface Lockful extends Where {
  readonly key: string;
  readonly ttl: number;
  readonly kind?: Kind | undefined;
}

export interface FreeKeys extends Where {
  /** How many loops take and release at the same time, each a key of its own. */
  readonly atOnce: number;
  /** How often all of them together do. */
  readonly times: number;
  /** Milliseconds for which each rests before it takes the next; not counted. */
  readonly pause?: number | undefined;
  /** Milliseconds after which no more are begun; then the time is what all would have taken. */
  readonly within?: number | undefined;
  readonly ttl?: number | undefined;
  /** Each lock has a name that was never used before. */
  readonly fresh?: boolean | undefined;
  readonly kind?: Kind | undefined;
}

export interface Crowd extends Lockful {
  /** How many in this process wait for it at the same time. */
  readonly size: number;
}

export interface Contention extends Lockful {
  readonly loops: number;
  /** Milliseconds for which each holds the lock. */
  readonly work: number;
  readonly until: number;
  /** When to say what was done, even if loops still wait. */
  readonly giveUp: number;
}

/** What one loop of a contention did. */
export interface Loop {
  readonly sections: Section[];
  /** When the wait began that had not come to its end when all was over, if there was one. */
  readonly pendingSince?: number;
  /** It still waits. */
  readonly stuck?: boolean;
}

/** One time that a loop had the lock. */
export interface Section {
  readonly asked: number;
  readonly granted: number;
  readonly released: number;
  readonly fence?: number | undefined;
  readonly kind?: Kind | undefined;
}

export class Jobs {
  readonly #self: number;
  readonly #sessions = new Map<string, Promise<Session>>();
  readonly #held = new Map<string, Held>();
  #names = 0;
  #sockets: SocketTimes | undefined;
  #heard = NaN;

  constructor(self: number) {
    this.#self = self;
  }

  /** Connects, so that nothing that is measured has to. */
  async open(where: Where): Promise<void> {
    await this.#session(where);
  }

  async close(where: Where): Promise<void> {
    const name = sessionName(where);
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    await (await session)?.close();
  }

  /** Takes a free lock, and says when it asked for it. */
  async take(where: Lockful): Promise<number> {
    const session = await this.#session(where);
    const asked = sharedNow();
    this.#held.set(heldName(where), await session.take(where.key, where.ttl, where.kind));
    return asked;
  }

  /** Waits for the lock, and says when it had it. */
  async waitFor(where: Lockful): Promise<number> {
    const session = await this.#session(where);
    const held = await session.waitFor(where.key, where.ttl, where.kind);
    const granted = sharedNow();
    this.#heard = this.#sockets?.read ?? NaN;
    this.#held.set(heldName(where), held);
    return granted;
  }

  /** Releases what it holds, and says when it began to. */
  async release(where: Lockful): Promise<number> {
    const held = this.#held.get(heldName(where));
    if (!held) throw new Error(`${where.contender} does not hold ${where.key}`);
    this.#sockets?.expectWrite();
    const started = sharedNow();
    await held.release();
    return started;
  }

  /** From now on it is known when this process reads and writes. */
  watch(): void {
    this.#sockets ??= new SocketTimes();
  }

  /** When the last release was written to the socket. */
  sent(): number {
    return this.#sockets?.written ?? NaN;
  }

  /** When that was read which said that the lock was granted which was last waited for. */
  heard(): number {
    return this.#heard;
  }

  /** Takes and releases locks that nobody else wants; the milliseconds that it took. */
  async freeKeys(work: FreeKeys): Promise<number> {
    const { atOnce, times, pause, within = Infinity, ttl = 10_000, fresh, kind, ...where } = work;
    const session = await this.#session(where);
    const started = sharedNow();
    let rested = 0;
    let done = 0;
    const loops = Array.from({ length: atOnce }, async (_, index) => {
      for (let time = index; time < times; time += atOnce) {
        if (done > 0 && sharedNow() - started > within) return;
        if (pause !== undefined) {
          const begun = sharedNow();
          await sleep(pause);
          rested += sharedNow() - begun;
        }
        const key = fresh ? `fresh:${this.#self}:${this.#names++}` : `free:${index}`;
        const held = await session.take(key, ttl, kind);
        await held.release();
        done++;
      }
    });
    await Promise.all(loops);
    return ((sharedNow() - started - rested / atOnce) * times) / done;
  }

  /** Many that wait for the same lock, and the milliseconds between the first and the last to have it. */
  async crowd({ size, ...where }: Crowd): Promise<number> {
    const session = await this.#session(where);
    const granted = Array.from({ length: size }, async () => {
      const held = await session.waitFor(where.key, where.ttl, where.kind);
      const time = sharedNow();
      await held.release();
      return time;
    });
    const times = await Promise.all(granted);
    return Math.max(...times) - Math.min(...times);
  }

  /** Many loops that want the same lock, over and over. */
  async contend({ loops, giveUp, ...contention }: Contention): Promise<Loop[]> {
    const session = await this.#session(contention);
    const over = sleep(giveUp - sharedNow());
    return Promise.all(Array.from({ length: loops }, () => loop(session, contention, over)));
  }

  #session(where: Where): Promise<Session> {
    const { contender, port, others } = where;
    const name = sessionName(where);
    let session = this.#sessions.get(name);
    if (!session) {
      const found = all.find((one) => one.name === contender);
      if (!found) throw new Error(`There is no contender ${contender}`);
      session = found.open({ port, others, self: this.#self });
      this.#sessions.set(name, session);
    }
    return session;
  }
}

function sessionName({ contender, port, others = [] }: Where): string {
  return [contender, port, ...others].join(" ");
}

function heldName(where: Lockful): string {
  return `${sessionName(where)} ${where.key}`;
}

type Contended = Omit<Contention, "loops" | "giveUp">;

async function loop(
  session: Session,
  { key, ttl, kind, work, until }: Contended,
  over: Promise<void>,
): Promise<Loop> {
  const sections: Section[] = [];
  for (;;) {
    const asked = sharedNow();
    if (asked >= until) return { sections };
    const waiting = session.waitFor(key, ttl, kind);
    const held = await Promise.race([waiting, over]);
    if (!held) return { sections, pendingSince: asked, stuck: true };
    const granted = sharedNow();
    if (granted < until) await sleep(work);
    const released = sharedNow();
    await held.release();
    if (granted >= until) return { sections, pendingSince: asked };
    sections.push({ asked, granted, released, fence: held.fence, kind });
  }
}
