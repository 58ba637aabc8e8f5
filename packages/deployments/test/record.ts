/** What the processes of a trial are told, and what they say, one line of JSON each. */
import type { Access, Library } from "./client.js";

/** What a process is to do. */
export interface Orders {
  readonly name: string;
  readonly library: Library;
  readonly access: Access;
  readonly keys: readonly string[];
  /** How many locks it wants at a time. */
  readonly loops: number;
  readonly ttl: number;
  /** Milliseconds: who waits for longer gives up, and has shown a fault. */
  readonly bound: number;
  readonly seed: number;
}

/** Ways to want a lock. With the first three, it is waited for as long as the bound allows. */
export type How = "wait" | "renew" | "several" | "brief" | "abort" | "try" | "poll";

/** Whether a lock is had alone, together with any others, or with so many that there are {@link LIMIT}. */
export type Share = "alone" | "shared" | "counted";

/** How many have a counted lock at the same time. */
export const LIMIT = 2;

/** A lock was granted. Times are of the machine's monotonic clock, the same for all processes. */
export interface Granted {
  readonly type: "granted";
  /** Pairs it with its end. */
  readonly id: string;
  readonly how: How;
  readonly share: Share;
  readonly keys: readonly string[];
  readonly ttl: number;
  readonly fence: number;
  readonly asked: number;
  readonly at: number;
}

/** A lock was given back, or lost. */
export interface Ended {
  readonly type: "ended";
  readonly id: string;
  /** When it was last seen to be held. */
  readonly to: number;
  /** "released", or the code of the error. */
  readonly outcome: string;
}

/** There was no lock, not even a plain "no". */
export interface Failed {
  readonly type: "failed";
  /** The process. */
  readonly by: string;
  readonly how: How;
  readonly asked: number;
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

export type Line = Granted | Ended | Failed;

export function readLine(text: string): Line | undefined {
  if (!text.startsWith("{")) return undefined;
  const line: unknown = JSON.parse(text);
  if (isLine(line)) return line;
  throw new TypeError(`not a line of a process: ${text}`);
}

export function readOrders(text: string | undefined): Orders {
  const orders: unknown = JSON.parse(text ?? "");
  if (isOrders(orders)) return orders;
  throw new TypeError(`not orders: ${text}`);
}

// Both ends are of one build, so these tell only one thing from another.

function isLine(line: unknown): line is Line {
  return typeof line === "object" && line !== null && "type" in line;
}

function isOrders(orders: unknown): orders is Orders {
  return typeof orders === "object" && orders !== null && "access" in orders;
}

/** Milliseconds, the same in all processes of a machine. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
