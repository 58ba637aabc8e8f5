import { outermost } from "../time/context.js";
import type { Timers } from "../time/timers.js";
import type { ChannelListener, RedisClient, Subscription } from "./client.js";

/** Milliseconds before a subscription that failed is tried again. */
const RETRY_AFTER = 10_000;
/** How long a message may be on its way, in milliseconds. */
export const ON_ITS_WAY = 1_000;

/** Who is told what is heard on a channel, and whether anything can be. */
export interface Hearer {
  message(text: string): void;
  /** Messages come from now on, or come again: some may have been missed. */
  opened(): void;
  /** Messages do not come any more. */
  lost(error: unknown): void;
  /** The subscription could not be opened: messages do not come. */
  refused(error: unknown): void;
}

/**
 * A channel that is listened to, as far as the client can. What still comes of a subscription that was left
 * is told to nobody.
 */
export class Channel {
  readonly #client: RedisClient;
  readonly #timers: Timers;
  readonly #name: () => string;
  readonly #hearer: Hearer;
  #subscription: Promise<Subscription | undefined> | undefined;
  /** The subscription is there, whether or not its connection is lost at the moment. */
  #isThere = false;
  #isOpen = false;
  #notBefore = -Infinity;
  /** It was replaced because nothing was heard, and nothing was since. */
  #wasDeaf = false;

  /** @param name - Called when it is first needed. */
  constructor(client: RedisClient, timers: Timers, name: () => string, hearer: Hearer) {
    this.#client = client;
    this.#timers = timers;
    this.#name = name;
    this.#hearer = hearer;
  }

  /** Messages come. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Stands for the subscription, also while it is being opened; undefined where there is none. */
  get subscription(): unknown {
    return this.#subscription;
  }

  /** Subscribes if that was not done, and has not failed a moment ago. */
  open(): void {
    if (this.#subscription || !this.#client.subscribe) return;
    if (this.#timers.now() < this.#notBefore) return;
    outermost.runInAsyncScope(() => this.#open());
  }

  #open(): void {
    let isCurrent = (): boolean => true;
    const subscription = this.#subscribe({
      message: (text) => isCurrent() && this.#message(text),
      resumed: () => isCurrent() && this.#opened(),
      lost: (error) => isCurrent() && this.#lost(error),
    });
    this.#subscription = subscription;
    isCurrent = () => this.#subscription === subscription;
    this.#isThere = false;
    subscription.then(
      () => {
        if (!isCurrent()) return;
        this.#isThere = true;
        this.#opened();
      },
      (error: unknown) => {
        if (!isCurrent()) return;
        this.#isOpen = false;
        this.#subscription = undefined;
        this.#notBefore = this.#timers.now() + RETRY_AFTER;
        this.#hearer.refused(error);
      },
    );
  }

  /** Async, so that a client that throws is one that rejects. */
  async #subscribe(listener: ChannelListener): Promise<Subscription | undefined> {
    return this.#client.subscribe?.(this.#name(), listener);
  }

  #message(text: string): void {
    this.#wasDeaf = false;
    this.#hearer.message(text);
  }

  #opened(): void {
    this.#isOpen = true;
    this.#hearer.opened();
  }

  #lost(error: unknown): void {
    this.#isOpen = false;
    this.#hearer.lost(error);
  }

  /**
   * Something on the way keeps our side of a connection open that leads nowhere. It can be replaced at once;
   * if the new one leads nowhere, too, after a while, in which nobody relies on it.
   */
  foundDeaf(): void {
    void this.close();
    if (this.#wasDeaf) this.#notBefore = this.#timers.now() + RETRY_AFTER;
    this.#wasDeaf = true;
    this.#hearer.lost(new Error("messages are sent, but do not arrive"));
  }

  /** Unsubscribes. A subscription that is still being opened is closed as soon as it is there. */
  async close(): Promise<void> {
    const isThere = this.#isThere;
    // That it cannot be opened, or closed, matters to nobody any more.
    const closing = this.#subscription
      ?.then((subscription) => subscription?.close())
      .catch(() => undefined);
    this.#isOpen = false;
    this.#subscription = undefined;
    if (isThere) await closing;
  }
}
