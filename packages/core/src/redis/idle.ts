import type { Entry, Timers } from "../time/timers.js";
import type { RedisClient } from "./client.js";

/** Milliseconds without use after which a connection is closed; after the first if the client is. */
const IDLE = [1_000, 30_000] as const;

/**
 * Has a connection beside the client's own closed that was not used for some time: lockers are forgotten
 * without being closed, and clients are closed before them.
 */
export class Idle {
  readonly #client: RedisClient;
  readonly #timers: Timers;
  readonly #close: () => void;
  #timer: Entry | undefined;

  constructor(client: RedisClient, timers: Timers, close: () => void) {
    this.#client = client;
    this.#timers = timers;
    this.#close = close;
  }

  /** Nobody uses it from now on. */
  begin(): void {
    this.end();
    const now = this.#timers.now();
    this.#timer = this.#timers.set(now + IDLE[0], () => {
      if (this.#client.closed === true) this.#close();
      else this.#timer = this.#timers.set(now + IDLE[1], this.#close);
    });
  }

  /** It is used again, or was closed. */
  end(): void {
    if (this.#timer) this.#timers.clear(this.#timer);
  }
}
