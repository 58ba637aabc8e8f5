import { ServerError } from "../errors.js";
import type { Entry, Timers } from "../time/timers.js";
import { Batcher } from "./batcher.js";
import type { RedisClient, Reply, Script } from "./client.js";
import { isNotNow, isRefusal } from "./refusals.js";
import { UnexpectedReplyError } from "./unexpected-reply.js";

/** A command, and what its reply means. */
export interface Command<T> {
  readonly script: Script;
  /** The same script for many commands at once, if there is one. */
  readonly many?: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** What a reply means; undefined for one that the script cannot give. */
  readonly read: (reply: Reply) => T | typeof again | undefined;
  /** In place of sending it: for what takes more than one command, or more than one server. */
  readonly run?: (options: RunOptions<T>) => Promise<Outcome<T>>;
}

/** The script has done a part of its work, which is bounded, and is to be run again at once. */
export const again: unique symbol = Symbol("again");

/**
 * What came of a command: a reply, and when the command was sent; a refusal, after which nothing was
 * done; or no reply, or none that can be understood, after which nobody knows.
 */
export type Outcome<T> =
  | Replied<T>
  | { readonly kind: "refused"; readonly error: ServerError }
  | { readonly kind: "unknown"; readonly error: Error };

/** A reply, and when the command was sent. */
export interface Replied<T> {
  readonly kind: "reply";
  readonly reply: T;
  readonly sentAt: number;
  /** False if it was sent before without a reply, so that it may have been done twice. */
  readonly once: boolean;
  /** Of one of several servers: what that calls its run. */
  readonly from?: string;
}

/** An outcome without a reply. */
export type Failure = Exclude<Outcome<never>, { kind: "reply" }>;

/** How a command is run. */
export interface RunOptions<T> {
  /** When it is given up at the latest. Default: after the timeout of all commands. */
  readonly until?: number;
  /** Takes a reply that came after it was given up; undefined if it was not understood. */
  readonly late?: (reply: T | undefined) => void;
  /** Whether it is still wanted when it would be tried again. Default: it is. */
  readonly wanted?: () => boolean;
  /** It may wait for others of the same moment, even if nothing is under way. */
  readonly gather?: boolean;
}

/** A refusal after a command that was not answered, and may have been done: nobody knows. */
export function refusedLater(unanswered: unknown, refusal: ServerError): Failure {
  const first = unanswered instanceof Error ? unanswered.message : String(unanswered);
  const error = new Error(`${first}; sent again, it was refused: ${refusal.message}`);
  return { kind: "unknown", error };
}

/** One sending of a command: when, until when it is waited for, and whether it is the first. */
interface Try {
  readonly sentAt: number;
  readonly deadline: number;
  readonly once: boolean;
}

/** What a reply means; undefined also for what cannot even be looked at, as no client should give it. */
function meaningOf<T>(command: Command<T>, raw: Reply): T | typeof again | undefined {
  try {
    return command.read(raw);
  } catch {
    return undefined;
  }
}

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
  readonly #batcher: Batcher;
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
    this.#batcher = new Batcher(client);
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
  async run<T>(command: Command<T>, options: RunOptions<T> = {}): Promise<Outcome<T>> {
    if (command.run) return command.run(options);
    const { until = Infinity, wanted } = options;
    let sentAt = this.timers.now();
    const deadline = Math.min(until, sentAt + this.timeout);
    let unanswered: unknown;
    for (let pause = FIRST_PAUSE; ; sentAt = this.timers.now()) {
      const once = unanswered === undefined;
      const { connection, epoch } = this.client;
      const outcome = await this.#send(command, { sentAt, deadline, once }, options);
      if (outcome === again) continue;
      // The client has sent it again by itself, over another connection: the first copy may have been done.
      // What had to wait for a connection was sent over none before; what became of it then the client tells.
      // Before its first answer, a client may not know its connection.
      const wasKnown = connection === undefined && epoch !== undefined;
      const isCopy = wasKnown && this.client.epoch !== epoch;
      if (outcome.kind === "reply") return isCopy ? { ...outcome, once: false } : outcome;
      if (isCopy) unanswered ??= new Error("the connection was lost");
      if (outcome.kind === "unknown") {
        if (outcome.error instanceof UnexpectedReplyError) return outcome;
        unanswered = outcome.error;
      }
      const result =
        outcome.kind === "refused" && unanswered !== undefined
          ? refusedLater(unanswered, outcome.error)
          : outcome;
      const isOver = (): boolean => this.client.closed === true || wanted?.() === false;
      const isFinal = outcome.kind === "refused" && !this.#isWaitedOut(outcome.error);
      // The last try must have time to be answered, too: a refusal says more than no reply.
      if (isFinal || isOver() || this.timers.now() + 2 * pause >= deadline) return result;
      await this.timers.sleep(pause);
      if (isOver()) return result;
      pause = Math.min(2 * pause, LAST_PAUSE);
    }
  }

  #send<T>(
    command: Command<T>,
    { sentAt, deadline, once }: Try,
    { late, gather = false }: RunOptions<T>,
  ): Promise<Outcome<T> | typeof again> {
    return new Promise((resolve) => {
      const expiry = this.timers.set(deadline, () => {
        const waited = Math.max(0, Math.round(deadline - sentAt));
        const { connection } = this.client;
        const why = connection === undefined ? "" : `: the client is not connected (${connection})`;
        resolve({ kind: "unknown", error: new Error(`no answer in ${waited} ms${why}`) });
      });
      const fail = (error: Error): void => {
        this.timers.clear(expiry);
        const refused = error instanceof ServerError && isRefusal(error);
        resolve(refused ? { kind: "refused", error } : { kind: "unknown", error });
      };
      this.#batcher.run(command, gather).then((raw) => {
        const reply = meaningOf(command, raw);
        if (!this.timers.clear(expiry)) late?.(reply === again ? undefined : reply);
        else if (reply === again) resolve(again);
        else if (reply !== undefined) resolve({ kind: "reply", reply, sentAt, once });
        else resolve({ kind: "unknown", error: new UnexpectedReplyError(raw) });
      }, fail);
    });
  }
}
