import { createToken } from "../keys/token.js";
import type { Reach } from "../primitives/primitive.js";
import { wholeNumber } from "../primitives/replies.js";
import type { ChannelListener, RedisClient, Subscription } from "../redis/client.js";

/** What a waiter hears. */
export interface Mailbox {
  /** The lock was granted to it, for the command that this proof is of. */
  granted(fencingToken: number, proof: string): void;
  /** It should ask: it may be its turn, or messages may have been missed. */
  come(): void;
}

/** Milliseconds before a subscription that failed is tried again. */
const RETRY_AFTER = 10_000;

/**
 * Where a locker's waiters are told that it is their turn: one channel for all of them, whatever they
 * wait for, subscribed to when the first of them has to wait.
 */
export class Inbox {
  /** Names the channel; nobody else can guess it. */
  readonly id: string = createToken();
  readonly #client: RedisClient;
  readonly #now: () => number;
  readonly #onFailure: (error: unknown) => void;
  readonly #mailboxes = new Map<number, Mailbox>();
  #lastNumber = 0;
  #state: "shut" | "opening" | "open" | "closed" = "shut";
  /** The server that runs the scripts said that it does not see us listen, though we hear it. */
  #unseen = false;
  #notBefore = 0;
  #subscription: Promise<Subscription | undefined> | undefined;

  constructor(client: RedisClient, now: () => number, onFailure: (error: unknown) => void) {
    this.#client = client;
    this.#now = now;
    this.#onFailure = onFailure;
  }

  /** Whom messages reach. */
  get reach(): Reach {
    if (this.#state !== "open") return "none";
    return this.#client.cluster === true || this.#unseen ? "uncounted" : "counted";
  }

  /** The id in line of a new waiter. */
  enter(mailbox: Mailbox): string {
    this.#mailboxes.set(++this.#lastNumber, mailbox);
    return `${this.id}:${this.#lastNumber}`;
  }

  leave(id: string): void {
    this.#mailboxes.delete(Number(id.slice(this.id.length + 1)));
  }

  /** Subscribes if that was not done; everyone who waits asks again once it is. */
  open(): void {
    if (this.#state !== "shut" || !this.#client.subscribe || this.#now() < this.#notBefore) return;
    this.#state = "opening";
    const listener = {
      message: (text: string): void => this.#deliver(text),
      resumed: (): void => {
        this.#unseen = false; // The new connection may lead elsewhere.
        this.#callAll();
      },
    };
    this.#subscription = this.#subscribe(listener);
    this.#subscription.then(
      () => {
        if (this.#state !== "opening") return;
        this.#state = "open";
        this.#callAll();
      },
      (error: unknown) => {
        if (this.#state !== "opening") return;
        this.#state = "shut";
        this.#notBefore = this.#now() + RETRY_AFTER;
        this.#onFailure(error);
      },
    );
  }

  /** Unsubscribes. A subscription that is still being opened is closed as soon as it is there. */
  async close(): Promise<void> {
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    const closing = this.#subscription?.then(
      (subscription) => subscription?.close(),
      () => undefined,
    );
    if (wasOpen) await closing;
  }

  /** Async, so that a client that throws is one that rejects. */
  async #subscribe(listener: ChannelListener): Promise<Subscription | undefined> {
    return this.#client.subscribe?.(`redislock:inbox:${this.id}`, listener);
  }

  #callAll(): void {
    for (const mailbox of this.#mailboxes.values()) mailbox.come();
  }

  /** A message that is not understood, such as one of a later version, is a reason to ask. */
  #deliver(text: string): void {
    const [what, number, fence, proof] = text.split(" ");
    const mailbox = this.#mailboxes.get(Number(number));
    if (what === "unseen") this.#unseen = true;
    const fencingToken = wholeNumber(fence, 1);
    if (what === "grant" && fencingToken !== undefined && proof !== undefined) {
      mailbox?.granted(fencingToken, proof);
    } else {
      mailbox?.come();
    }
  }
}
