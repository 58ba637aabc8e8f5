import type { Alarm } from "./alarm.js";
import { Bundles } from "./bundles.js";
import type { RedisClient, Reply, Script } from "./client.js";
import { ServerError } from "./errors.js";

/**
 * What came of asking Redis: a reply, and when the question it answers was sent; a refusal, after
 * which nothing was done; or no answer, after which nobody knows.
 */
export type Outcome =
  | {
      readonly kind: "reply";
      readonly reply: Reply;
      readonly sentAt: number;
      /** False if it was asked before without an answer, so that it may have been done twice. */
      readonly once: boolean;
    }
  | { readonly kind: "refused"; readonly error: ServerError; readonly once: boolean }
  | { readonly kind: "unknown"; readonly error: unknown };

/** An outcome that is no answer. */
export type Failure = Exclude<Outcome, { kind: "reply" }>;

/**
 * Answers that say "not now": the script was not run, and may be in a moment. The last three, which are
 * the client's business, are among them because a client that sends commands in batches cannot always
 * see to it.
 */
const NOT_NOW = new Set([
  "LOADING",
  "BUSY",
  "READONLY",
  "NOREPLICAS",
  "TRYAGAIN",
  "CLUSTERDOWN",
  "MASTERDOWN",
  "MISCONF",
  "NOSCRIPT",
  "MOVED",
  "ASK",
]);

export function isNotNow(error: ServerError): boolean {
  return NOT_NOW.has(error.reply);
}

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

  /**
   * Runs a script until there is a reply, a final refusal, or the time `until`; at the latest it gives
   * up after {@link timeout}. Tries again after "not now" and after no answer, so the script must
   * stand being run twice. A reply that comes after that is handed to `late`.
   */
  async run(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    until: number = Infinity,
    late?: (reply: Reply) => void,
  ): Promise<Outcome> {
    const deadline = Math.min(until, this.alarm.now() + this.timeout);
    let once = true;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LAST_PAUSE)) {
      const outcome = await this.#ask(script, keys, args, deadline, once, late);
      if (outcome.kind === "reply") return outcome;
      if (outcome.kind === "refused" && !isNotNow(outcome.error)) return outcome;
      if (outcome.kind === "unknown") once = false;
      // The last try must have time to be answered, too: a refusal says more than no answer.
      if (this.client.closed || this.alarm.now() + 2 * pause >= deadline) return outcome;
      await this.alarm.sleep(pause);
    }
  }

  #ask(
    script: Script,
    keys: readonly string[],
    args: readonly string[],
    deadline: number,
    once: boolean,
    late: ((reply: Reply) => void) | undefined,
  ): Promise<Outcome> {
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
      this.#bundles.run(script, keys, args).then((reply) => {
        if (this.alarm.clear(expiry)) resolve({ kind: "reply", reply, sentAt, once });
        else late?.(reply);
      }, fail);
    });
  }
}
