import type { Holder } from "../errors.js";
import { listOf, type Reply } from "../redis/client.js";
import type { Asked, Leftover, Released, TimeLeft, Verdict } from "./primitive.js";

/**
 * How replies are read that scripts of all kinds give: strictly. Whatever a script cannot give is not
 * understood, in any place of a reply, and so believed by nobody.
 */

/** A whole number from `least` on that JavaScript can hold; undefined for anything else. */
export function wholeNumber(reply: Reply | undefined, least: number = 0): number | undefined {
  if (typeof reply !== "string" || !WRITTEN.test(reply)) return undefined;
  const number = Number(reply);
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}

/** As a number is written: to write it anew, and compare, takes longer than all else here. */
const WRITTEN = /^(?:0|-?[1-9]\d{0,15})$/;

/** Text or nothing, told apart from anything else, which is undefined. */
function textOrNull(reply: Reply | undefined): string | null | undefined {
  return typeof reply === "string" || reply === null ? reply : undefined;
}

export function readFlag(reply: Reply | undefined): boolean | undefined {
  return reply === "1" ? true : reply === "0" ? false : undefined;
}

/** Of a refresh: ours, gone, or another's. */
export function readVerdict(reply: Reply): Verdict | undefined {
  return reply === "1" ? "ours" : reply === "0" ? "deleted" : reply === "-1" ? "taken" : undefined;
}

export function readReleased(reply: Reply): Released | undefined {
  return reply === "more" ? "unserved" : readVerdict(reply);
}

export function readTimeLeft(reply: Reply): TimeLeft | undefined {
  if (reply === "taken" || reply === "deleted") return reply;
  return reply === "none" ? Infinity : wholeNumber(reply);
}

/** Of an obtain without a place in line: who has the lock. */
export function readTaken(reply: Reply): Asked | undefined {
  const [left, fence, metadata] = listOf(reply, 3) ?? [];
  const lock = readLock(left, fence, metadata);
  return lock && { kind: "taken", holder: lock.holder };
}

/** Of an obtain with one: where it stands. */
export function readPlace(reply: Reply): Asked | undefined {
  const [left, place, ticket, flag] = listOf(reply, 4) ?? [];
  const lock = readLock(left, null, null);
  const [position, echoed] = [wholeNumber(place, 1), readFlag(flag)];
  if (!lock || position === undefined || wholeNumber(ticket) === undefined) return undefined;
  if (echoed === undefined) return undefined;
  const { holder } = lock;
  return { kind: "taken", holder, place: { position, ticket: String(ticket), echoed } };
}

export function readLeftover(reply: Reply): Leftover | undefined {
  const [left, fence, metadata, place, flag, more] = listOf(reply, 6) ?? [];
  const lock = readLock(left, fence, metadata);
  const [position, owned, unserved] = [wholeNumber(place), readFlag(flag), readFlag(more)];
  if (!lock || position === undefined || owned === undefined) return undefined;
  if (unserved === undefined) return undefined;
  return { holder: lock.holder, position: position || undefined, owned, unserved };
}

/** What scripts tell of a lock: milliseconds left or nil for none, fencing token, metadata. */
export function readLock(
  left: Reply | undefined,
  fence: Reply | undefined,
  metadata: Reply | undefined,
): { readonly holder: Holder | undefined } | undefined {
  if (left === null) return fence === null && metadata === null ? { holder: undefined } : undefined;
  const remaining = wholeNumber(left, -1);
  const fencingToken = fence === null ? null : wholeNumber(fence, 1);
  const said = textOrNull(metadata);
  if (remaining === undefined || fencingToken === undefined || said === undefined) return undefined;
  return {
    holder: {
      metadata: said ?? undefined,
      fencingToken: fencingToken ?? undefined,
      remaining: remaining === -1 ? Infinity : remaining,
    },
  };
}
