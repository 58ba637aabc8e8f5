import type { ServerError } from "../errors.js";
import type { Reply, Script } from "./client.js";

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
  /**
   * Whether it is still wanted when it would be tried again; of what several servers are sent, also once
   * they have said who they are. Default: it is.
   */
  readonly wanted?: () => boolean;
  /** It may wait for others of the same moment, even if nothing is under way. */
  readonly gather?: boolean;
}

/** A refusal after a command that was not answered, and may have been done: nobody knows. */
export function refusedLater(unanswered: string, refusal: ServerError): Failure {
  const error = new Error(`${unanswered}; sent again, it was refused: ${refusal.message}`);
  return { kind: "unknown", error };
}
