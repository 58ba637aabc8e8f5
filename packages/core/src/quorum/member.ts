import { type Line, lineOf } from "../acquire/inbox.js";
import type { Teller } from "../events.js";
import type { Space } from "../keys/names.js";
import { serveCommand } from "../primitives/inspection.js";
import type { RedisClient } from "../redis/client.js";
import type { Command, Outcome, RunOptions } from "../redis/command.js";
import { Commands } from "../redis/commands.js";
import type { Clock } from "../time/clock.js";
import type { Entry, Timers } from "../time/timers.js";

/**
 * Milliseconds without a reply after which nobody waits for a server any more, until it replies again.
 * Lower: one that is slow for a moment is passed over. Higher: one that hangs is waited for longer.
 */
const SILENCE = 500;
/** How often whoever stands in line at a server asks whether it is still there, in milliseconds. */
const PULSE = 200;

/** One of the servers, as this process knows it. */
export class Member {
  /** Its place among them, from 0. */
  readonly index: number;
  readonly client: RedisClient;
  readonly space: Space;
  readonly commands: Commands;
  readonly line: Line;
  readonly #timers: Timers;
  #silent = false;
  readonly #onSilence = new Set<() => void>();
  /** How many stand in line here. */
  #waiters = 0;
  #pulse: Entry | undefined;
  /** A pulse is due, or under way. */
  #beating = false;

  constructor(
    index: number,
    client: RedisClient,
    space: Space,
    { timers, timeout, clock, emit }: MemberFacts,
  ) {
    this.index = index;
    this.client = client;
    this.space = space;
    this.commands = new Commands(client, timers, timeout);
    this.line = lineOf(client, clock, timers, emit);
    this.#timers = timers;
  }

  /** It has not answered for a while, so nobody waits for it. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Runs a command here, and notes whether it is answered. */
  async run<T>(command: Command<T>, options: RunOptions<T>): Promise<Outcome<T>> {
    const { late, until = Infinity } = options;
    const silence = this.#timers.now() + SILENCE;
    const heard = this.#timers.setAfterReading(silence, () => this.#fallSilent());
    const outcome = await this.commands.run(command, {
      ...options,
      late: (reply) => {
        this.#silent = false;
        late?.(reply);
      },
    });
    heard();
    if (outcome.kind !== "unknown") this.#silent = false;
    // Not where whoever asked could not wait any longer. After they have taken this outcome.
    else if (this.#timers.now() < until) {
      this.#timers.set(this.#timers.now(), () => this.#fallSilent());
    }
    return outcome;
  }

  /** Resolves when `asked` does; or once nobody waits for this server any more, or at `until`. */
  async whileHeard(asked: Promise<unknown>, until: number = Infinity): Promise<void> {
    if (this.#silent) return;
    let over: () => void = () => undefined;
    const isOver = new Promise<void>((resolve) => (over = resolve));
    const forget = this.onSilence(over);
    const timer = this.#timers.set(until, over);
    await Promise.race([asked, isOver]);
    this.#timers.clear(timer);
    forget();
  }

  /** Gives a free lock to the line here, however many dead are in it. */
  async serve(key: string): Promise<void> {
    for (let unserved = true; unserved;) {
      const outcome = await this.run(serveCommand(key, this.space), {});
      unserved = outcome.kind === "reply" && outcome.reply.unserved;
    }
  }

  /** Calls `run` when it falls silent; returns how to call that off. */
  onSilence(run: () => void): () => void {
    this.#onSilence.add(run);
    return () => this.#onSilence.delete(run);
  }

  /** While somebody stands in line here, it is asked whether it is there. Returns how to end that. */
  watch(probe: Command<unknown>): () => void {
    this.#waiters++;
    if (!this.#beating) this.#beat(probe);
    return () => {
      this.#waiters--;
      if (this.#waiters > 0 || !this.#pulse) return;
      if (this.#timers.clear(this.#pulse)) this.#beating = false;
    };
  }

  #beat(probe: Command<unknown>): void {
    this.#beating = this.#waiters > 0;
    if (!this.#beating) return;
    this.#pulse = this.#timers.set(this.#timers.now() + PULSE, () => {
      void this.run(probe, {}).then(() => this.#beat(probe));
    });
  }

  #fallSilent(): void {
    this.#silent = true;
    for (const run of this.#onSilence) run();
  }
}

export interface MemberFacts {
  readonly timers: Timers;
  readonly timeout: number;
  readonly clock: Clock;
  readonly emit: Teller | undefined;
}
