import { ServerError } from "../errors.js";
import type { Entry, Timers } from "../time/timers.js";
import type { Batcher, Part } from "./batcher.js";
import type { RedisClient, Reply } from "./client.js";
import { again, type Command, type Outcome, type RunOptions } from "./command.js";
import { isRefusal } from "./refusals.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** What commands are sent by. */
interface Sender {
  readonly client: RedisClient;
  readonly timers: Timers;
  readonly batcher: Batcher;
}

const nobody = (): void => undefined;

/** One command, sent once or several times, until its deadline: what came of each time. */
export class Sending<T> implements Part {
  /** Why nobody knows what became of one that was sent; undefined while that is known of all. */
  unanswered: Error | undefined;
  readonly deadline: number;
  readonly command: Command<T>;
  readonly #options: RunOptions<T>;
  readonly #sender: Sender;
  #sentAt = 0;
  /** That of the connection which it was sent over, if that is known. */
  #epoch: unknown;
  #expiry: Entry | undefined;
  #settle: (outcome: Outcome<T> | typeof again) => void = nobody;

  constructor(command: Command<T>, options: RunOptions<T>, sender: Sender, deadline: number) {
    this.command = command;
    this.#options = options;
    this.#sender = sender;
    this.deadline = deadline;
  }

  get gather(): boolean {
    return this.#options.gather === true;
  }

  /** Sends it, and resolves to what comes of that, at the deadline at the latest. */
  send(): Promise<Outcome<T> | typeof again> {
    const { client, timers, batcher } = this.#sender;
    this.#sentAt = timers.now();
    // What has to wait for a connection is sent over none now; what becomes of it then the client tells.
    this.#epoch = client.connection === undefined ? client.epoch : undefined;
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#expiry = timers.set(this.deadline, () => this.#expired());
      batcher.run(this);
    });
  }

  answered(raw: Reply): void {
    const reply = meaningOf(this.command, raw);
    if (!this.#isInTime()) this.#options.late?.(reply === again ? undefined : reply);
    else if (reply === again) this.#settle(again);
    else if (reply === undefined) this.#unknown(new UnexpectedReplyError(raw));
    else {
      const once = !this.#isCopy() && this.unanswered === undefined;
      this.#settle({ kind: "reply", reply, sentAt: this.#sentAt, once });
    }
  }

  failed(error: Error): void {
    if (!this.#isInTime()) return;
    if (this.#isCopy()) this.unanswered ??= new Error("the connection was lost");
    if (error instanceof ServerError && isRefusal(error)) this.#settle({ kind: "refused", error });
    else this.#unknown(error);
  }

  #expired(): void {
    const { client } = this.#sender;
    const waited = Math.max(0, Math.round(this.deadline - this.#sentAt));
    const { connection } = client;
    const why = connection === undefined ? "" : `: the client is not connected (${connection})`;
    this.#unknown(new Error(`no answer in ${waited} ms${why}`));
  }

  #unknown(error: Error): void {
    this.unanswered = error;
    this.#settle({ kind: "unknown", error });
  }

  #isInTime(): boolean {
    return this.#expiry !== undefined && this.#sender.timers.clear(this.#expiry);
  }

  /**
   * Whether the client has sent it again by itself, over another connection: the first copy may have been
   * done. Before its first answer, a client may not know its connection.
   */
  #isCopy(): boolean {
    return this.#epoch !== undefined && this.#sender.client.epoch !== this.#epoch;
  }
}

/** What a reply means; undefined also for what cannot even be looked at, as no client should give it. */
function meaningOf<T>(command: Command<T>, raw: Reply): T | typeof again | undefined {
  try {
    return command.read(raw);
  } catch {
    return undefined;
  }
}
