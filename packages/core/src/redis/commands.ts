import type { ServerError } from "../errors.js";
import type { Entry, Timers } from "../time/timers.js";
import { Batcher } from "./batcher.js";
import type { RedisClient } from "./client.js";
import {
  again,
  type Command,
  type Failure,
  type Outcome,
  refusedLater,
  type RunOptions,
} from "./command.js";
import { isNotNow } from "./refusals.js";
import { Sending } from "./sending.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** Pauses between two tries of one command, in milliseconds: double each time, up to the last. */
const FIRST_PAUSE = 10;
const LAST_PAUSE = 250;
/** How often whoever pauses for long looks whether the client was closed, in milliseconds: no command. */
const CLIENT_LOOK = 15_000;

/** Runs commands through a client, with deadlines of our own: no client has one that can be relied on. */
export class Commands {
  readonly client: RedisClient;
  readonly timers: Timers;
  /** Milliseconds after which a command counts as unanswered. */
  readonly timeout: number;
  readonly batcher: Batcher;
  readonly #isWaitedOut: (refusal: ServerError) => boolean;

  /** @param isWaitedOut - After which refusals a command is tried again. Default: "not now". */
  constructor(
    client: RedisClient,
    timers: Timers,
    timeout: number,
    isWaitedOut: (refusal: ServerError) => boolean = isNotNow,
  ) {
    this.client = client;
    this.timers = timers;
    this.timeout = timeout;
    this.#isWaitedOut = isWaitedOut;
    this.batcher = new Batcher(client);
  }

  /** Calls `run` at that time, or soon after the client was closed; returns how to call that off. */
  at(time: number, run: () => void): () => void {
    const { client, timers } = this;
    const look = (): Entry =>
      timers.set(Math.min(time, timers.now() + CLIENT_LOOK), () => {
        if (timers.now() >= time || client.closed === true) run();
        else entry = look();
      });
    let entry = look();
    return () => void timers.clear(entry);
  }

  /**
   * Runs a command until there is a reply, a final refusal, or the time `until`; at the latest it gives
   * up after {@link timeout}. Tries again after "not now" and after no reply, so the script must stand
   * being run twice. Not after a reply that the script cannot give: what answers then is not the script,
   * and may queue or pass on whatever it is sent. A refusal counts only if no earlier copy may have been
   * done: of two, the first may have been done and its reply lost.
   */
  run<T>(command: Command<T>, options: RunOptions<T> = {}): Promise<Outcome<T>> {
    if (command.run) return command.run(options);
    const deadline = Math.min(options.until ?? Infinity, this.timers.now() + this.timeout);
    const sending = new Sending(command, options, this, deadline);
    // Nearly always the first reply is all. Not an async function: those cost twice as much.
    return sending
      .send()
      .then((first) =>
        first !== again && first.kind === "reply" ? first : this.#goOn(sending, first, options),
      );
  }

  async #goOn<T>(
    sending: Sending<T>,
    first: Outcome<T> | typeof again,
    { wanted }: RunOptions<T>,
  ): Promise<Outcome<T>> {
    const isOver = (): boolean => this.client.closed === true || wanted?.() === false;
    let pause = FIRST_PAUSE;
    for (let outcome = first; ; outcome = await sending.send()) {
      if (outcome === again) continue;
      if (outcome.kind === "reply") return outcome;
      const isFinal = this.#isFinal(outcome);
      const { unanswered } = sending;
      const result =
        outcome.kind === "refused" && unanswered !== undefined
          ? refusedLater(unanswered.message, outcome.error)
          : outcome;
      // The last try must have time to be answered, too: a refusal says more than no reply.
      if (isFinal || isOver() || this.timers.now() + 2 * pause >= sending.deadline) return result;
      await this.timers.sleep(pause);
      if (isOver()) return result;
      pause = Math.min(2 * pause, LAST_PAUSE);
    }
  }

  /** Whether to send it again would be of no use, or worse. */
  #isFinal(outcome: Failure): boolean {
    if (outcome.kind === "refused") return !this.#isWaitedOut(outcome.error);
    return outcome.error instanceof UnexpectedReplyError;
  }
}
