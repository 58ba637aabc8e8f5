import type { Entry, Timers } from "../time/timers.js";
import type { RedisClient } from "./client.js";

/** Milliseconds without use after which a connection is closed whose client is closed, too. */
const CLIENT_CLOSED = 1_000;

/**
 * Has a connection beside the client's own closed that was not used for some time: lockers are forgotten
 * without being closed, and clients are closed before them.
 */
export class Idle {
  readonly #client: RedisClient;
  readonly #timers: Timers;
  readonly #after: number;
  readonly #close: () => void;
  #timer: Entry | undefined;

  /** @param after - Milliseconds without use. */
  constructor(client: RedisClient, timers: Timers, after: number, close: () => void) {
    this.#client = client;
    this.#timers = timers;
    this.#after = after;
    this.#close = close;
  }

  /** Nobody uses it from now on. */
  begin(): void {
    this.end();
    const now = this.#timers.now();
    this.#timer = this.#timers.set(now + CLIENT_CLOSED, () => {
      if (this.#client.closed === true) this.#close();
      else this.#timer = this.#timers.set(now + this.#after, this.#close);
    });
  }

  /** It is used again, or was closed. */
  end(): void {
    if (this.#timer) this.#timers.clear(this.#timer);
  }
}
