/**
 * What a kind of lock says of itself: its commands, and the meaning of their replies. How they are sent,
 * waited for, held, renewed and given up is written once for all kinds, and knows no script.
 */
import type { Holder, ServerError } from "../errors.js";
import type { Command } from "../redis/command.js";

/** One holder's claim to its keys, before, while and after it holds them. */
export interface Claim {
  readonly keys: readonly string[];
  /** The keys as they are called in Redis, but for what the client puts before them. */
  readonly names: readonly string[];
  /** Milliseconds of the lease that is asked for. */
  readonly ttl: number;
  /** The longest that it may ever have; undefined for any that Redis takes. */
  readonly maxTtl?: number;
  readonly token: string;
  readonly metadata: string;
  /** How it shares its lock with others; undefined when it has its locks alone. */
  readonly sharing?: Sharing | undefined;

  /** Takes the locks, or says who has them. */
  obtain(): Command<Asked>;
  /** Takes the locks, or a place in line. */
  standInLine(place: LinePlace): Command<Asked>;
  /** Leaves nothing of an obtain that was given up: no place in line, no lock granted meanwhile. */
  leave(id: string | undefined): Command<Leftover>;
  /** Gives the locks back that were granted with this fencing token, and seat if there is one. */
  release(fencingToken: number, seat?: number): Command<Released>;
  /**
   * Starts the lease anew. With an `order` above 0 also if that shortens it: a number that rises with each
   * refresh from the first that shortened it on, so that a late copy changes nothing.
   */
  refresh(fencingToken: number, ttl: number, order: number, seat?: number): Command<Verdict>;
  /** How long the locks go on by themselves. */
  timeLeft(fencingToken: number, seat?: number): Command<TimeLeft>;
  /** Whether a refusal ends also an obtain that waits, or tries again. Default: if it is a lasting one. */
  isFinal?(refusal: ServerError): boolean;
}

/** How a lock is shared. */
export interface Sharing {
  /** As one of any number, or of so many as there are permits. */
  readonly mode: Exclude<LockMode, "exclusive">;
  /** How many of the permits it takes. */
  readonly permits: number;
  /** How many permits may be out when it takes its own; undefined for no limit. */
  readonly limit: number | undefined;
}

/** Who may hold a lock at the same time: one, any number, or so many as there are permits. */
export type LockMode = "exclusive" | "shared" | "counted";

/** Whom messages reach, and whether the server that runs the scripts knows that they do. */
export type Reach = "none" | "counted" | "uncounted";

/** How a waiter's reach is written in its record. */
export const REACH: Readonly<Record<Reach, string>> = { none: "0", counted: "1", uncounted: "2" };

/** What a waiter asks for when it stands in line. */
export interface LinePlace {
  readonly id: string;
  /** The one of an earlier command: it keeps the place when the line itself is lost. */
  readonly ticket: string | undefined;
  readonly reach: Reach;
  /** Milliseconds after which the place is given up if it does not check in again. */
  readonly patience: number;
  /** Milliseconds of the lease that it is granted while it is not asking. */
  readonly lease: number;
  /** A secret of this command: a message that shows it grants what the command asked for. */
  readonly proof: string;
  /** Have a message sent if one may have been missed before. */
  readonly echo: boolean;
}

/** What tells one grant from others. */
export interface Grant {
  readonly fencingToken: number;
  /**
   * Which of those it is who share the lock, and so its fencing token. Only an own token can have two of
   * them; 0 where it was not written down. Undefined for a lock of one.
   */
  readonly seat?: number | undefined;
}

/** What Redis says to being asked for the locks. */
export type Asked =
  | (Grant & { readonly kind: "granted"; readonly echoed?: boolean })
  | {
      readonly kind: "taken";
      readonly holder: Holder | undefined;
      readonly place?: Place;
      /** What each of several servers said. */
      readonly cause?: Error;
    };

/** Where a waiter stands in line. */
interface Place {
  /** 1 for the next to be served. */
  readonly position: number;
  readonly ticket: string;
  /** A message was sent because one may have been missed. */
  readonly echoed: boolean;
}

/** What an obtain that was given up left behind, and took back. */
export interface Leftover {
  /** Who has the lock now. */
  readonly holder: Holder | undefined;
  /** The place in line that it left. */
  readonly position: number | undefined;
  /** It had a lock to give back. */
  readonly owned: boolean;
  /** The lock is free, but the dead in line were too many to serve whoever is behind them in one go. */
  readonly unserved: boolean;
}

/** Whether the locks of a claim are still its own, as Redis says. */
export type Verdict = "ours" | "deleted" | "taken";

/** The same of a question how long they go on: so many milliseconds, `Infinity` if they never end. */
export type TimeLeft = number | Exclude<Verdict, "ours">;

/** The same of a release; `unserved` when they were, and their line must be served by another command. */
export type Released = Verdict | "unserved";
