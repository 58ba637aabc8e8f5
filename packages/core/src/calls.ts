import type { Alarm } from "./alarm.js";
import { Bundles } from "./bundles.js";
import type { RedisClient, Reply, Script } from "./client.js";
import { ServerError } from "./errors.js";
import { isNotNow } from "./refusals.js";
import { OddReplyError } from "./replies.js";

/** A command, and what its reply means. */
export interface Command<T> {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** What a reply means; undefined for one that the script cannot give. */
  readonly read: (reply: Reply) => T | undefined;
}

/**
 * What came of asking Redis: a reply, and when the question it answers was sent; a refusal, after
 * which nothing was done; or no answer, or none that can be understood, after which nobody knows.
 */
export type Outcome<T> =
  | {
      readonly kind: "reply";
      readonly reply: T;
      readonly sentAt: number;
      /** False if it was asked before without an answer, so that it may have been done twice. */
      readonly once: boolean;
    }
  | { readonly kind: "refused"; readonly error: ServerError; readonly once: boolean }
  | { readonly kind: "unknown"; readonly error: unknown };

/** An outcome that is no answer. */
export type Failure = Exclude<Outcome<never>, { kind: "reply" }>;

/** Pauses between two tries of the same question, in milliseconds: double each time, up to the last. */
const FIRST_PAUSE = 10;
const LAST_PAUSE = 250;

/** Asks Redis through a client, with a deadline of our own: no client has one that can be relied on. */
export class Calls {
  readonly client: RedisClient;
  readonly alarm: Alarm;
  /** Milliseconds after which a question counts as unanswered. */
  readonly timeout: number;
  readonly #bundles: Bundles;

  constructor(client: RedisClient, alarm: Alarm, timeout: number) {
    this.client = client;
    this.alarm = alarm;
    this.timeout = timeout;
    this.#bundles = new Bundles(client);
  }

  /** Whether each lock must be asked about by itself. */
  get apart(): boolean {
    return this.#bundles.apart;
  }

  /** See {@link Bundles.fallsApart}. */
  fallsApart(error: ServerError): boolean {
    return this.#bundles.fallsApart(error);
  }

  /**
   * Runs a script until there is a reply, a final refusal, or the time `until`; at the latest it gives
   * up after {@link timeout}. Tries again after "not now" and after no answer, so the script must
   * stand being run twice. Not after a reply that the script cannot give: what answers then is not the
   * script, and may queue or pass on whatever it is sent. A reply that comes after that is handed to
   * `late`, as undefined if it was not understood.
   */
  async run<T>(
    command: Command<T>,
    until: number = Infinity,
    late?: (reply: T | undefined) => void,
  ): Promise<Outcome<T>> {
    const deadline = Math.min(until, this.alarm.now() + this.timeout);
    let once = true;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      const outcome = await this.#ask(command, deadline, once, late);
      if (outcome.kind === "reply") return outcome;
      if (outcome.kind === "unknown" && outcome.error instanceof OddReplyError) return outcome;
      if (outcome.kind === "refused" && !isNotNow(outcome.error)) return outcome;
      if (outcome.kind === "unknown") once = false;
      // The last try must have time to be answered, too: a refusal says more than no answer.
      if (this.client.closed || this.alarm.now() + 2 * pause >= deadline) return outcome;
      await this.alarm.sleep(pause);
    }
  }

  #ask<T>(
    { script, keys, args, read }: Command<T>,
    deadline: number,
    once: boolean,
    late: ((reply: T | undefined) => void) | undefined,
  ): Promise<Outcome<T>> {
    return new Promise((resolve) => {
      const sentAt = this.alarm.now();
      const expiry = this.alarm.set(deadline, () => {
        const waited = Math.max(0, Math.round(deadline - sentAt));
        resolve({ kind: "unknown", error: new Error(`no answer in ${waited} ms`) });
      });
      const fail = (error: unknown): void => {
        this.alarm.clear(expiry);
        if (error instanceof ServerError) resolve({ kind: "refused", error, once });
        else resolve({ kind: "unknown", error });
      };
      this.#bundles.run(script, keys, args).then((raw) => {
        const reply = read(raw);
        if (!this.alarm.clear(expiry)) late?.(reply);
        else if (reply === undefined) resolve({ kind: "unknown", error: new OddReplyError(raw) });
        else resolve({ kind: "reply", reply, sentAt, once });
      }, fail);
    });
  }
}
